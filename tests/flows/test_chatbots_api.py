"""/api/v1/chatbots."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from rest_framework.test import APIClient

from apps.conversations.models import ChannelAccount
from apps.flows import services
from apps.flows.models import Chatbot, ChatbotAccount, Flow
from apps.organizations.models import Organization, User
from tests.flows.canvases import draw, load, node
from tests.flows.factories import main_flow, make_chatbot
from tests.support import inbox

Api = Callable[..., APIClient]


@pytest.fixture
def account(organization: Organization) -> ChannelAccount:
    return ChannelAccount.objects.create(organization=organization, channel="whatsapp", name="Balcão")


def test_a_new_chatbot_has_an_empty_main_flow_and_is_silent(api: Api, admin: User) -> None:
    answer = api(admin).post("/api/v1/chatbots/", {"name": "Atendente", "description": "Recebe"})
    assert answer.status_code == 201
    body = answer.json()
    assert UUID(body["id"])
    assert {key: body[key] for key in ("name", "description", "is_active", "whatsapp_number_ids")} == {
        "name": "Atendente",
        "description": "Recebe",
        "is_active": False,
        "whatsapp_number_ids": [],
    }
    assert body["organization_id"] == str(admin.organization_id)
    flows = api(admin).get(f"/api/v1/chatbots/{body['id']}/flows").json()
    assert flows["total"] == 1
    assert [(flow["name"], flow["is_main"], flow["canvas_data"]) for flow in flows["items"]] == [
        ("Main Flow", True, {"nodes": [], "edges": []})
    ]


def test_the_list_has_a_total_and_pages(api: Api, viewer: User, organization: Organization) -> None:
    names = [make_chatbot(organization, name=name).name for name in ("um", "dois", "três")]
    body = api(viewer).get("/api/v1/chatbots").json()
    assert (body["total"], [item["name"] for item in body["items"]]) == (3, names[::-1])
    body = api(viewer).get("/api/v1/chatbots?skip=1&limit=1").json()
    assert (body["total"], [item["name"] for item in body["items"]]) == (3, ["dois"])


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "skip=-1"])
def test_a_page_out_of_bounds_is_refused(api: Api, viewer: User, query: str) -> None:
    assert api(viewer).get(f"/api/v1/chatbots?{query}").status_code == 400


@pytest.mark.parametrize("method", ["put", "patch"])
def test_put_and_patch_change_only_what_is_sent(api: Api, admin: User, organization: Organization, method: str) -> None:
    chatbot = make_chatbot(organization, description="Recebe", global_variables={"loja": "Sol"})
    answer = getattr(api(admin), method)(f"/api/v1/chatbots/{chatbot.pk}", {"name": "Outro"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["name"], body["description"], body["global_variables"]) == ("Outro", "Recebe", {"loja": "Sol"})
    assert body["is_active"] is True


def test_a_deleted_chatbot_is_gone_with_its_flows_and_answers_nowhere(
    api: Api, admin: User, organization: Organization, account: ChannelAccount
) -> None:
    chatbot = make_chatbot(organization, account=account)
    flow = main_flow(chatbot)
    assert api(admin).delete(f"/api/v1/chatbots/{chatbot.pk}").status_code == 204
    assert api(admin).get(f"/api/v1/chatbots/{chatbot.pk}").status_code == 404
    assert api(admin).get(f"/api/v1/flows/{flow.pk}").status_code == 404
    assert api(admin).get("/api/v1/chatbots").json() == {"total": 0, "items": []}
    assert not ChatbotAccount.objects.exists()
    chatbot.refresh_from_db()
    assert not chatbot.is_active
    assert chatbot.deleted_at is not None


def test_a_chatbot_is_activated_and_deactivated_any_number_of_times(
    api: Api, admin: User, organization: Organization
) -> None:
    chatbot = make_chatbot(organization, is_active=False)
    for verb, expected in (("activate", True), ("activate", True), ("deactivate", False), ("deactivate", False)):
        answer = api(admin).post(f"/api/v1/chatbots/{chatbot.pk}/{verb}/")
        assert (answer.status_code, answer.json()["is_active"]) == (200, expected)


def test_a_chatbot_with_an_empty_main_flow_may_be_active(api: Api, admin: User, organization: Organization) -> None:
    chatbot = services.create_chatbot(organization=organization, name="Novo")
    assert api(admin).post(f"/api/v1/chatbots/{chatbot.pk}/activate").json()["is_active"] is True


def test_a_chatbot_without_a_main_flow_is_not_activated(api: Api, admin: User, organization: Organization) -> None:
    chatbot = make_chatbot(organization, is_active=False)
    services.delete_flow(flow=main_flow(chatbot))
    answer = api(admin).post(f"/api/v1/chatbots/{chatbot.pk}/activate")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "no_main_flow")
    assert not Chatbot.objects.get().is_active


def test_activation_is_refused_with_every_node_named_that_cannot_run(
    api: Api, admin: User, organization: Organization
) -> None:
    canvas = draw(node("start"), node("carousel", "a"), node("message", "b"), node("end"))
    chatbot = make_chatbot(organization, canvas=canvas, is_active=False)
    answer = api(admin).post(f"/api/v1/chatbots/{chatbot.pk}/activate")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "flow_cannot_run"
    assert {detail["node"] for detail in error["details"]} == {"a", "b"}
    assert "Node 'a' is of the type 'carousel'" in answer.json()["detail"]
    assert not Chatbot.objects.get().is_active


@pytest.mark.parametrize("name", ["seed_mapping_doc_flow", "ai_generator_builder_format_flow"])
def test_real_flows_are_activated(api: Api, admin: User, organization: Organization, name: str) -> None:
    chatbot = make_chatbot(organization, canvas=load(name), is_active=False)
    assert api(admin).post(f"/api/v1/chatbots/{chatbot.pk}/activate").status_code == 200


def test_is_active_in_a_change_activates_and_is_refused_like_activation(
    api: Api, admin: User, organization: Organization
) -> None:
    chatbot = make_chatbot(organization, is_active=False)
    url = f"/api/v1/chatbots/{chatbot.pk}"
    assert api(admin).patch(url, {"is_active": True}).json()["is_active"] is True
    assert api(admin).patch(url, {"is_active": False}).json()["is_active"] is False
    services.update_flow(flow=main_flow(chatbot), canvas_data=draw(node("carousel")))
    answer = api(admin).patch(url, {"is_active": True, "name": "Outro"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "flow_cannot_run")
    chatbot.refresh_from_db()
    assert (chatbot.is_active, chatbot.name) == (False, "Atendente")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 256},
        {"name": "x", "avatar_url": "no url"},
        {"name": "x", "global_variables": []},
        {"name": "x", "settings": "x"},
        {"name": "x", "is_active": "perhaps"},
        {"name": ["x"]},
        [],
        "x",
    ],
)
def test_a_bad_body_is_refused_and_nothing_is_made(api: Api, admin: User, body: Any) -> None:
    answer = api(admin).post("/api/v1/chatbots", body)
    assert answer.status_code in (400, 422)
    assert answer.json()["detail"]
    assert not Chatbot.objects.exists()
    assert not Flow.objects.exists()


def test_a_number_has_one_chatbot_and_it_is_shown_at_the_chatbot(
    api: Api, viewer: User, organization: Organization, account: ChannelAccount
) -> None:
    first, second = make_chatbot(organization, account=account), make_chatbot(organization, account=account)
    shown = {item["id"]: item["whatsapp_number_ids"] for item in api(viewer).get("/api/v1/chatbots").json()["items"]}
    assert shown == {str(first.pk): [], str(second.pk): [str(account.pk)]}
    services.choose_default_chatbot(account=account, chatbot=None)
    assert not ChatbotAccount.objects.exists()


def test_a_chatbot_of_another_organization_answers_on_no_number_of_ours(
    other_organization: Organization, account: ChannelAccount
) -> None:
    with pytest.raises(services.NotFound):
        services.choose_default_chatbot(account=account, chatbot=make_chatbot(other_organization))
    assert not ChatbotAccount.objects.exists()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""),
        ("put", ""),
        ("patch", ""),
        ("delete", ""),
        ("post", "/activate"),
        ("post", "/deactivate"),
        ("get", "/flows"),
        ("post", "/flows"),
    ],
)
def test_another_organizations_chatbot_is_not_found_and_unchanged(
    api: Api, other_admin: User, organization: Organization, method: str, path: str
) -> None:
    chatbot = make_chatbot(organization)
    answer = getattr(api(other_admin), method)(f"/api/v1/chatbots/{chatbot.pk}{path}", {"name": "meu"})
    assert answer.status_code == 404
    chatbot.refresh_from_db()
    assert (chatbot.name, chatbot.is_active, chatbot.deleted_at) == ("Atendente", True, None)
    assert Flow.objects.count() == 1


def test_a_chatbot_that_never_was_is_not_found(api: Api, admin: User) -> None:
    assert api(admin).get(f"/api/v1/chatbots/{uuid4()}").status_code == 404


def test_the_list_takes_the_same_queries_however_long_it_is(
    api: Api, viewer: User, organization: Organization, account: ChannelAccount, django_assert_num_queries: Any
) -> None:
    client = api(viewer)
    make_chatbot(organization, account=account)
    with django_assert_num_queries(4):  # who asks, count, page, accounts
        client.get("/api/v1/chatbots")
    for _ in range(3):
        make_chatbot(organization)
    with django_assert_num_queries(4):
        client.get("/api/v1/chatbots")


def test_a_chatbot_is_published_once_its_main_flow_is(api: Api, admin: User, organization: Organization) -> None:
    chatbot = make_chatbot(organization, publish_on_save=False, is_active=False)
    url = f"/api/v1/chatbots/{chatbot.pk}"
    services.create_flow(chatbot=chatbot, name="Outro")
    assert api(admin).get(url).json()["is_published"] is False
    api(admin).post(f"/api/v1/flows/{main_flow(chatbot).pk}/publish")
    assert api(admin).patch(url, {"name": "Sol"}).json()["is_published"] is True
    assert [item["is_published"] for item in api(admin).get("/api/v1/chatbots").json()["items"]] == [True]


def test_what_a_chatbot_has_done_is_counted(
    api: Api, viewer: User, organization: Organization, django_assert_num_queries: Any
) -> None:
    chatbot = make_chatbot(organization)
    services.create_flow(chatbot=chatbot, name="Agenda", canvas_data=load("appointment_booking_v1"))
    for _ in range(2):
        conversation = inbox.make_conversation(organization, chatbot_id=chatbot.pk)
        inbox.make_messages(conversation, ["oi", "Ana", "tchau"])
        bot = {"direction": "outbound", "author": "bot", "status": "sent", "bot_id": chatbot.pk, "external_id": ""}
        inbox.make_messages(conversation, ["Qual seu nome?"], **bot)
    inbox.make_messages(inbox.make_conversation(organization), ["de outro"])
    client = api(viewer)
    with django_assert_num_queries(8):  # who asks, chatbot, accounts, conversations, sent, received, flows, published
        body = client.get(f"/api/v1/chatbots/{chatbot.pk}/stats").json()
    assert body == {
        "total_conversations": 2,
        "total_messages_sent": 2,
        "total_messages_received": 6,
        "total_flows": 2,
        "total_nodes": 4 + 18,
        "is_active": True,
        "is_published": True,
    }
