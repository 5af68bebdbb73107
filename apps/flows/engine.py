"""The engine: takes a session one event further. Pure.

In go a graph, a state, an event and the time; out come effects and a state.
"""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from apps.core.templating import TemplateError
from apps.flows.answers import Answer
from apps.flows.calls import Call, Result
from apps.flows.effects import Close, Effect, HandOver
from apps.flows.graph import Graph, Place, Problem
from apps.flows.nodes.base import NEXT, CallingNode, Jump, Outcome, Visit, WaitingNode

MAX_VISITS = 100
"""Nodes in one turn; a flow that visits more goes in circles."""
MAX_STACK = 20
"""Flows within flows."""
MAX_KEPT = 50
"""Messages of the customer that are kept while the flow sleeps; of more, the last ones."""


@dataclass(frozen=True)
class Woken:
    """The time that the session waited for has come."""


@dataclass(frozen=True)
class Returned:
    """What the node called for is done."""

    result: Result


Event = Answer | Woken | Returned


@dataclass(frozen=True)
class State:
    """A session between two events: the node that waits (None: it begins), what it knows, what it has refused."""

    node: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 0
    wakes_at: datetime | None = None
    asleep: bool = False
    """Whether it waits for the time alone."""
    kept: tuple[Answer, ...] = ()
    """What the customer has said meanwhile."""
    flow: str = ""
    """The id of the flow in which it is; empty: the one in which it began."""
    stack: tuple[tuple[str, str], ...] = ()
    """The (flow, node) to come back to, the innermost last."""
    entered_at: datetime | None = None
    """When it came to the node that waits."""
    visits: int = 0
    """Nodes visited so far in a turn that a call interrupts."""
    calls: int = 0
    """Calls that the node has made."""

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Self:
        """The state that `dump` gave."""
        return cls(
            **{
                **data,
                **{name: datetime.fromisoformat(data[name]) for name in ("wakes_at", "entered_at") if data.get(name)},
                "kept": tuple(Answer(**answer) for answer in data.get("kept", ())),
                "stack": tuple((flow, node) for flow, node in data.get("stack", ())),
            }
        )

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        times = {"wakes_at": self.wakes_at, "entered_at": self.entered_at}
        return {**asdict(self), **{name: time.isoformat() if time else None for name, time in times.items()}}

    def is_due(self, now: datetime) -> bool:
        """Whether the time that it waits for has come."""
        return self.wakes_at is not None and self.wakes_at <= now


@dataclass(frozen=True)
class Destination:
    """A flow to which others may jump, and what its variables are before they are set."""

    graph: Graph
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Visited:
    """A node that the session has left: by which exit (empty: the flow ended or broke there)."""

    flow: str
    """The id of the flow; empty: the one in which the session began."""
    node: str
    exit: str
    entered_at: datetime
    seconds: float
    """How long it was there."""
    error: str = ""


@dataclass(frozen=True)
class Step:
    """What came of one event. With a problem the flow has broken off, and says nothing of this turn.

    With a call, nothing is decided yet about the node that wants it: go on with `Returned` from this state.
    """

    effects: tuple[Effect, ...]
    state: State
    finished: bool
    problem: Problem | None = None
    unheard: tuple[Answer, ...] = ()
    """What the customer said while the session slept: the events to go on with, in this order."""
    entered: frozenset[str] = frozenset()
    """The ids of the other flows through which it went."""
    path: tuple[Visited, ...] = ()
    """The nodes that it left, in this order."""
    call: Call | None = None


def advance(
    graph: Graph,
    state: State,
    event: Event | None,
    known: Mapping[str, Any] | None = None,
    *,
    now: datetime,
    others: Mapping[str, Destination] | None = None,
) -> Step:
    """Run until a node waits or calls, or the flow ends; `known` are variables that are not the session's to keep.

    Without an event the flow begins; an answer to a node that is no longer there begins it again. A session that sleeps
    keeps what the customer says until it wakes. `others` are the flows to which this one may jump, by their ids.
    """
    others = others or {}
    graphs = {"": graph, **{flow: destination.graph for flow, destination in others.items()}}
    place = graphs[state.flow].places.get(state.node) if state.node and state.flow in graphs else None
    if state.asleep and place is not None and isinstance(event, Answer):
        return Step((), replace(state, kept=(*state.kept, event)[-MAX_KEPT:]), finished=False)
    if place is None and isinstance(event, Woken | Returned):
        return Step((), State(variables=state.variables), finished=True, unheard=state.kept)
    if place is None or event is None:
        start = graph.places[graph.start] if graph.start else None
        return _Walk(graphs, others, known or {}, now, State(None, state.variables, kept=state.kept)).run(start, None)
    return _Walk(graphs, others, known or {}, now, state).run(place, event)


def join(before: Step, after: Step) -> Step:
    """Two steps of one turn, the first of which stopped for a call."""
    return replace(
        after,
        effects=() if after.problem else before.effects + after.effects,
        entered=before.entered | after.entered,
        path=before.path + after.path,
    )


class _Walk:
    """One way through the graphs, from where the state is."""

    def __init__(
        self,
        graphs: Mapping[str, Graph],
        others: Mapping[str, Destination],
        known: Mapping[str, Any],
        now: datetime,
        state: State,
    ) -> None:
        self.graphs = graphs
        self.others = others
        self.known = dict(known)
        self.now = now
        self.state = state
        self.flow = state.flow
        self.stack = list(state.stack)
        self.entered_at = state.entered_at or now
        self.visits = state.visits
        self.variables = dict(state.variables)
        self.effects: list[Effect] = []
        self.path: list[Visited] = []
        self.entered: set[str] = {state.flow}

    def run(self, place: Place | None, event: Event | None) -> Step:
        """Go from node to node; the event is for the first one."""
        attempts, calls = self.state.attempts, self.state.calls
        while place is not None:
            if self.visits == MAX_VISITS:
                words = f"The flow goes in circles: it came to node {place.id!r} after {MAX_VISITS} others in one turn."
                return self._break(place, Problem(place.id, "edges", "loop", words))
            self.visits += 1
            visit = Visit(place.id, ChainMap(self.variables, self.known), place.exits.keys(), self.now, attempts, calls)
            try:
                outcome = _visit(place, visit, event)
            except TemplateError as error:
                return self._break(place, Problem(place.id, "text", "template", f"Node {place.id!r}: {error}"))
            self.variables |= outcome.variables
            self.effects += outcome.effects
            if outcome.call:
                return self._call(place, outcome.call, visit)
            if outcome.waits or outcome.wake_in is not None:
                return self._wait(place, outcome, attempts + 1 if isinstance(event, Answer) else 0)
            flow, left, exit = self.flow, place, outcome.exit or ("jump" if outcome.jump else "")
            if outcome.jump:
                place = self._jump(place, outcome.jump, outcome.variables)
                if place is None:
                    return self._break(left, _lost(left, outcome.jump, len(self.stack)))
            else:
                place = self._follow(place, outcome)
            self.path.append(Visited(flow, left.id, exit, self.entered_at, self._seconds(), outcome.error))
            event, attempts, calls, self.entered_at = None, 0, 0, self.now
        return self._step(State(variables=self.variables), finished=True, unheard=self.state.kept)

    def _jump(self, place: Place, jump: Jump, sets: Mapping[str, Any]) -> Place | None:
        """Where a jump ends; None if it cannot be made."""
        target = _land(self.graphs, jump)
        if target is None or len(self.stack) == MAX_STACK:
            return None
        if jump.returns:
            self.stack.append((self.flow, place.id))
        self.flow = jump.flow
        self.variables = {**self.others[jump.flow].variables, **(sets if jump.forgets else self.variables)}
        self.entered.add(jump.flow)
        return target

    def _follow(self, place: Place, outcome: Outcome) -> Place | None:
        """What comes next: in this flow, else in those that wait for it to end."""
        following = _next(self.graphs[self.flow], place, outcome.exit)
        while following is None and self.stack and not _is_over(outcome):
            self.flow, node = self.stack.pop()
            parent = self.graphs[self.flow].places.get(node) if self.flow in self.graphs else None
            following = _next(self.graphs[self.flow], parent, NEXT) if parent else None
        return following

    def _call(self, place: Place, call: Call, visit: Visit) -> Step:
        """Stop in the middle of a turn: this node wants something of the world."""
        made = visit.calls + 1
        rest = self._stay(place, attempts=visit.attempts, kept=self.state.kept, visits=self.visits, calls=made)
        return self._step(rest, call)

    def _wait(self, place: Place, outcome: Outcome, attempts: int) -> Step:
        """Stop until the customer answers or the time has come."""
        rest = self._stay(
            place,
            attempts=attempts,
            wakes_at=None if outcome.wake_in is None else self.now + timedelta(seconds=outcome.wake_in),
            asleep=not outcome.waits,
            kept=() if outcome.waits else self.state.kept,
        )
        return self._step(rest, unheard=self.state.kept if outcome.waits else ())

    def _stay(self, place: Place, **fields: Any) -> State:
        return State(
            place.id, self.variables, flow=self.flow, stack=tuple(self.stack), entered_at=self.entered_at, **fields
        )

    def _break(self, place: Place, problem: Problem) -> Step:
        self.effects.clear()
        self.path.append(Visited(self.flow, place.id, "", self.entered_at, self._seconds(), problem.message))
        return self._step(State(variables=self.variables), finished=True, problem=problem)

    def _step(
        self,
        state: State,
        call: Call | None = None,
        *,
        finished: bool = False,
        problem: Problem | None = None,
        unheard: tuple[Answer, ...] = (),
    ) -> Step:
        entered = frozenset(self.entered - {""})
        return Step(tuple(self.effects), state, finished, problem, unheard, entered, tuple(self.path), call)

    def _seconds(self) -> float:
        return max((self.now - self.entered_at).total_seconds(), 0.0)


def _land(graphs: Mapping[str, Graph], jump: Jump) -> Place | None:
    """Where a jump ends."""
    graph = graphs.get(jump.flow) if jump.flow else None
    node = (jump.node or graph.start) if graph else None
    return graph.places.get(node) if graph and node else None


def _lost(place: Place, jump: Jump, depth: int) -> Problem:
    if depth == MAX_STACK:
        words = f"The flows go in circles: node {place.id!r} jumps into another one {depth + 1} deep."
        return Problem(place.id, "flow", "loop", words)
    words = f"Node {place.id!r} jumps to the flow {jump.flow[:50]!r}, which is missing or cannot run."
    return Problem(place.id, "flow", "unknown_target", words)


def _is_over(outcome: Outcome) -> bool:
    """Whether nothing comes after this, not even in the flow that is to be come back to."""
    return any(isinstance(effect, Close | HandOver) for effect in outcome.effects)


def _visit(place: Place, visit: Visit, event: Event | None) -> Outcome:
    if isinstance(place.node, WaitingNode):
        match event:
            case Answer():
                return place.node.resume(place.config, visit, event)
            case Woken():
                return place.node.wake(place.config, visit)
    if isinstance(place.node, CallingNode) and isinstance(event, Returned):
        return place.node.returned(place.config, visit, event.result)
    return place.node.run(place.config, visit)


def _next(graph: Graph, place: Place, exit: str | None) -> Place | None:
    target = place.exits.get(exit) if exit else None
    return graph.places[target] if target else None
