"""The flow engine by itself: nodes a second, and what a turn costs as the flow around it grows."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from apps.flows import engine, graph
from apps.flows.answers import Answer
from apps.flows.engine import State

SIZES = (10, 100, 1_000)
NODES_A_TURN = 8
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Cost:
    """What a flow of this many nodes costs."""

    nodes: int
    turns_per_second: float
    compile_seconds: float


def canvas(nodes: int) -> dict[str, Any]:
    """A circle of eight nodes that ends in a question, in the middle of a flow with this many; none repeats itself."""
    circle: list[tuple[str, dict[str, Any]]] = [
        ("question", {"content": "E agora, {{nome}}?", "variableName": "texto"}),
        ("set_variable", {"variableName": "voltas", "operation": "increment"}),
        ("condition", {"conditions": [{"variable": "texto", "operator": "contains", "value": "preço"}]}),
        ("set_variable", {"variableName": "nome", "variableValue": "{{ texto | default: 'Ana' }}"}),
        ("random", {"paths": [{"id": "a", "weight": 1}]}),
        ("analytics", {"eventName": "volta", "incrementCounter": "contas"}),
        ("datetime", {"operation": "get_current", "outputVariable": "hora"}),
        ("message", {"content": "Você disse {{texto}}, às {{hora}}."}),
    ]
    drawn = [("start", {}), *circle, *[("message", {"content": f"{place} {{{{nome}}}}"}) for place in range(nodes - 9)]]
    ids = [f"n{place}" for place in range(len(drawn))]
    edges = [{"source": source, "target": target} for source, target in itertools.pairwise(ids)]
    last = len(circle)
    edges[last:] = [{"source": ids[last], "target": ids[1]}, *edges[last + 1 :]]
    return {
        "nodes": [{"id": id, "type": type, "data": data} for id, (type, data) in zip(ids, drawn, strict=True)],
        "edges": edges,
    }


def measure(nodes: int, *, seconds: float) -> Cost:
    """Turns of one conversation through it, each from an answer to the next question."""
    began = perf_counter()
    compiled = graph.compile(canvas(nodes))
    compile_seconds = perf_counter() - began
    state = engine.advance(compiled, State(), None, now=NOW).state
    turns, began = 0, perf_counter()
    while perf_counter() - began < seconds:
        for _ in range(50):
            step = engine.advance(compiled, state, Answer("Quero saber mais"), now=NOW)
            assert len(step.path) == NODES_A_TURN
            state = State.load(step.state.dump())
        turns += 50
    return Cost(nodes, turns / (perf_counter() - began), compile_seconds)
