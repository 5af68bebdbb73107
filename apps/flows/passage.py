"""One turn's way through a chatbot's flows: what is pending goes in, what is to be said and done comes out."""

import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.utils import timezone

from apps.conversations import outbound
from apps.conversations.channels import Content, channels
from apps.conversations.models import Message
from apps.conversations.responders import Effects, Turn
from apps.core.templating import Template, TemplateError
from apps.flows import contents, effects, engine, listening, patience, people, scope
from apps.flows.calls import Call, Result
from apps.flows.effects import Close, HandOver, Know, Tag
from apps.flows.engine import Destination, Event, Returned, State, Step, Visited, Woken
from apps.flows.listening import Utterance
from apps.flows.models import Flow, FlowSession
from apps.flows.patience import INACTIVITY, WINDOW
from apps.flows.starting import Post, Start

_MAX_REASON = 500
MAX_CALLS = 20
"""Calls in one turn."""
FLOW = "flow"
"""The key of the wake-up that a conversation's session waits for."""
WAKEUPS = frozenset([FLOW, INACTIVITY, WINDOW])

Perform = Callable[[Call, str, str], Result]
"""Does what the node of that id wants of the world; the last words name the visit, the same whenever it is tried again.
"""


class NeedsCall(Exception):
    """The flow wants something of the world, which takes long."""


@dataclass(frozen=True)
class Memo:
    """What is written with the turn."""

    flow_ids: frozenset[uuid.UUID]
    """The flows that spoke."""
    before: FlowSession | None
    """The session that was live before."""
    begun: Sequence[FlowSession]
    """The sessions that the turn began, in order."""
    learnt: Mapping[str, Any]
    """What the flow wants to be kept about the contact."""
    visited: Sequence[tuple[FlowSession, Visited]]
    """The nodes that were left."""


class Passage:
    """A way through a flow, and through another if it ends before the messages do."""

    def __init__(
        self,
        turn: Turn,
        post: Post,
        versions: Mapping[uuid.UUID, Destination],
        perform: Perform | None = None,
        clock: Callable[[], datetime] = timezone.now,
    ) -> None:
        self.turn = turn
        self.conversation = turn.conversation
        self.post = post
        self.versions = versions
        self.perform = perform
        self.clock = clock
        self.now = clock()
        self.session = post.session
        self.calls = 0
        self.begun: list[FlowSession] = []
        self.spoke: list[Flow] = []
        self.said: list[Content] = []
        self.add_tags: list[str] = []
        self.remove_tags: list[str] = []
        self.learnt: dict[str, Any] = {}
        self.visited: list[tuple[FlowSession, Visited]] = []
        self.hand_over: HandOver | None = None
        self.closes = False

    def run(self) -> bool:
        """Feed what is pending in its order, until people are to take over; whether there was anything to do.

        NeedsCall if the flow wants something of the world and nothing performs it here.
        """
        if self.session and self.session.version_id not in self.versions:
            self.session.problem = "Its version cannot run any more."
            self._leave()
        waiting = self._pending()
        while waiting and not self.hand_over:
            heard = waiting.popleft()
            if isinstance(heard, Utterance):
                if self._obeyed(heard):
                    continue
                if self.session and (start := self.post.bot.triggered(heard.heard, running=True)):
                    self._leave()
                    self._begin(start)
            if self.session is None and not self._start(heard):
                break
            event = heard.answer if isinstance(heard, Utterance) else heard
            waiting.extendleft(Utterance(answer) for answer in reversed(self._feed(event)))
        if not self.turn.messages:
            self._be_patient()
        return bool(self.spoke)

    def _pending(self) -> deque[Utterance | Woken]:
        """The time that a session slept for comes before the messages; that of a question lets an answer go first."""
        is_first = self.post.is_first_contact
        waiting: deque[Utterance | Woken] = deque(
            listening.hear(message, is_first=is_first and place == 0) for place, message in enumerate(self._messages())
        )
        state = State.load(self.session.state) if self.session else State()
        if state.is_due(self.now) and (state.asleep or not waiting):
            waiting.appendleft(Woken())
        return waiting

    def _messages(self) -> list[Message]:
        return [message for message in self.turn.messages if message.type != "system"]

    def _obeyed(self, said: Utterance) -> bool:
        """Whether the customer wrote a word that counts in any state; it is done then."""
        keyword = None if said.answer.choice else self.post.bot.keyword(said.heard)
        if keyword is None:
            return False
        flow = self.post.bot.target(keyword)
        speaking = (self.session.flow if self.session else None) or flow or self.post.bot.main()
        if speaking is None or (keyword.action in ("menu", "flow") and flow is None):
            return False
        self._leave()
        self.spoke.append(speaking)
        self._say(effects.say(keyword.message))
        if keyword.action == "human":
            self.hand_over = HandOver("The customer asked for a person.")
        elif flow:
            self._begin(Start(flow, trigger="keyword"))
            self._feed(None)
        return True

    def _start(self, heard: Utterance | Woken) -> bool:
        """Begin with the flow for what was heard; whether there is one that can run."""
        start = self.post.bot.begin(heard.heard, self.conversation) if isinstance(heard, Utterance) else None
        if start is None or not self._runs(start.flow):
            return False
        self._begin(start)
        return True

    def _runs(self, flow: Flow) -> bool:
        version = self.versions.get(flow.version_id) if flow.version_id else None
        return version is not None and version.graph.start is not None

    def _begin(self, start: Start) -> None:
        self.session = FlowSession(
            organization_id=self.conversation.organization_id,
            conversation=self.conversation,
            flow=start.flow,
            version_id=cast(uuid.UUID, start.flow.version_id),
            variant=start.variant,
            started_by=start.trigger,
        )
        self.begun.append(self.session)

    def _leave(self) -> None:
        """End the session where it is."""
        if self.session:
            self.session.ended_at = self.now
            self.session = None

    def _feed(self, event: Event | None) -> Sequence[engine.Answer]:
        """Take the session one event further; what is still to be heard."""
        assert self.session is not None
        session = self.session
        self.spoke.append(session.flow)
        step = self._advance(session, event if session.state else None)
        for flow in self.post.bot.flows:
            if str(flow.pk) in step.entered:
                session.versions = {str(flow.pk): str(flow.version_id), **session.versions}
                self.spoke.append(flow)
        self._apply(session, step)
        return step.unheard

    def _advance(self, session: FlowSession, event: Event | None) -> Step:
        """One step of the engine, and what it calls for, if anything performs calls here."""
        version = self.versions[session.version_id]
        known = scope.known(self.post.bot.chatbot, self.conversation, self.now, version.variables)
        graph = version.graph
        others = {pk: self.versions[version] for pk, version in self._others(session) if version in self.versions}
        state = State.load(session.state)
        step = engine.advance(graph, state, event, known, now=self.now, others=others)
        while step.call:
            result = self._call(session, step)
            more = engine.advance(graph, step.state, Returned(result), known, now=self.clock(), others=others)
            step = engine.join(step, more)
        return step

    def _call(self, session: FlowSession, step: Step) -> Result:
        assert step.call is not None
        if self.perform is None:
            raise NeedsCall
        if self.calls == MAX_CALLS:
            return Result(ok=False, error=f"A turn may make {MAX_CALLS} calls.")
        self.calls += 1
        cause = self.turn.messages[-1].pk if self.turn.messages else session.pk
        node = step.state.node or ""
        return self.perform(step.call, node, f"{cause}:{node}:{self.calls}")

    def _others(self, session: FlowSession) -> list[tuple[str, uuid.UUID]]:
        """The flows to which this session may jump, on the versions that it has seen, else on those of today."""
        current = {str(flow.pk): str(flow.version_id) for flow in self.post.bot.flows}
        seen = {flow: version for flow, version in session.versions.items() if flow in current}
        return [(flow, uuid.UUID(version)) for flow, version in {**current, **seen}.items()]

    def _apply(self, session: FlowSession, step: Step) -> None:
        session.state = step.state.dump()
        self.visited += [(session, visited) for visited in step.path]
        self._say(step.effects)
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
            session.problem = step.problem.message[:_MAX_REASON]
            self.hand_over = HandOver(session.problem)
        if step.finished:
            self._leave()

    def _say(self, said: Sequence[effects.Effect]) -> None:
        self.said += contents.of(said, channels.get(self.conversation.account.channel).capabilities)

    def _tag(self, names: Sequence[str], removes: bool) -> None:
        """The last word about a tag counts."""
        put, taken = (self.remove_tags, self.add_tags) if removes else (self.add_tags, self.remove_tags)
        put += names
        taken[:] = [tag for tag in taken if tag not in names]

    def _be_patient(self) -> None:
        """The customer has been silent for so long that something is to be done about it."""
        session, since = self.session, self.conversation.last_inbound_at
        if session is None or since is None or State.load(session.state).asleep:
            return
        expiry = patience.window_expiry(session.flow)
        if expiry and WINDOW in self.turn.wakeups:
            self.spoke.append(session.flow)
            self._say([effects.Template(expiry.warning_template_name, expiry.language)])
        rules = patience.inactivity(session.flow)
        if rules is None or INACTIVITY not in self.turn.wakeups:
            return
        self.spoke.append(session.flow)
        if not rules.is_over(since, self.now):
            self._remark(session, rules.warning_message, rules)
            return
        self._remark(session, rules.closing_message, rules)
        match rules.action:
            case "transfer":
                self._leave()
                self.hand_over = HandOver(f"The customer was silent for {rules.timeout_minutes} minutes.")
            case "close":
                self._leave()
                self.closes = True
            case "fallback_flow":
                flow = self.post.bot.flow(rules.fallback_flow_id)
                self._leave()
                if flow and self._runs(flow):
                    self._begin(Start(flow, trigger="inactivity"))
                    self._feed(None)
                else:
                    self.hand_over = HandOver("The flow for silent customers cannot run.")

    def _remark(self, session: FlowSession, words: Template, rules: patience.Inactivity) -> None:
        """Say something about the silence; words that cannot be rendered are left out."""
        since = self.conversation.last_inbound_at or self.now
        known = scope.known(self.post.bot.chatbot, self.conversation, self.now)
        variables = {**known, **State.load(session.state).variables, **rules.variables(since, self.now)}
        try:
            self._say(effects.say(words.render(variables)))
        except TemplateError:
            session.problem = "A message of the inactivity settings cannot be rendered."

    def effects(self, directory: people.Directory) -> Effects:
        """All that came of it."""
        self._mind_window()
        before = self.post.session or self.post.stale
        if before:
            before.updated_at = self.now
            if before is self.post.stale:
                before.ended_at = before.updated_at
        tenant = self.conversation.organization_id
        return Effects(
            say=tuple(self.said),
            chatbot_id=self.post.bot.chatbot.pk,
            session_lives=self.session is not None,
            hand_over=directory.find(tenant, self.hand_over) if self.hand_over else None,
            close=self.closes and not self.hand_over,
            add_tags=tuple(self.add_tags),
            remove_tags=tuple(self.remove_tags),
            wakeups=self._wakeups(),
            memo=Memo(frozenset(flow.pk for flow in self.spoke), before, self.begun, self.learnt, self.visited),
        )

    def _mind_window(self) -> None:
        """What cannot be said any more is not tried: the flow's settings tell what is done instead."""
        expiry = patience.window_expiry(self.spoke[-1])
        now = self.clock()
        if expiry is None or all(outbound.is_window_open(self.conversation, said, at=now) for said in self.said):
            return
        self.said.clear()
        self._leave()
        if expiry.action == "send_template":
            self._say([effects.Template(expiry.template_name, expiry.language)])
        if expiry.action != "wait_customer":
            self.hand_over = HandOver("The 24-hour window has closed.", priority="high")

    def _wakeups(self) -> dict[str, datetime | None]:
        """When this conversation wants a turn although nobody writes."""
        state = State.load(self.session.state) if self.session else State()
        listens = self.session if self.session and not state.asleep and not self.hand_over else None
        since = self.conversation.last_inbound_at if listens else None
        waiting = listens.flow if listens else None
        return {FLOW: state.wakes_at, **patience.wakeups(self.spoke, waiting, since=since, now=self.now)}
