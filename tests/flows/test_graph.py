"""The compiler: what it makes of canvases, real, odd and hostile."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.flows import graph
from apps.flows.graph import MAX_TEXT, InvalidCanvas
from apps.flows.nodes import nodes
from tests.flows.canvases import draw, edge, load, node, problems


def test_a_flow_of_production_compiles_to_its_four_nodes() -> None:
    compiled = graph.compile(load("seed_mapping_doc_flow"))
    assert compiled.start == "start"
    assert {place.id: (place.node.key, dict(place.exits)) for place in compiled.places.values()} == {
        "start": ("start", {"next": "question-1765557724569"}),
        "question-1765557724569": ("question", {"next": "message-1765557754452"}),
        "message-1765557754452": ("message", {"next": "end-1765557772185"}),
        "end-1765557772185": ("end", {}),
    }


def test_a_flow_of_the_builder_compiles_by_the_types_in_its_data() -> None:
    compiled = graph.compile(load("ai_generator_builder_format_flow"))
    assert [place.node.key for place in compiled.places.values()] == ["start", "message", "question"]


def test_the_flow_of_the_template_gallery_compiles_with_its_requests_and_scripts() -> None:
    compiled = graph.compile(load("appointment_booking_v1"))
    assert len(compiled.places) == 18
    assert {place.node.key for place in compiled.places.values()} == {
        "start",
        "message",
        "question",
        "api_call",
        "action",
        "condition",
        "end",
    }


@pytest.mark.parametrize("canvas", [{}, {"nodes": [], "edges": []}, {"nodes": None, "viewport": {"zoom": 1}}])
def test_an_empty_canvas_is_a_flow_that_says_nothing(canvas: dict[str, Any]) -> None:
    assert graph.compile(canvas) == graph.Graph({}, None)


def test_a_canvas_without_a_start_begins_where_nothing_leads() -> None:
    canvas = draw(node("end"), node("message", content="Oi"), edges=[edge("message", "end")])
    assert graph.compile(canvas).start == "message"


def test_ids_may_be_numbers() -> None:
    canvas = {
        "nodes": [{"id": 1, "type": "start"}, {"id": 2, "type": "end"}],
        "edges": [{"source": 1, "target": 2}],
    }
    assert graph.compile(canvas).places["1"].exits == {"next": "2"}


def test_the_type_in_the_data_goes_before_the_type_of_the_node() -> None:
    compiled = graph.compile({"nodes": [{"id": "a", "type": "input", "data": {"nodeType": "start"}}]})
    assert compiled.places["a"].node.key == "start"


@pytest.mark.parametrize(
    ("canvas", "expected"),
    [
        ({"nodes": {}}, [("", "nodes", "malformed")]),
        ({"nodes": "x", "edges": 3}, [("", "nodes", "malformed"), ("", "edges", "malformed")]),
        ({"nodes": ["start"]}, [("", "nodes", "malformed")]),
        ({"nodes": [{"type": "start"}]}, [("", "nodes", "malformed")]),
        ({"nodes": [{"id": "x" * 256, "type": "start"}]}, [("", "nodes", "malformed")]),
        ({"nodes": [{"id": True, "type": "start"}]}, [("", "nodes", "malformed")]),
        ({"nodes": [{"id": "a", "type": "start", "data": [1]}]}, [("a", "data", "malformed")]),
        ({"nodes": [{"id": "a"}]}, [("a", "type", "unsupported_node")]),
        ({"nodes": [{"id": "a", "type": ["start"]}]}, [("a", "type", "unsupported_node")]),
        ({"nodes": [{"id": "a", "type": "default"}]}, [("a", "type", "unsupported_node")]),
        (draw(node("start"), node("start"), edges=[]), [("start", "id", "duplicate")]),
        (draw(node("start", "a"), node("start", "b"), edges=[]), [("", "nodes", "no_start")]),
        (draw(node("message", "a", content="x"), edges=[edge("a", "a")]), [("", "nodes", "no_start")]),
        (draw(node("start"), edges=[edge("start", "gone")]), [("start", "edges", "unknown_target")]),
        (draw(node("start"), edges=[edge("gone", "start")]), [("", "edges", "unknown_target")]),
        (draw(node("start"), edges=[{"source": None, "target": {}}]), [("", "edges", "unknown_target")]),
        (draw(node("start", next_node_id="gone")), [("start", "next", "unknown_target")]),
    ],
)
def test_what_is_wrong_with_a_canvas_is_named(canvas: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    assert problems(canvas) == expected


def test_all_problems_are_told_at_once() -> None:
    canvas = draw(node("start"), node("message"), node("carousel"), node("question", content="{{"))
    assert problems(canvas) == [
        ("message", "text", "missing"),
        ("carousel", "type", "unsupported_node"),
        ("question", "content", "value_error"),
    ]


def test_a_canvas_of_ten_thousand_nodes_compiles() -> None:
    canvas = draw(node("start"), *[node("message", str(number), content="Oi {{nome}}") for number in range(10_000)])
    assert len(graph.compile(canvas).places) == 10_001


def test_ten_thousand_branches_and_edges_of_one_node_compile_without_delay() -> None:
    rules = [{"variable": "x", "operator": "==", "value": str(number)} for number in range(10_000)]
    edges = [edge("condition", "end", f"condition-{number}") for number in range(10_000)]
    canvas = draw(
        node("start"), node("condition", conditions=rules), node("end"), edges=[edge("start", "condition"), *edges]
    )
    began = time.monotonic()
    assert len(graph.compile(canvas).places["condition"].exits) == 10_000
    assert time.monotonic() - began < 5


def test_more_text_than_a_flow_may_hold_is_a_problem_and_is_not_read() -> None:
    texts = [node("message", str(number), content="{{a}}" * 1000) for number in range(MAX_TEXT // 5000 + 1)]
    began = time.monotonic()
    assert problems(draw(node("start"), *texts)) == [("", "nodes", "too_large")]
    assert time.monotonic() - began < 2


def test_no_more_than_a_hundred_problems_are_told_and_each_in_few_words() -> None:
    canvas = draw(node("start"), *[node("x" * 1000, str(number)) for number in range(500)])
    with pytest.raises(InvalidCanvas) as caught:
        graph.compile(canvas)
    assert len(caught.value.problems) == 100
    assert max(len(problem.message) for problem in caught.value.problems) < 300


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_IDS = st.sampled_from(["a", "b", "c", 1]) | _JSON
_FIELDS = st.sampled_from(
    [
        *("nodeType", "content", "messageText", "text", "label", "options", "validation", "conditions", "variable"),
        *("value", "operator", "responseType", "closeConversation", "next_node_id", "mediaUrl", "endType"),
    ]
)
_VALUES = _JSON | st.sampled_from(["{{a}}", "{{", "number", "==", {"type": "choice"}, [{"variable": "a"}], ["x", "y"]])
_NODES = st.fixed_dictionaries(
    {},
    optional={
        "id": _IDS,
        "type": st.sampled_from([*nodes.keys(), "text", "default", "api_call"]) | _JSON,
        "data": st.dictionaries(_FIELDS, _VALUES, max_size=5) | _JSON,
    },
)
_EDGES = st.fixed_dictionaries(
    {},
    optional={
        "source": _IDS,
        "target": _IDS,
        "sourceHandle": st.sampled_from(["condition-0", "true"]) | _JSON,
        "label": _JSON,
        "data": _JSON,
    },
)
CANVASES = st.fixed_dictionaries(
    {},
    optional={
        "nodes": st.lists(_NODES | _JSON, max_size=5) | _JSON,
        "edges": st.lists(_EDGES | _JSON, max_size=6) | _JSON,
    },
)


@settings(deadline=None, max_examples=300)
@given(CANVASES)
def test_any_json_compiles_or_is_an_invalid_canvas(canvas: dict[str, Any]) -> None:
    if told := problems(canvas):
        assert all(code for _, _, code in told)
        return
    compiled = graph.compile(canvas)
    assert all(set(place.exits.values()) <= compiled.places.keys() for place in compiled.places.values())
