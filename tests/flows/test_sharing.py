"""Export, import and copies: nothing of a canvas is lost, and copies stand on their own."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.flows import services
from apps.flows.models import Chatbot, Flow
from apps.organizations.models import Organization, User
from tests.flows.canvases import draw, load, node
from tests.flows.factories import main_flow, make_chatbot

Api = Callable[..., APIClient]


@pytest.fixture
def chatbot(organization: Organization) -> Chatbot:
    return make_chatbot(
        organization, canvas={**load("appointment_booking_v1"), "viewport": {"x": 1, "y": 2, "zoom": 3}}
    )


def test_an_export_comes_back_with_every_key(
    api: Api, admin: User, organization: Organization, chatbot: Chatbot
) -> None:
    triggers = [{"type": "keyword", "keywords": ["agendar"]}]
    flow = services.update_flow(flow=main_flow(chatbot), variables={"a": [1]}, triggers=triggers)
    answer = api(admin).get(f"/api/v1/flows/{flow.pk}/export")
    exported = answer.json()
    assert answer["Content-Disposition"] == f'attachment; filename="flow-{flow.pk}.json"'
    assert (exported["format_version"], exported["metadata"]["total_nodes"]) == ("1.0", 18)
    other = services.create_chatbot(organization=organization, name="Outro")
    imported = api(admin).post(f"/api/v1/chatbots/{other.pk}/import", exported)
    assert imported.status_code == 201
    body = imported.json()
    assert (body["name"], body["is_main"], body["chatbot_id"]) == ("Main Flow (Imported)", False, str(other.pk))
    again = api(admin).get(f"/api/v1/chatbots/flows/{body['id']}/export").json()["flow"]
    assert {**again, "name": "", "is_main": True} == {**exported["flow"], "name": ""}


def test_an_import_takes_the_name_that_is_given(api: Api, admin: User, chatbot: Chatbot) -> None:
    exported = api(admin).get(f"/api/v1/flows/{main_flow(chatbot).pk}/export").json()
    answer = api(admin).post(f"/api/v1/chatbots/{chatbot.pk}/import?override_name=Novo", exported)
    assert (answer.status_code, answer.json()["name"]) == (201, "Novo")


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({}, "unsupported_format"),
        ({"format_version": "2.0", "flow": {"canvas_data": {}}}, "unsupported_format"),
        ({"format_version": "1.0", "flow": []}, "unsupported_format"),
        ({"format_version": "1.0", "flow": {"name": "x", "canvas_data": {}, "triggers": 1}}, "validation_error"),
        (
            {
                "format_version": "1.0",
                "flow": {"canvas_data": draw(node("api_call", url="https://a.example", apiKey="9f8e7d6c5b4a39281706"))},
            },
            "secret_in_canvas",
        ),
    ],
)
def test_what_is_no_export_is_refused(
    api: Api, admin: User, chatbot: Chatbot, document: dict[str, Any], code: str
) -> None:
    answer = api(admin).post(f"/api/v1/chatbots/{chatbot.pk}/import", document)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert Flow.objects.count() == 1


def test_a_copied_flow_stands_beside_the_first(api: Api, admin: User, chatbot: Chatbot) -> None:
    flow = main_flow(chatbot)
    answer = api(admin).post(f"/api/v1/flows/{flow.pk}/duplicate")
    assert (answer.status_code, answer.json()["name"], answer.json()["is_main"]) == (201, "Main Flow (copy)", False)
    assert answer.json()["canvas_data"] == flow.canvas_data


def test_a_copied_chatbot_jumps_within_itself(api: Api, admin: User, organization: Organization) -> None:
    chatbot = make_chatbot(organization)
    child = services.create_flow(chatbot=chatbot, name="Cadastro", canvas_data=draw(node("start"), node("end")))
    jump = draw(node("start"), node("jump", targetFlowId=str(child.pk)))
    services.update_flow(flow=main_flow(chatbot), canvas_data=jump)
    answer = api(admin).post(f"/api/v1/chatbots/{chatbot.pk}/duplicate")
    assert (answer.status_code, answer.json()["is_active"], answer.json()["name"]) == (201, False, "Atendente (copy)")
    twin = Chatbot.objects.get(pk=answer.json()["id"])
    copy = Flow.objects.get(chatbot=twin, name="Cadastro")
    assert main_flow(twin).canvas_data["nodes"][1]["data"]["targetFlowId"] == str(copy.pk) != str(child.pk)
    assert main_flow(twin).version is not None
    assert Flow.objects.filter(chatbot=twin).count() == 2


def test_a_flow_tells_its_nodes_whatever_dialect_it_is_drawn_in(
    api: Api, viewer: User, organization: Organization
) -> None:
    chatbot = make_chatbot(organization, canvas=load("ai_generator_builder_format_flow"))
    flow = main_flow(chatbot)
    nodes = api(viewer).get(f"/api/v1/chatbots/flows/{flow.pk}/nodes").json()
    assert [(one["id"], one["node_type"]) for one in nodes] == [
        ("node_1", "start"),
        ("node_2", "message"),
        ("node_3", "question"),
    ]
    assert api(viewer).get(f"/api/v1/chatbots/flows/{flow.pk}/full").json()["nodes"] == nodes
    full = api(viewer).get(f"/api/v1/chatbots/{chatbot.pk}/full").json()
    assert [one["id"] for one in full["flows"]] == [str(flow.pk)]
    assert api(viewer).get(f"/api/v1/flows/chatbots/{chatbot.pk}/main").json()["id"] == str(flow.pk)
    assert api(viewer).get(f"/api/v1/flows/chatbots/{chatbot.pk}/fallback").status_code == 404
