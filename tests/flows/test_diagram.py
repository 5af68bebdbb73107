"""The flow as SVG: well-formed whatever the builder wrote, as thick and as red as the numbers say."""

import base64
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.flows import services
from apps.flows.diagram import Arrow, Box, draw
from apps.flows.models import Flow, FlowSession
from apps.organizations.models import Organization, User
from tests.flows.canvases import draw as draw_canvas
from tests.flows.canvases import node
from tests.flows.factories import main_flow, make_chatbot
from tests.flows.test_responder import hear
from tests.support import inbox

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text><script>alert(1)</script>\"'&\0\x1b]]>"
BOXES = [Box("a", "Início", 10), Box("b", "Pergunta", 8, 0.5), Box("c", "Fim", 0)]
ARROWS = [Arrow("a", "b", "next", 10), Arrow("b", "c", "next", 0)]


@pytest.fixture
def flow(organization: Organization) -> Flow:
    canvas = draw_canvas(
        node("start"), node("question", label=HOSTILE.replace("\0", ""), content="Qual?"), node("end", label="Fim")
    )
    return main_flow(make_chatbot(organization, account=inbox.make_account(organization), canvas=canvas))


def corners(svg: str) -> list[tuple[int, int]]:
    return [(int(box.attrib["x"]), int(box.attrib["y"])) for box in ElementTree.fromstring(svg).iter(f"{SVG}rect")]


def attributes(svg: str, tag: str, name: str) -> list[str]:
    return [found.attrib[name] for found in ElementTree.fromstring(svg).iter(f"{SVG}{tag}") if name in found.attrib]


def test_boxes_stand_where_the_builder_put_them() -> None:
    positions = {"a": {"x": -100, "y": 50}, "b": {"x": 0.4, "y": 150}, "c": {"x": 300, "y": -20}}
    assert corners(draw(BOXES, ARROWS, positions)) == [(30, 100), (130, 200), (430, 30)]


@pytest.mark.parametrize(
    "last",
    [
        None,
        {},
        "x",
        {"x": "1", "y": 2},
        {"x": True, "y": 2},
        {"x": 1e300, "y": 2},
        {"x": 10**400, "y": 2},
        {"x": 0, "y": 0},
    ],
)
def test_without_a_place_for_each_they_stand_in_layers(last: Any) -> None:
    positions = {"a": {"x": 0, "y": 0}, "b": {"x": 500, "y": 0}, "c": last}
    assert corners(draw(BOXES, ARROWS, positions)) == [(30, 30), (30, 156), (30, 282)]


def test_nodes_of_one_layer_stand_side_by_side_and_circles_end() -> None:
    arrows = [Arrow("a", "b"), Arrow("a", "c"), Arrow("c", "a"), Arrow("b", "b")]
    assert corners(draw(BOXES, arrows, {})) == [(30, 30), (30, 156), (260, 156)]


def test_colour_tells_drop_off_and_width_tells_traffic() -> None:
    svg = draw(BOXES, ARROWS, {})
    assert attributes(svg, "rect", "fill") == ["hsl(120,70%,85%)", "hsl(60,70%,85%)", "#f1f5f9"]
    assert attributes(svg, "path", "stroke-width") == ["8.0", "1.0"]
    words = [text.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert words == ["Início", "10", "Pergunta", "8 · 50% dropped off", "Fim", "0"]


def test_an_empty_flow_and_an_arrow_to_nowhere_are_drawn_as_nothing() -> None:
    assert corners(draw([], [Arrow("a", "b")], {})) == []


def test_a_hostile_label_stays_a_text() -> None:
    svg = draw([Box(HOSTILE, HOSTILE)], [Arrow(HOSTILE, HOSTILE, HOSTILE)], {})
    assert "<script" not in svg
    titles = [title.text for title in ElementTree.fromstring(svg).iter(f"{SVG}title")]
    shown = HOSTILE.replace("\0", "\ufffd").replace("\x1b", "\ufffd")
    assert titles == [f"{shown}: 0", shown]
    assert {found.tag.removeprefix(SVG) for found in ElementTree.fromstring(svg).iter()} == {
        *("svg", "defs", "marker", "path", "g", "title", "rect", "text")
    }


@given(st.lists(st.text(), min_size=1, max_size=5, unique=True), st.floats() | st.integers(), st.floats())
def test_any_words_and_positions_give_well_formed_xml(words: list[str], x: float, y: float) -> None:
    boxes = [Box(word, word, 3) for word in words]
    svg = draw(boxes, [Arrow(words[0], word, word) for word in words], {word: {"x": x, "y": y} for word in words})
    assert len(corners(svg)) == len(words)


@pytest.mark.parametrize("accept", ["*/*", "image/svg+xml", "image/png"])
def test_the_api_draws_a_flow_that_can_do_no_harm(
    api: Callable[..., APIClient], viewer: User, flow: Flow, accept: str
) -> None:
    hear(inbox.make_conversation(flow.organization, account=flow.chatbot.accounts.get().account), "Oi")
    FlowSession.objects.update(ended_at=timezone.now())
    answer = api(viewer).get(f"/api/v1/flows/{flow.pk}/diagram.svg", headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
    assert answer["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    svg = answer.content.decode()
    assert "<script" not in svg
    assert attributes(svg, "rect", "fill") == ["hsl(120,70%,85%)", "hsl(0,70%,85%)", "#f1f5f9"]


def test_a_span_that_is_none_is_told_in_json(api: Callable[..., APIClient], viewer: User, flow: Flow) -> None:
    client = api(viewer)
    answer = client.get(f"/api/v1/flows/{flow.pk}/diagram.svg?since=x", headers={"Accept": "image/svg+xml"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")


def test_the_admin_shows_the_flow_as_an_image(super_admin: User, client: Client, flow: Flow) -> None:
    services.update_flow(flow=flow, canvas_data=draw_canvas(node("start"), node("message", content="Oi")))
    client.force_login(super_admin)
    page = client.get(f"/admin/flows/flow/{flow.pk}/change/").content.decode()
    [image] = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert len(corners(base64.b64decode(image).decode())) == 2
