"""Flows as a responder: what the customer wrote goes through the engine; what the engine wants goes to the turn."""

import uuid
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from apps.contacts.models import Contact, ContactIdentity
from apps.conversations.channels import Content, channels
from apps.conversations.models import Conversation, Message
from apps.conversations.responders import Effects, Turn, responders
from apps.core import bulk
from apps.flows import compiled, contents, engine, people, profile
from apps.flows.answers import Answer
from apps.flows.effects import Close, HandOver, Know, Tag
from apps.flows.engine import Destination, State, Step, Woken
from apps.flows.graph import Graph
from apps.flows.models import ChatbotAccount, Flow, FlowSession

_FILES = frozenset(["image", "video", "audio", "document", "sticker", "file"])
_WORDS = frozenset(["text", "interactive", "button", "location", "contacts", "order"])
_REFERENCE = ("id", "url", "mime_type", "filename", "sha256")
_MAX_REASON = 500
WAKEUP = "flow"
"""The key of the one wake-up that a conversation's session may be waiting for."""

_STILL_ANSWERING = """
SELECT flow.id FROM flows_flow AS flow JOIN flows_chatbot AS chatbot ON chatbot.id = flow.chatbot_id
WHERE flow.id = ANY(%s) AND flow.is_active AND flow.deleted_at IS NULL
  AND chatbot.is_active AND chatbot.deleted_at IS NULL
FOR SHARE
"""


@dataclass(frozen=True)
class _Memo:
    """What `save` writes: the session that was live before, and the sessions that the turn began, in order."""

    flow_ids: frozenset[uuid.UUID]
    """The flows that spoke."""
    before: FlowSession | None
    begun: Sequence[FlowSession]
    learnt: Mapping[str, Any]
    """What the flow wants to be kept about the contact."""


@dataclass(frozen=True)
class _Bot:
    """What may answer in one conversation: its main flow, and the session that waits, if its flow still runs."""

    main: Flow | None
    session: FlowSession | None
    stale: FlowSession | None
    """A live session that nobody goes on with; it ends when another begins."""
    others: Sequence[Flow]
    """All flows of the chatbot that may speak."""


@responders.register
class Flows:
    """Chatbots answer with the main flow of the account's chatbot, or go on with the session that waits."""

    key = "flows"

    def decide(self, turns: Sequence[Turn]) -> dict[uuid.UUID, Effects]:
        """Run what is pending through its flow. Inactive chatbots and flows, and empty ones, stay silent."""
        bots = _bots([turn for turn in turns if turn.messages or WAKEUP in turn.wakeups])
        graphs = compiled.graphs(flow for bot in bots.values() for flow in bot.others)
        passages = [_Passage(turn, bot, graphs) for turn in turns if (bot := bots.get(turn.conversation.pk))]
        spoken = [passage for passage in passages if passage.run()]
        directory = people.Directory(one.turn.conversation.organization_id for one in spoken if one.hand_over)
        return {passage.turn.conversation.pk: passage.effects(directory) for passage in spoken}

    def save(self, decided: Sequence[tuple[Turn, Effects]]) -> set[uuid.UUID]:
        """Write the sessions of those whose flows may still speak."""
        with connection.cursor() as cursor:
            cursor.execute(_STILL_ANSWERING, [list({pk for _, effects in decided for pk in effects.memo.flow_ids})])
            answering = {row[0] for row in cursor.fetchall()}
        kept = [(turn, effects.memo) for turn, effects in decided if effects.memo.flow_ids <= answering]
        changed = [memo.before for _, memo in kept if memo.before]
        bulk.update(FlowSession, changed, ["state", "problem", "ended_at", "updated_at"])
        FlowSession.objects.bulk_create([session for _, memo in kept for session in memo.begun])
        profile.save({turn.conversation.contact_id: memo.learnt for turn, memo in kept if memo.learnt})
        return {turn.conversation.pk for turn, _ in kept}

    def describe(self, conversations: Iterable[Conversation]) -> dict[uuid.UUID, dict[str, Any]]:
        """The flow that is running in each conversation, where it waits, and what it knows."""
        running = [conversation.pk for conversation in conversations if conversation.active_chatbot_id]
        if not running:
            return {}
        return {
            session.conversation_id: {
                "active_flow_id": str(session.flow_id),
                "current_node_id": session.state.get("node"),
                "context_variables": session.state.get("variables", {}),
            }
            for session in FlowSession.objects.live().filter(conversation_id__in=running)
        }


def _bots(turns: Sequence[Turn]) -> dict[uuid.UUID, _Bot]:
    """Who may answer, by conversation id: three queries, however many turns."""
    chatbots = dict(
        ChatbotAccount.objects.filter(account_id__in={turn.conversation.account_id for turn in turns}).values_list(
            "account_id", "chatbot_id"
        )
    )
    sessions = {
        session.conversation_id: session
        for session in FlowSession.objects.live().filter(conversation_id__in=[turn.conversation.pk for turn in turns])
    }
    flows = list(
        Flow.objects.answering()
        .filter(chatbot_id__in=set(chatbots.values()))
        .select_related("chatbot")
        .defer("canvas_data")
    )
    mains = {flow.chatbot_id: flow for flow in flows if flow.is_main}
    running = {flow.pk: flow for flow in flows}
    others: dict[uuid.UUID, list[Flow]] = {}
    for flow in flows:
        others.setdefault(flow.chatbot_id, []).append(flow)
    bots = {}
    for turn in turns:
        conversation = turn.conversation
        chatbot_id = chatbots.get(conversation.account_id)
        live = sessions.get(conversation.pk)
        begun = running.get(live.flow_id) if live else None
        goes_on = begun is not None and begun.chatbot_id == chatbot_id == conversation.active_chatbot_id
        if live and begun and goes_on:
            live.flow = begun
            bots[conversation.pk] = _Bot(mains.get(begun.chatbot_id), live, None, others[begun.chatbot_id])
        elif chatbot_id and chatbot_id in mains:
            bots[conversation.pk] = _Bot(mains[chatbot_id], None, live, others[chatbot_id])
    return bots


class _Passage:
    """One turn's way through a flow, and through it again if it ends before the messages do."""

    def __init__(self, turn: Turn, bot: _Bot, graphs: Mapping[uuid.UUID, Graph]) -> None:
        self.turn = turn
        self.bot = bot
        self.graphs = graphs
        self.now = timezone.now()
        self.session = bot.session
        self.begun: list[FlowSession] = []
        self.said: list[Content] = []
        self.add_tags: list[str] = []
        self.remove_tags: list[str] = []
        self.learnt: dict[str, Any] = {}
        self.hand_over: HandOver | None = None
        self.closes = False
        self.spoke: list[Flow] = []

    def run(self) -> bool:
        """Feed what is pending in its order, until people are to take over; whether there was anything to do."""
        waiting = self._pending()
        while waiting and not self.hand_over:
            flow = self.session.flow if self.session else self.bot.main
            if flow is None or flow.pk not in self.graphs or not self.graphs[flow.pk].start:
                break
            self.spoke.append(flow)
            step = self._advance(flow, waiting.popleft())
            waiting.extendleft(reversed(step.unheard))
            self.spoke += [other for other in self.bot.others if str(other.pk) in step.entered]
            self._apply(flow, step)
        return bool(self.spoke)

    def _pending(self) -> deque[Answer | Woken]:
        """The time that a session slept for comes before the messages; that of a question lets an answer go first."""
        answers: deque[Answer | Woken] = deque(
            _answer(message) for message in self.turn.messages if message.type != "system"
        )
        state = State.load(self.session.state) if self.session else State()
        if state.is_due(self.now) and (state.asleep or not answers):
            answers.appendleft(Woken())
        return answers

    def _advance(self, flow: Flow, event: Answer | Woken) -> Step:
        known = _known(flow, self.turn.conversation)
        state = State.load(self.session.state) if self.session else State()
        others = {
            str(other.pk): Destination(self.graphs[other.pk], other.variables)
            for other in self.bot.others
            if other.pk in self.graphs
        }
        return engine.advance(
            self.graphs[flow.pk], state, event if self.session else None, known, now=self.now, others=others
        )

    def _apply(self, flow: Flow, step: Step) -> None:
        conversation = self.turn.conversation
        if self.session is None:
            self.session = FlowSession(
                organization_id=conversation.organization_id, conversation=conversation, flow=flow
            )
            self.begun.append(self.session)
        self.session.state = step.state.dump()
        self.said += contents.of(step.effects, channels.get(conversation.account.channel).capabilities)
        self.closes = Close() in step.effects  # who writes on after the end is not closed upon
        for effect in step.effects:
            match effect:
                case Tag(names, removes):
                    self._tag(names, removes)
                case Know(field, value):
                    self.learnt[field] = value
                case HandOver():
                    self.hand_over = effect
        if step.problem:
            self.session.problem = step.problem.message[:_MAX_REASON]
            self.hand_over = HandOver(self.session.problem)
        if step.finished:
            self.session.ended_at = self.now
            self.session = None

    def _tag(self, names: Sequence[str], removes: bool) -> None:
        """The last word about a tag counts."""
        put, taken = (self.remove_tags, self.add_tags) if removes else (self.add_tags, self.remove_tags)
        put += names
        taken[:] = [tag for tag in taken if tag not in names]

    def effects(self, directory: people.Directory) -> Effects:
        """All that came of it."""
        conversation = self.turn.conversation
        before = self.bot.session or self.bot.stale
        if before:
            before.updated_at = self.now
            if before is self.bot.stale:
                before.ended_at = before.updated_at
        wakes_at = State.load(self.session.state).wakes_at if self.session else None
        return Effects(
            say=tuple(self.said),
            chatbot_id=self.spoke[-1].chatbot_id,
            session_lives=self.session is not None,
            hand_over=directory.find(conversation.organization_id, self.hand_over) if self.hand_over else None,
            close=self.closes and not self.hand_over,
            add_tags=tuple(self.add_tags),
            remove_tags=tuple(self.remove_tags),
            wakeups={WAKEUP: wakes_at},
            memo=_Memo(frozenset(flow.pk for flow in self.spoke), before, self.begun, self.learnt),
        )


def _answer(message: Message) -> Answer:
    """What a message says as an answer; of a type without words or a file, nothing."""
    content = message.content if isinstance(message.content, dict) else {}
    if message.type in _FILES:
        reference = {key: content[key] for key in _REFERENCE if content.get(key)}
        return Answer(message.text, media={"type": message.type, "message_id": str(message.pk), **reference})
    if message.type not in _WORDS:
        return Answer()
    choice = content.get("id") if message.type in ("interactive", "button") else None
    return Answer(message.text, choice=choice if isinstance(choice, str) else "")


def _known(flow: Flow, conversation: Conversation) -> dict[str, Any]:
    """The variables that are not the session's own."""
    return {
        **flow.chatbot.global_variables,
        **flow.variables,
        "contact": _contact(conversation.contact),
        "conversation": {"id": str(conversation.pk), "channel": conversation.account.channel},
    }


def _contact(contact: Contact) -> dict[str, Any]:
    identities = {identity.kind: identity.value for identity in contact.identities.all()}
    return {
        "id": str(contact.pk),
        "name": contact.name or contact.username,
        "phone": identities.get(ContactIdentity.Kind.PHONE, ""),
        "email": contact.email,
        "company": contact.company,
        "tags": contact.tags,
        "attributes": contact.attributes,
    }
