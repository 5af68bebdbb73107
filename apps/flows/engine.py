"""The engine: takes a session one answer further. Pure: a graph, a state and an answer in, effects and a state out."""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from apps.core.templating import TemplateError
from apps.flows.answers import Answer
from apps.flows.effects import Effect
from apps.flows.graph import Graph, Place, Problem
from apps.flows.nodes.base import Outcome, Visit, WaitingNode

MAX_VISITS = 100
"""Nodes in one turn; a flow that visits more goes in circles."""


@dataclass(frozen=True)
class State:
    """A session between two messages: the node that waits (None: it begins), what it knows, what it has refused."""

    node: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 0

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Self:
        """The state that `dump` gave."""
        return cls(**data)

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Step:
    """What came of one answer. With a problem the flow has broken off, and says nothing of this turn."""

    effects: tuple[Effect, ...]
    state: State
    finished: bool
    problem: Problem | None = None


def advance(graph: Graph, state: State, answer: Answer | None, known: Mapping[str, Any] | None = None) -> Step:
    """Run until a node waits or the flow ends; `known` are variables that are not the session's to keep.

    Without an answer the flow begins; an answer to a node that is no longer there begins it again.
    """
    place = graph.places.get(state.node) if state.node else None
    if place is None or answer is None:
        place, answer = _start(graph), None
    variables = dict(state.variables)
    attempts = state.attempts if answer is not None else 0
    effects: list[Effect] = []
    visited = 0
    while place is not None:
        if visited == MAX_VISITS:
            words = f"The flow goes in circles: it came to node {place.id!r} after {visited} others without waiting."
            return _broken(variables, Problem(place.id, "edges", "loop", words))
        visited += 1
        visit = Visit(place.id, ChainMap(variables, dict(known or {})), place.exits.keys(), attempts)
        try:
            outcome = _visit(place, visit, answer)
        except TemplateError as error:
            return _broken(variables, Problem(place.id, "text", "template", f"Node {place.id!r}: {error}"))
        variables |= outcome.variables
        effects += outcome.effects
        if outcome.waits:
            refused = attempts + 1 if answer is not None else 0
            return Step(tuple(effects), State(place.id, variables, refused), finished=False)
        place, answer, attempts = _follow(graph, place, outcome), None, 0
    return Step(tuple(effects), State(variables=variables), finished=True)


def _start(graph: Graph) -> Place | None:
    return graph.places[graph.start] if graph.start else None


def _visit(place: Place, visit: Visit, answer: Answer | None) -> Outcome:
    if answer is not None and isinstance(place.node, WaitingNode):
        return place.node.resume(place.config, visit, answer)
    return place.node.run(place.config, visit)


def _follow(graph: Graph, place: Place, outcome: Outcome) -> Place | None:
    target = place.exits.get(outcome.exit) if outcome.exit else None
    return graph.places[target] if target else None


def _broken(variables: dict[str, Any], problem: Problem) -> Step:
    return Step((), State(variables=variables), finished=True, problem=problem)
