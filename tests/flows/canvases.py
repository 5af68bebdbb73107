"""Canvases for tests, drawn in few words."""

import itertools
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apps.flows import engine, graph
from apps.flows.answers import Answer
from apps.flows.engine import State, Step, Woken

NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
DATA = Path(__file__).parent / "data"


def load(name: str) -> dict[str, Any]:
    """The canvas of a flow in tests/flows/data."""
    document = json.loads((DATA / f"{name}.json").read_text())
    flow = document.get("flow") or document.get("flow_data") or document
    canvas: dict[str, Any] = flow["canvas_data"]
    return canvas


def draw(*nodes: dict[str, Any], edges: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A canvas of these nodes; without edges, each leads to the next."""
    ids = [node["id"] for node in nodes]
    chain = [{"source": source, "target": target} for source, target in itertools.pairwise(ids)]
    return {"nodes": list(nodes), "edges": chain if edges is None else edges}


def node(type: str, id: str | None = None, **data: Any) -> dict[str, Any]:
    """A node whose id is its type, if no other is given."""
    return {"id": id or type, "type": type, "data": data}


def edge(source: str, target: str, handle: str | None = None, **rest: Any) -> dict[str, Any]:
    """An edge, by a handle if one is given."""
    return {"source": source, "target": target, **({"sourceHandle": handle} if handle else {}), **rest}


def talk(canvas: dict[str, Any], *events: str | Answer | Woken, known: dict[str, Any] | None = None) -> Step:
    """Begin a flow and give it these answers; the last step. Time passes only where it is Woken."""
    compiled = graph.compile(canvas)
    step = engine.advance(compiled, State(), None, known, now=NOW)
    for event in events:
        event = Answer(event) if isinstance(event, str) else event
        state = State.load(json.loads(json.dumps(step.state.dump())))
        step = engine.advance(compiled, state, event, known, now=state.wakes_at or NOW)
    return step


def problems(canvas: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(node, field, code) of each problem of a canvas."""
    try:
        graph.compile(canvas)
    except graph.InvalidCanvas as error:
        return [(problem.node, problem.field, problem.code) for problem in error.problems]
    return []
