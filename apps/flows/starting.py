"""Who answers in a conversation, and with which flow it begins."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from apps.conversations.models import Conversation
from apps.conversations.responders import Turn
from apps.flows import triggers
from apps.flows.models import Chatbot, ChatbotAccount, Flow, FlowSession
from apps.flows.triggers import GlobalKeyword, GlobalKeywords, Heard, Trigger, Triggers, Variants


@dataclass(frozen=True)
class Start:
    """A flow to begin with, and why."""

    flow: Flow
    variant: str = ""
    trigger: str = ""


@dataclass(frozen=True)
class Bot:
    """A chatbot in its flows that may speak."""

    chatbot: Chatbot
    flows: Sequence[Flow]
    """The oldest first: their triggers are asked in this order."""

    @cached_property
    def _triggers(self) -> list[tuple[Flow, Trigger]]:
        return [(flow, trigger) for flow in self.flows for trigger in Triggers.validate_python(flow.triggers)]

    @cached_property
    def _keywords(self) -> list[GlobalKeyword]:
        return GlobalKeywords.validate_python(self.chatbot.keywords)

    @property
    def asks_for_first_contact(self) -> bool:
        """Whether it matters to it that a contact never wrote before."""
        return any(trigger.type == "first_contact" for _, trigger in self._triggers)

    def flow(self, pk: uuid.UUID | str | None) -> Flow | None:
        """One of its flows that may speak."""
        return next((flow for flow in self.flows if str(flow.pk) == str(pk)), None)

    def main(self) -> Flow | None:
        """What it begins with by itself: the main flow, else the one to fall back on."""
        main = next((flow for flow in self.flows if flow.is_main), None)
        return main or next((flow for flow in self.flows if flow.is_fallback), None)

    def keyword(self, heard: Heard) -> GlobalKeyword | None:
        """The word that counts in any state, if the customer wrote one."""
        return next((keyword for keyword in self._keywords if keyword.fits(heard)), None)

    def target(self, keyword: GlobalKeyword) -> Flow | None:
        """The flow that such a word leads to."""
        match keyword.action:
            case "menu":
                return self.main()
            case "flow":
                return self.flow(keyword.flow_id)
        return None

    def triggered(self, heard: Heard, *, running: bool) -> Start | None:
        """The flow that a message starts by a trigger; while another is running, only by those that may interrupt."""
        for flow, trigger in self._triggers:
            if (trigger.anytime or not running) and trigger.fits(heard):
                return Start(flow, trigger=trigger.type)
        return None

    def begin(self, heard: Heard, conversation: Conversation) -> Start | None:
        """What to begin with: by a trigger, by the contact's side of the A/B test, else by the main flow."""
        if start := self.triggered(heard, running=False):
            return start
        if self.chatbot.after_end == Chatbot.AfterEnd.AGENT and conversation.chatbot_id == self.chatbot.pk:
            return None
        return self.usual(conversation)

    def usual(self, conversation: Conversation) -> Start | None:
        """What to begin with where nothing particular was said."""
        if self.chatbot.ab_test_enabled:
            sides = Variants.validate_python(self.chatbot.ab_test_flows)
            side = triggers.cast([one for one in sides if self.flow(one.flow_id)], conversation.contact_id)
            flow = self.flow(side.flow_id) if side else None
            if side and flow:
                return Start(flow, variant=side.variant_name or flow.name[:100])
        main = self.main()
        return Start(main) if main else None


@dataclass(frozen=True)
class Post:
    """Who answers in one conversation: the chatbot, and the session that waits, if its flow still runs."""

    bot: Bot
    session: FlowSession | None
    stale: FlowSession | None
    """A live session that nobody goes on with; it ends when another begins."""
    is_first_contact: bool = False


def posts(turns: Sequence[Turn]) -> dict[uuid.UUID, Post]:
    """Who may answer, by conversation id: five queries at most, however many turns."""
    chosen = _chosen(turns)
    sessions = {
        session.conversation_id: session
        for session in FlowSession.objects.live().filter(conversation_id__in=[turn.conversation.pk for turn in turns])
    }
    bots = _bots(set(chosen.values()))
    strangers = _strangers([turn for turn in turns if _asks_for_first_contact(chosen, bots, turn)])
    found = {}
    for turn in turns:
        conversation = turn.conversation
        bot = bots.get(chosen[conversation.pk]) if conversation.pk in chosen else None
        if bot is None:
            continue
        live = sessions.get(conversation.pk)
        flow = bot.flow(live.flow_id) if live else None
        goes_on = flow is not None and conversation.active_chatbot_id == bot.chatbot.pk
        if live and flow and goes_on:
            live.flow = flow
        found[conversation.pk] = Post(
            bot, live if goes_on else None, None if goes_on else live, conversation.contact_id in strangers
        )
    return found


def _chosen(turns: Sequence[Turn]) -> dict[uuid.UUID, uuid.UUID]:
    """The chatbot for each conversation: the account's, else the organization's fallback."""
    own = dict(
        ChatbotAccount.objects.filter(account_id__in={turn.conversation.account_id for turn in turns}).values_list(
            "account_id", "chatbot_id"
        )
    )
    without = {turn.conversation.organization_id for turn in turns if turn.conversation.account_id not in own}
    fallbacks: dict[uuid.UUID, uuid.UUID] = {}
    if without:
        rows = Chatbot.objects.present().filter(organization_id__in=without, is_fallback=True)
        fallbacks = dict(rows.values_list("organization_id", "pk"))
    chosen = {
        turn.conversation.pk: own.get(turn.conversation.account_id) or fallbacks.get(turn.conversation.organization_id)
        for turn in turns
    }
    return {pk: chatbot for pk, chatbot in chosen.items() if chatbot}


def _bots(chatbots: set[uuid.UUID]) -> dict[uuid.UUID, Bot]:
    flows = Flow.objects.answering().filter(chatbot_id__in=chatbots).select_related("chatbot").defer("canvas_data")
    grouped: dict[uuid.UUID, list[Flow]] = {}
    for flow in flows.order_by("created_at", "pk"):
        grouped.setdefault(flow.chatbot_id, []).append(flow)
    return {pk: Bot(flows[0].chatbot, flows) for pk, flows in grouped.items()}


def _asks_for_first_contact(chosen: Mapping[uuid.UUID, uuid.UUID], bots: Mapping[uuid.UUID, Bot], turn: Turn) -> bool:
    bot = bots.get(chosen[turn.conversation.pk]) if turn.conversation.pk in chosen else None
    return bot is not None and bot.asks_for_first_contact and turn.conversation.handled_seq == 0


def _strangers(turns: Sequence[Turn]) -> set[uuid.UUID]:
    """The contacts who have no other conversation than this one."""
    if not turns:
        return set()
    contacts = {turn.conversation.contact_id for turn in turns}
    others = Conversation.objects.filter(contact_id__in=contacts).exclude(
        pk__in=[turn.conversation.pk for turn in turns]
    )
    return contacts - set(others.values_list("contact_id", flat=True))
