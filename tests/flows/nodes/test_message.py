from datetime import timedelta
from typing import Any

import pytest

from apps.flows.answers import Answer
from apps.flows.effects import Ask, Choice, Location, Media, Say
from apps.flows.engine import Woken
from apps.flows.nodes import asking
from tests.flows.canvases import NOW, draw, edge, node, problems, talk


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
        ({}, "text", "missing"),
        ({"content": ""}, "text", "missing"),
        ({"content": ["Oi"]}, "content", "string_type"),
        ({"content": "Oi {{nome"}, "content", "value_error"),
        ({"content": "Oi", "messageType": "image"}, "media_url", "missing"),
        ({"messageType": "image", "mediaUrl": "ftp://sol.example/a.png"}, "mediaUrl", "value_error"),
        ({"content": "Oi", "messageType": "sticker"}, "messageType", "literal_error"),
        ({"content": "Oi", "mediaUrl": "https://sol.example/a.png"}, "mediaUrl", "value_error"),
        ({"messageType": "location", "latitude": 1}, "longitude", "missing"),
        ({"messageType": "location", "latitude": 91, "longitude": 1}, "latitude", "less_than_equal"),
        ({"content": "Oi", "delay": -5}, "delay", "greater_than_equal"),
    ],
)
def test_what_cannot_be_said_yet_is_a_problem_and_not_left_out(data: dict[str, Any], field: str, code: str) -> None:
    [(where, named, found)] = problems(draw(node("start"), node("message", **data)))
    assert (where, named, found) == ("message", field, code)


def test_a_message_that_does_not_advance_by_itself_waits_for_the_next_message() -> None:
    canvas = draw(node("start"), node("message", content="Leia isto", autoAdvance=False), node("end", message="Fim"))
    asked, answered = talk(canvas), talk(canvas, "ok")
    assert (asked.effects, asked.finished) == ((Say("Leia isto"),), False)
    assert (answered.effects, answered.finished) == ((Say("Fim"),), True)


BUTTONS = draw(
    node("start"),
    node("message", text="Tudo bem?", buttons=[{"label": "Sim", "next_node_id": "good"}, {"label": "Não"}]),
    node("end", "good", message="Que bom"),
    node("end", "other", message="Que pena"),
    edges=[edge("start", "message"), edge("message", "other")],
)


@pytest.mark.parametrize(("said", "farewell"), [("Sim", "Que bom"), ("1", "Que bom"), ("não", "Que pena")])
def test_the_buttons_of_a_message_lead_where_they_say(said: str, farewell: str) -> None:
    assert talk(BUTTONS).effects == (Ask("Tudo bem?", (Choice("Sim", "Sim"), Choice("Não", "Não"))),)
    assert talk(BUTTONS, said).effects == (Say(farewell),)


def test_what_is_none_of_the_buttons_is_refused_twice_and_then_goes_on() -> None:
    refusal = Say("Por favor, escolha uma das opções.")
    assert [talk(BUTTONS, *["talvez"] * times).effects for times in (1, 2, 3)] == [
        (refusal,),
        (refusal,),
        (Say(asking.GIVEN_UP), Say("Que pena")),
    ]


LINK = "https://sol.example/{{arquivo}}"
PHOTO = "https://sol.example/bolo.png"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"messageType": "image", "mediaUrl": LINK, "messageText": "Olhe"}, Media("image", PHOTO, "Olhe")),
        ({"mediaType": "video", "mediaUrl": PHOTO, "content": "x", "caption": "Olhe"}, Media("video", PHOTO, "Olhe")),
        ({"mediaType": "audio", "mediaUrl": PHOTO}, Media("audio", PHOTO)),
        (
            {"mediaType": "document", "media_url": PHOTO, "filename": "{{arquivo}}"},
            Media("document", PHOTO, filename="bolo.png"),
        ),
        (
            {"messageType": "location", "latitude": -23.5, "longitude": "-46.6", "locationName": "Padaria"},
            Location(-23.5, -46.6, "Padaria"),
        ),
        (
            {"messageType": "location", "location": {"latitude": 0, "longitude": 1, "address": "Rua A"}},
            Location(0, 1, address="Rua A"),
        ),
    ],
)
def test_files_and_places_are_shown(data: dict[str, Any], expected: Media | Location) -> None:
    canvas = draw(node("start"), node("message", **data))
    assert talk(canvas, known={"arquivo": "bolo.png"}).effects == (expected,)


def test_a_link_that_turns_out_to_be_none_breaks_the_flow_off() -> None:
    step = talk(draw(node("start"), node("message", mediaType="image", mediaUrl="{{nada}}")))
    assert (step.effects, step.finished) == ((), True)
    assert step.problem is not None
    assert step.problem.message == "Node 'message': a link begins with https:// or http://"


def test_a_message_may_come_after_a_delay_and_what_is_written_meanwhile_is_kept() -> None:
    canvas = draw(node("start"), node("message", content="Oi", delay=5), node("end"))
    waiting = talk(canvas, "Alô?")
    assert (waiting.effects, waiting.state.wakes_at) == ((), NOW + timedelta(seconds=5))
    woken = talk(canvas, "Alô?", Woken())
    assert (woken.effects, woken.finished, woken.unheard) == ((Say("Oi"),), True, (Answer("Alô?"),))
