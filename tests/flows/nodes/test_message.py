from typing import Any

import pytest

from apps.flows.effects import Say
from tests.flows.canvases import draw, edge, node, problems, talk


@pytest.mark.parametrize(
    "drawn",
    [
        {"id": "m", "type": "message", "data": {"content": "Oi {{nome}}"}},
        {
            "id": "m",
            "type": "default",
            "data": {"nodeType": "message", "messageText": "Oi {{nome}}", "label": "Oi"},
        },
        {"id": "m", "type": "message", "data": {"content": {"text": "Oi {{nome}}"}}},
        {"id": "m", "node_type": "message", "data": {"text": "Oi {{nome}}"}},
        {"id": "m", "type": "text", "data": {"message": "Oi {{nome}}"}},
        {"id": "m", "type": "message", "data": {"content": "", "messageText": "Oi {{nome}}", "mediaUrl": None}},
        {
            "id": "m",
            "type": "message",
            "data": {
                "messageText": "Oi {{nome}}",
                "messageType": "text",
                "delay": 0,
                "autoAdvance": True,
                "mediaUrl": "",
            },
        },
    ],
)
def test_every_dialect_says_the_text(drawn: dict[str, Any]) -> None:
    step = talk(draw(node("start"), drawn), known={"nome": "Ana"})
    assert step.effects == (Say("Oi Ana"),)
    assert step.finished


def test_messages_follow_each_other_in_one_turn() -> None:
    canvas = draw(node("start"), node("message", "a", content="um"), node("text", "b", content="dois"), node("end"))
    assert talk(canvas).effects == (Say("um"), Say("dois"))


def test_next_node_id_leads_on_where_no_edge_does() -> None:
    canvas = draw(
        node("start"),
        node("message", "a", text="um", next_node_id="b"),
        node("message", "b", text="dois"),
        edges=[edge("start", "a")],
    )
    assert talk(canvas).effects == (Say("um"), Say("dois"))


def test_the_first_edge_is_followed_whatever_its_handle() -> None:
    canvas = draw(
        node("start"),
        node("message", content="um"),
        node("end"),
        node("message", "other", content="outro"),
        edges=[edge("start", "message"), edge("message", "end", "source-bottom"), edge("message", "other")],
    )
    assert talk(canvas).effects == (Say("um"),)


def test_nothing_is_said_where_only_unknown_variables_were() -> None:
    assert talk(draw(node("start"), node("message", content=" {{nobody}} "))).effects == ()


def test_a_text_that_cannot_be_rendered_breaks_the_flow_off_with_a_problem() -> None:
    canvas = draw(
        node("start"), node("message", content="Oi"), node("text", "bad", content="{{ 1 | divided_by: zero }}")
    )
    step = talk(canvas, known={"zero": 0})
    assert step.effects == ()
    assert step.finished
    assert step.problem is not None
    assert (step.problem.node, step.problem.code) == ("bad", "template")


@pytest.mark.parametrize(
    ("data", "field", "code"),
    [
        ({}, "content.text", "missing"),
        ({"content": ""}, "content.text", "missing"),
        ({"content": ["Oi"]}, "content", "string_type"),
        ({"content": "Oi {{nome"}, "content", "value_error"),
        ({"content": "Oi", "messageType": "image"}, "messageType", "literal_error"),
        ({"content": "Oi", "mediaType": "video"}, "mediaType", "literal_error"),
        ({"content": "Oi", "mediaUrl": "https://example.com/a.png"}, "mediaUrl", "literal_error"),
        ({"text": "Oi", "buttons": [{"label": "Sim"}]}, "buttons", "too_long"),
        ({"content": "Oi", "delay": 5}, "delay", "literal_error"),
        ({"content": "Oi", "autoAdvance": False}, "autoAdvance", "literal_error"),
    ],
)
def test_what_cannot_be_said_yet_is_a_problem_and_not_left_out(data: dict[str, Any], field: str, code: str) -> None:
    [(where, named, found)] = problems(draw(node("start"), node("message", **data)))
    assert (where, named, found) == ("message", field, code)
