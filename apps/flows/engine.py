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
from apps.flows.effects import Close, Effect, HandOver
from apps.flows.graph import Graph, Place, Problem
from apps.flows.nodes.base import NEXT, Jump, Outcome, Visit, WaitingNode

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

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Self:
        """The state that `dump` gave."""
        wakes_at = data.get("wakes_at")
        return cls(
            **{
                **data,
                "wakes_at": datetime.fromisoformat(wakes_at) if wakes_at else None,
                "kept": tuple(Answer(**answer) for answer in data.get("kept", ())),
                "stack": tuple((flow, node) for flow, node in data.get("stack", ())),
            }
        )

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "wakes_at": self.wakes_at.isoformat() if self.wakes_at else None}

    def is_due(self, now: datetime) -> bool:
        """Whether the time that it waits for has come."""
        return self.wakes_at is not None and self.wakes_at <= now


@dataclass(frozen=True)
class Destination:
    """A flow to which others may jump, and what its variables are before they are set."""

    graph: Graph
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """What came of one event. With a problem the flow has broken off, and says nothing of this turn."""

    effects: tuple[Effect, ...]
    state: State
    finished: bool
    problem: Problem | None = None
    unheard: tuple[Answer, ...] = ()
    """What the customer said while the session slept: the events to go on with, in this order."""
    entered: frozenset[str] = frozenset()
    """The ids of the other flows through which it went."""


def advance(
    graph: Graph,
    state: State,
    event: Answer | Woken | None,
    known: Mapping[str, Any] | None = None,
    *,
    now: datetime,
    others: Mapping[str, Destination] | None = None,
) -> Step:
    """Run until a node waits or the flow ends; `known` are variables that are not the session's to keep.

    Without an event the flow begins; an answer to a node that is no longer there begins it again. A session that sleeps
    keeps what the customer says until it wakes. `others` are the flows to which this one may jump, by their ids.
    """
    others = others or {}
    graphs = {"": graph, **{flow: destination.graph for flow, destination in others.items()}}
    place = graphs[state.flow].places.get(state.node) if state.node and state.flow in graphs else None
    if state.asleep and place is not None and isinstance(event, Answer):
        return Step((), replace(state, kept=(*state.kept, event)[-MAX_KEPT:]), finished=False)
    if place is None and isinstance(event, Woken):
        return Step((), State(variables=state.variables), finished=True, unheard=state.kept)
    flow, stack = state.flow, list(state.stack)
    if place is None or event is None:
        place, event, flow, stack = _start(graph), None, "", []
    variables = dict(state.variables)
    attempts = state.attempts if event is not None else 0
    effects: list[Effect] = []
    entered = {flow}
    visited = 0
    while place is not None:
        if visited == MAX_VISITS:
            words = f"The flow goes in circles: it came to node {place.id!r} after {visited} others without waiting."
            return _broken(variables, Problem(place.id, "edges", "loop", words))
        visited += 1
        visit = Visit(place.id, ChainMap(variables, dict(known or {})), place.exits.keys(), now, attempts)
        try:
            outcome = _visit(place, visit, event)
        except TemplateError as error:
            return _broken(variables, Problem(place.id, "text", "template", f"Node {place.id!r}: {error}"))
        variables |= outcome.variables
        effects += outcome.effects
        if outcome.waits or outcome.wake_in is not None:
            refused = attempts + 1 if isinstance(event, Answer) else 0
            wakes_at = None if outcome.wake_in is None else now + timedelta(seconds=outcome.wake_in)
            kept = () if outcome.waits else state.kept
            rest = State(place.id, variables, refused, wakes_at, not outcome.waits, kept, flow, tuple(stack))
            unheard = state.kept if outcome.waits else ()
            return Step(tuple(effects), rest, finished=False, unheard=unheard, entered=frozenset(entered - {""}))
        if outcome.jump:
            target = _land(graphs, outcome.jump)
            if target is None or len(stack) == MAX_STACK:
                return _broken(variables, _lost(place, outcome.jump, len(stack)))
            if outcome.jump.returns:
                stack.append((flow, place.id))
            place, flow = target, outcome.jump.flow
            variables = {**others[flow].variables, **variables}
            entered.add(flow)
        else:
            place = _follow(graphs[flow], place, outcome)
            while place is None and stack and not _is_over(outcome):
                flow, node = stack.pop()
                parent = graphs[flow].places.get(node) if flow in graphs else None
                place = _follow(graphs[flow], parent, Outcome(exit=NEXT)) if parent else None
        event, attempts = None, 0
    finished = State(variables=variables)
    return Step(tuple(effects), finished, finished=True, unheard=state.kept, entered=frozenset(entered - {""}))


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


def _start(graph: Graph) -> Place | None:
    return graph.places[graph.start] if graph.start else None


def _visit(place: Place, visit: Visit, event: Answer | Woken | None) -> Outcome:
    if isinstance(place.node, WaitingNode):
        match event:
            case Answer():
                return place.node.resume(place.config, visit, event)
            case Woken():
                return place.node.wake(place.config, visit)
    return place.node.run(place.config, visit)


def _follow(graph: Graph, place: Place, outcome: Outcome) -> Place | None:
    target = place.exits.get(outcome.exit) if outcome.exit else None
    return graph.places[target] if target else None


def _broken(variables: dict[str, Any], problem: Problem) -> Step:
    return Step((), State(variables=variables), finished=True, problem=problem)
