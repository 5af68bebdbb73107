"""Trying a flow: one turn of it in memory, by the very code that answers customers.

Nothing is written, sent or requested. Drafts stand in for versions, samples for the world.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from apps.conversations.channels import Content, channels
from apps.conversations.models import ChannelAccount, Conversation, Message
from apps.conversations.responders import Effects, Turn
from apps.core.errors import DomainError
from apps.flows import compiled, graph, people, profile, publishing, stand_ins
from apps.flows.effects import HandOver
from apps.flows.engine import Destination, State
from apps.flows.graph import InvalidCanvas
from apps.flows.memory import Memory, Person, keep
from apps.flows.models import Chatbot, ChatbotAccount, Flow, FlowSession
from apps.flows.passage import Passage
from apps.flows.stand_ins import Called, Sample, StandIn
from apps.flows.starting import Bot, Post, Start

DEFAULT_CHANNEL = "whatsapp"
_NO_SAMPLES: Mapping[str, Sample] = MappingProxyType({})


class NothingToWaitFor(DomainError):
    """Time passes, and nothing happens."""

    code = "nothing_to_wait_for"


class Media(BaseModel):
    """A file that the customer sends."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["image", "video", "audio", "document", "sticker"]
    url: str = Field("", max_length=2000)
    filename: str = Field("", max_length=255)
    mime_type: str = Field("", max_length=255)


class Said(BaseModel):
    """What the customer says: words, a button or row by its id, or a file with words below it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field("", max_length=4096)
    choice: str = Field("", max_length=256)
    media: Media | None = None

    @model_validator(mode="before")
    @classmethod
    def read_words(cls, data: Any) -> Any:
        """Mere words are a text."""
        return {"text": data} if isinstance(data, str) else data


@dataclass(frozen=True)
class _TriedBot(Bot):
    """A chatbot that begins with the flow that is tried, unless a trigger leads elsewhere."""

    tried: Flow

    def usual(self, conversation: Conversation) -> Start | None:
        return Start(self.tried)


@dataclass(frozen=True)
class Stage:
    """What is tried, and where."""

    bot: Bot
    flows: Mapping[uuid.UUID, Destination]
    """The drafts that can run, by flow."""
    channel: str = DEFAULT_CHANNEL
    samples: Mapping[str, Sample] = field(default_factory=dict)


@dataclass(frozen=True)
class Waits:
    """What the flow waits for, and until when at most."""

    node: str
    until: datetime | None
    is_asleep: bool
    """Whether it waits for the time alone."""


@dataclass(frozen=True)
class Visit:
    """A node that was left, in the flow of that id."""

    flow: uuid.UUID
    node: str
    exit: str
    error: str = ""


@dataclass(frozen=True)
class Simulated:
    """What would have come of one turn."""

    memory: Memory
    messages: tuple[Content, ...] = ()
    waits: Waits | None = None
    calls: tuple[Called, ...] = ()
    hand_over: HandOver | None = None
    closes: bool = False
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    learnt: Mapping[str, Any] = field(default_factory=dict)
    """What would be kept about the contact."""
    variables: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    path: tuple[Visit, ...] = ()


def stage(
    flow: Flow,
    *,
    canvas: Mapping[str, Any] | None = None,
    channel: str = "",
    samples: Mapping[str, Sample] = _NO_SAMPLES,
) -> Stage:
    """A flow's draft, or the canvas instead of it, among the drafts of its chatbot's other flows."""
    flows = list(
        Flow.objects.present().filter(chatbot=flow.chatbot).select_related("version").order_by("created_at", "pk")
    )
    published = [one.version_id for one in flows if one.version_id and publishing.is_published(one)]
    known = compiled.versions(published)
    for one in flows:
        if one.pk == flow.pk and canvas is not None:
            one.canvas_data = dict(canvas)
        elif one.version_id in known:
            continue
        one.version_id = None
    return assemble(
        flow.chatbot, flows, tried=flow.pk, known=known, channel=channel or _channel(flow.chatbot), samples=samples
    )


def _channel(chatbot: Chatbot) -> str:
    """Where a chatbot answers."""
    accounts = ChatbotAccount.objects.filter(chatbot=chatbot).order_by("account__created_at")
    bound = accounts.values_list("account__channel", flat=True)
    return next((channel for channel in bound if channel in channels), DEFAULT_CHANNEL)


def assemble(
    chatbot: Chatbot,
    flows: Iterable[Flow],
    *,
    tried: uuid.UUID,
    known: Mapping[uuid.UUID, Destination] | None = None,
    channel: str = DEFAULT_CHANNEL,
    samples: Mapping[str, Sample] = _NO_SAMPLES,
) -> Stage:
    """A stage for these flows, no database needed; FlowCannotRun if the tried one cannot.

    `known` are those that are compiled already, by the version of a flow.
    """
    flows = list(flows)
    drafts: dict[uuid.UUID, Destination] = {}
    drawn: dict[str, Sample] = {}
    for flow in sorted(flows, key=lambda flow: flow.pk == tried):  # its own samples come before those of the others
        ready = (known or {}).get(flow.version_id) if flow.version_id else None
        try:
            drafts[flow.pk] = ready or Destination(graph.compile(flow.canvas_data), flow.variables)
        except InvalidCanvas as error:
            if flow.pk == tried:
                publishing.refuse(flow.name, error.problems)
        drawn |= stand_ins.drawn(flow.canvas_data)
        flow.chatbot = chatbot
        flow.version_id = flow.pk  # a draft is the version of itself
    mine = next(flow for flow in flows if flow.pk == tried)
    speaking = [flow for flow in flows if flow.pk in drafts and (flow.is_active or flow is mine)]
    return Stage(_TriedBot(chatbot, speaking, mine), drafts, channel, {**drawn, **samples})


def turn(stage: Stage, memory: Memory, said: Said | None, *, now: datetime) -> Simulated:
    """What comes of the customer's words, or, without any, of the time that has passed."""
    if memory.held:
        return Simulated(memory)
    conversation = _conversation(stage, memory, now if said else memory.heard_at)
    due = [key for key, at in memory.wakeups.items() if at <= now]
    messages = (_message(conversation, said),) if said else ()
    session = _session(memory, conversation, stage)
    stand_in = StandIn(stage.samples)
    passage = Passage(
        Turn(conversation, messages, tuple(due)),
        Post(stage.bot, session, None),
        stage.flows,
        stand_in.perform,
        clock=lambda: now,
    )
    effects = passage.effects(people.Directory(())) if passage.run() else Effects()
    profile.learn(conversation.contact, passage.learnt)
    wakeups: dict[Any, datetime | None] = {key: at for key, at in memory.wakeups.items() if key not in due}
    wakeups |= effects.wakeups or {}
    sessions = [one for one in (session, *passage.begun) if one]
    last = passage.session or (sessions[-1] if sessions else None)
    running = State.load(passage.session.state) if passage.session and not passage.hand_over else None
    after = Memory(
        conversation=memory.conversation,
        person=Person.of(conversation.contact, memory.person.phone),
        flow=passage.session.flow_id if passage.session and running else None,
        session=keep(running) if running else None,
        heard_at=None if effects.close else conversation.last_inbound_at,
        wakeups={key: at for key, at in wakeups.items() if at} if running else {},
        held=passage.hand_over is not None,
    )
    return Simulated(
        memory=after,
        messages=effects.say,
        waits=Waits(running.node or "", after.wakes_at, running.asleep) if running else None,
        calls=tuple(stand_in.called),
        hand_over=passage.hand_over,
        closes=effects.close,
        add_tags=effects.add_tags,
        remove_tags=effects.remove_tags,
        learnt=passage.learnt,
        variables=last.state.get("variables", {}) if last else {},
        problem=next((one.problem for one in reversed(sessions) if one.problem), ""),
        path=tuple(
            Visit(uuid.UUID(left.flow) if left.flow else one.flow_id, left.node, left.exit, left.error)
            for one, left in passage.visited
        ),
    )


def wake(stage: Stage, memory: Memory, *, now: datetime) -> Simulated:
    """What comes of it when the next time that the conversation waits for has come."""
    if memory.wakes_at is None:
        raise NothingToWaitFor("Nothing in this conversation waits for a time.")
    return turn(stage, memory, None, now=max(now, memory.wakes_at))


def _conversation(stage: Stage, memory: Memory, heard_at: datetime | None) -> Conversation:
    """A conversation that is nowhere stored."""
    chatbot = stage.bot.chatbot
    return Conversation(
        pk=memory.conversation,
        organization_id=chatbot.organization_id,
        account=ChannelAccount(organization_id=chatbot.organization_id, channel=stage.channel),
        contact=memory.person.contact(uuid.uuid5(memory.conversation, "contact")),
        chatbot_id=chatbot.pk if memory.heard_at else None,
        last_inbound_at=heard_at,
    )


def _session(memory: Memory, conversation: Conversation, stage: Stage) -> FlowSession | None:
    if memory.flow is None or memory.session is None:
        return None
    return FlowSession(
        organization_id=conversation.organization_id,
        conversation=conversation,
        flow=stage.bot.flow(memory.flow),
        version_id=memory.flow,
        state=memory.session.model_dump(mode="json"),
    )


def _message(conversation: Conversation, said: Said) -> Message:
    """The message that a webhook would have brought."""
    type: str = "text"
    content: dict[str, str] = {"text": said.text}
    if said.media is not None:
        type, content = said.media.type, {"caption": said.text, **said.media.model_dump(exclude={"type"})}
    elif said.choice:
        type, content = "interactive", {"id": said.choice, "title": said.text}
    pk = uuid.uuid5(conversation.pk, "message")
    return Message(pk=pk, conversation=conversation, type=type, text=said.text, content=content)
