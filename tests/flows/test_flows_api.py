"""/api/v1/flows, and the builder's paths to the same flows."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from rest_framework.test import APIClient

from apps.flows import services
from apps.flows.models import Chatbot, Flow
from apps.organizations.models import Organization, User
from tests.flows.canvases import draw, load, node
from tests.flows.factories import GREETING, main_flow, make_chatbot

Api = Callable[..., APIClient]


@pytest.fixture
def chatbot(organization: Organization) -> Chatbot:
    return make_chatbot(organization)


def test_the_list_shows_all_flows_of_a_chatbot_under_both_names(api: Api, viewer: User, chatbot: Chatbot) -> None:
    services.create_flow(chatbot=chatbot, name="Vendas")
    body = api(viewer).get(f"/api/v1/flows/?chatbot_id={chatbot.pk}").json()
    assert [flow["name"] for flow in body["flows"]] == ["Main Flow", "Vendas"]
    assert body["items"] == body["flows"]
    assert (body["total"], body["page"], body["per_page"]) == (2, 1, 2)


@pytest.mark.parametrize("query", ["", "?chatbot_id=", "?chatbot_id=7"])
def test_the_list_requires_a_chatbot(api: Api, viewer: User, query: str) -> None:
    answer = api(viewer).get(f"/api/v1/flows/{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "validation_error")


def test_the_list_of_an_unknown_chatbot_is_not_found(api: Api, viewer: User) -> None:
    assert api(viewer).get(f"/api/v1/flows?chatbot_id={uuid4()}").status_code == 404


@pytest.mark.parametrize("at_the_chatbot", [True, False])
def test_a_flow_is_created_with_its_canvas_verbatim(
    api: Api, admin: User, chatbot: Chatbot, at_the_chatbot: bool
) -> None:
    canvas = load("appointment_booking_v1") | {
        "viewport": {"x": 1.5, "y": -2, "zoom": 0.75},
        "unknown": [None, {"a": "ç"}],
    }
    body = {"name": "Agenda", "canvas_data": canvas, "variables": {"dias": 7}}
    path = f"/api/v1/chatbots/{chatbot.pk}/flows" if at_the_chatbot else "/api/v1/flows/"
    answer = api(admin).post(path, body if at_the_chatbot else {**body, "chatbot_id": str(chatbot.pk)})
    assert answer.status_code == 201
    made = answer.json()
    assert made["canvas_data"] == canvas
    assert (made["chatbot_id"], made["name"], made["is_main"], made["is_active"], made["variables"]) == (
        str(chatbot.pk), "Agenda", False, True, {"dias": 7},
    )  # fmt: skip
    assert api(admin).get(f"/api/v1/flows/{made['id']}").json() == made
    assert api(admin).get(f"/api/v1/chatbots/flows/{made['id']}").json() == made


def test_a_canvas_that_cannot_run_is_saved_and_the_answer_says_what_is_wrong(
    api: Api, admin: User, chatbot: Chatbot
) -> None:
    flow = main_flow(chatbot)
    assert api(admin).get(f"/api/v1/flows/{flow.pk}").json()["problems"] == []
    canvas = draw(node("start"), node("carousel", "call"), node("end"))
    body = api(admin).put(f"/api/v1/flows/{flow.pk}", {"canvas_data": canvas}).json()
    assert body["canvas_data"] == canvas
    assert body["problems"] == [
        {
            "node": "call",
            "field": "type",
            "code": "unsupported_node",
            "message": "Node 'call' is of the type 'carousel', which cannot run here.",
            "severity": "error",
        }
    ]


@pytest.mark.parametrize("path", ["/api/v1/flows/", "/api/v1/chatbots/flows/"])
@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_change_is_partial_by_every_path(api: Api, admin: User, chatbot: Chatbot, path: str, method: str) -> None:
    flow = main_flow(chatbot)
    answer = getattr(api(admin), method)(f"{path}{flow.pk}", {"name": "Boas-vindas"})
    assert answer.status_code == 200
    flow.refresh_from_db()
    assert (flow.name, flow.is_main, flow.canvas_data) == ("Boas-vindas", True, GREETING)


@pytest.mark.parametrize("which", ["is_main", "is_fallback"])
def test_making_one_main_or_fallback_unsets_the_last(api: Api, admin: User, chatbot: Chatbot, which: str) -> None:
    marked: dict[str, Any] = {which: True}
    first = services.create_flow(chatbot=chatbot, name="um", **marked)
    second = services.create_flow(chatbot=chatbot, name="dois")
    assert api(admin).patch(f"/api/v1/flows/{second.pk}", {which: True}).json()[which] is True
    assert list(Flow.objects.filter(chatbot=chatbot, **{which: True})) == [second]
    first.refresh_from_db()
    assert getattr(first, which) is False


def test_make_main_moves_the_main_flow(chatbot: Chatbot) -> None:
    flow = services.create_flow(chatbot=chatbot, name="um")
    services.make_main(flow=flow)
    assert main_flow(chatbot) == flow


@pytest.mark.django_db(transaction=True)
def test_many_flows_made_main_at_once_leave_one(organization: Organization) -> None:
    chatbot = make_chatbot(organization)
    flows = [services.create_flow(chatbot=chatbot, name=str(number)) for number in range(8)]

    def make_main(flow: Flow) -> bool:
        try:
            return services.make_main(flow=flow).is_main
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(make_main, flows)) == [True] * 8
    assert Flow.objects.filter(chatbot=chatbot, is_main=True).count() == 1


def test_a_deleted_flow_is_kept_but_gone(api: Api, admin: User, chatbot: Chatbot) -> None:
    flow = main_flow(chatbot)
    assert api(admin).delete(f"/api/v1/flows/{flow.pk}/").status_code == 204
    assert api(admin).get(f"/api/v1/flows/{flow.pk}").status_code == 404
    assert api(admin).get(f"/api/v1/flows?chatbot_id={chatbot.pk}").json()["total"] == 0
    flow.refresh_from_db()
    assert flow.deleted_at is not None
    assert services.create_flow(chatbot=chatbot, name="Nova", is_main=True) == main_flow(chatbot)


def test_a_flow_is_activated_and_deactivated_any_number_of_times(api: Api, admin: User, chatbot: Chatbot) -> None:
    url = f"/api/v1/flows/{main_flow(chatbot).pk}"
    for verb, expected in (("deactivate", False), ("deactivate", False), ("activate", True), ("activate", True)):
        answer = api(admin).post(f"{url}/{verb}")
        assert (answer.status_code, answer.json()["is_active"]) == (200, expected)


def test_a_flow_that_cannot_run_is_not_activated(api: Api, admin: User, chatbot: Chatbot) -> None:
    flow = services.create_flow(chatbot=chatbot, name="x", canvas_data=draw(node("api_call")), is_active=False)
    answer = api(admin).post(f"/api/v1/flows/{flow.pk}/activate")
    assert (answer.status_code, answer.json()["error"]["details"][0]["node"]) == (400, "api_call")
    flow.refresh_from_db()
    assert not flow.is_active


def test_a_canvas_of_nearly_ten_megabytes_is_kept_and_a_larger_one_refused(
    api: Api, admin: User, chatbot: Chatbot
) -> None:
    flow = main_flow(chatbot)
    url = f"/api/v1/flows/{flow.pk}"
    canvas = {**GREETING, "thumbnail": "x" * (10 * 1024 * 1024 - 1000)}
    assert api(admin).patch(url, {"canvas_data": canvas}).status_code == 200
    flow.refresh_from_db()
    assert flow.canvas_data == canvas
    answer = api(admin).patch(url, {"canvas_data": {**canvas, "more": "x" * 1000}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "canvas_too_large")
    flow.refresh_from_db()
    assert flow.canvas_data == canvas


@pytest.mark.parametrize("depth", [90, 101, 900])
def test_a_canvas_is_kept_or_refused_however_deep_it_is(api: Api, admin: User, chatbot: Chatbot, depth: int) -> None:
    body = '{"canvas_data": {"deep": ' + "[" * depth + "]" * depth + "}}"
    answer = api(admin).patch(f"/api/v1/flows/{main_flow(chatbot).pk}", body, content_type="application/json")
    assert answer.status_code == (200 if depth <= 99 else 400)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": None},
        {"canvas_data": []},
        {"canvas_data": "{}"},
        {"canvas_data": None},
        {"variables": [1]},
        {"is_main": "perhaps"},
    ],
)
def test_a_bad_change_is_refused_and_changes_nothing(
    api: Api, admin: User, chatbot: Chatbot, fields: dict[str, Any]
) -> None:
    flow = main_flow(chatbot)
    answer = api(admin).patch(f"/api/v1/flows/{flow.pk}", fields)
    assert answer.status_code in (400, 422)
    flow.refresh_from_db()
    assert (flow.name, flow.canvas_data, flow.is_main) == ("Main Flow", GREETING, True)


@pytest.mark.parametrize("canvas", [{"nodes": 3}, {"nodes": [None, {"id": {}}], "edges": {"a": 1}}, {"edges": [[]]}])
def test_a_canvas_of_wrong_types_is_kept_with_its_problems(
    api: Api, admin: User, chatbot: Chatbot, canvas: dict[str, Any]
) -> None:
    body = api(admin).patch(f"/api/v1/flows/{main_flow(chatbot).pk}", {"canvas_data": canvas}).json()
    assert body["canvas_data"] == canvas
    assert json.dumps(body["problems"]).count("malformed") >= 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "flows/{}"),
        ("put", "flows/{}"),
        ("patch", "flows/{}"),
        ("delete", "flows/{}"),
        ("post", "flows/{}/activate"),
        ("post", "flows/{}/deactivate"),
        ("get", "chatbots/flows/{}"),
        ("patch", "chatbots/flows/{}"),
        ("delete", "chatbots/flows/{}"),
    ],
)
def test_another_organizations_flow_is_not_found_and_unchanged(
    api: Api, other_admin: User, chatbot: Chatbot, method: str, path: str
) -> None:
    flow = main_flow(chatbot)
    answer = getattr(api(other_admin), method)(f"/api/v1/{path.format(flow.pk)}", {"name": "meu"})
    assert answer.status_code == 404
    flow.refresh_from_db()
    assert (flow.name, flow.is_active, flow.deleted_at) == ("Main Flow", True, None)


def test_a_flow_is_not_created_in_another_organizations_chatbot(api: Api, other_admin: User, chatbot: Chatbot) -> None:
    answer = api(other_admin).post("/api/v1/flows", {"name": "meu", "chatbot_id": str(chatbot.pk)})
    assert answer.status_code == 404
    assert Flow.objects.count() == 1


@pytest.mark.parametrize("role", ["viewer", "agent"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "flows"),
        ("patch", "flows/{flow}"),
        ("delete", "flows/{flow}"),
        ("post", "flows/{flow}/deactivate"),
        ("post", "chatbots"),
        ("patch", "chatbots/{chatbot}"),
        ("delete", "chatbots/{chatbot}"),
        ("post", "chatbots/{chatbot}/deactivate"),
        ("post", "chatbots/{chatbot}/flows"),
    ],
)
def test_only_administrators_write(
    request: pytest.FixtureRequest, api: Api, chatbot: Chatbot, role: str, method: str, path: str
) -> None:
    client = api(request.getfixturevalue(role))
    flow = main_flow(chatbot)
    url = f"/api/v1/{path.format(flow=flow.pk, chatbot=chatbot.pk)}"
    assert getattr(client, method)(url, {"name": "x", "chatbot_id": str(chatbot.pk)}).status_code == 403
    assert client.get(f"/api/v1/flows/{flow.pk}").status_code == 200
    assert (Flow.objects.count(), Chatbot.objects.count()) == (1, 1)
    flow.refresh_from_db()
    assert (flow.is_active, flow.deleted_at) == (True, None)


def test_the_list_takes_the_same_queries_however_long_it_is(
    api: Api, viewer: User, chatbot: Chatbot, django_assert_num_queries: Any
) -> None:
    client = api(viewer)
    for number in range(5):
        services.create_flow(chatbot=chatbot, name=str(number))
    with django_assert_num_queries(4):  # who asks, the chatbot, its accounts, the flows
        client.get(f"/api/v1/flows?chatbot_id={chatbot.pk}")
