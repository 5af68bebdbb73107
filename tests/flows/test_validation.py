"""The validator on canvases that nobody drew: it always answers, and errors are what keeps a flow from running."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.conversations.channels import channels
from apps.flows import graph, validation
from apps.flows.graph import InvalidCanvas, Problem
from apps.flows.nodes import nodes
from apps.flows.validation import Surroundings
from tests.flows.canvases import draw, edge, node

AROUND = Surroundings(
    variables=frozenset(["contact"]),
    names={"flow": frozenset(), "people": frozenset(), "secret": frozenset(), "connection": frozenset()},
    channels=(("whatsapp", channels.get("whatsapp").capabilities),),
)

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab{}x._ %", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abx", max_size=3), inner, max_size=3),
    max_leaves=6,
)
_fields = st.sampled_from(
    ["content", "options", "variableName", "conditions", "buttons", "queueId", "url", "headers", "actions", "sections"]
)
_nodes = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["a", "b", "c", 1, None]),
        "type": st.sampled_from([*nodes.keys(), "default", "moon"]),
        "data": st.dictionaries(_fields, _json, max_size=4) | _json,
    }
)
_edges = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["a", "b", "c", "z"]),
        "target": st.sampled_from(["a", "b", "c"]),
        "sourceHandle": st.sampled_from([None, "true", "error", "condition-0", "timeout"]),
    }
)
_canvases = st.fixed_dictionaries(
    {"nodes": st.lists(_nodes, max_size=5) | _json, "edges": st.lists(_edges, max_size=5) | _json}
)


@given(_canvases)
@settings(max_examples=300, deadline=None)
def test_any_canvas_has_an_answer_and_errors_are_what_does_not_compile(canvas: dict[str, Any]) -> None:
    found = validation.check(canvas, AROUND)
    assert all(isinstance(problem, Problem) and problem.message for problem in found)
    try:
        graph.compile(canvas)
    except InvalidCanvas:
        assert any(problem.severity == "error" for problem in found)
    else:
        assert {problem.code for problem in found if problem.severity == "error"} <= {"loop", "unknown_flow"}


@pytest.mark.parametrize("shape", ["line", "circle", "star"])
def test_ten_thousand_nodes_are_looked_at_in_seconds(shape: str) -> None:
    many = [node("set_variable", str(place), variableName="x", variableValue="{{y}}") for place in range(10_000)]
    canvas = draw(node("start"), *many)
    if shape == "circle":
        canvas["edges"].append(edge("9999", "0"))
    if shape == "star":
        canvas["edges"] = [edge("start", "0"), *[edge(str(place), "0") for place in range(1, 10_000)]]
    began = time.perf_counter()
    found = validation.check(canvas, AROUND)
    assert len(found) <= graph.MAX_PROBLEMS
    assert time.perf_counter() - began < 30
