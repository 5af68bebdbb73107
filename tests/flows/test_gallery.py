"""The gallery: five flows in three languages that work as they are."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from apps.flows import gallery, leaks
from apps.flows.gallery import FlowTemplate
from apps.flows.models import Chatbot
from apps.organizations.models import Organization, User
from tests.flows.factories import main_flow, make_chatbot
from tests.support import inbox

Api = Callable[..., APIClient]

KINDS = ("appointment", "faq_menu", "lead_qualifier", "order_status", "satisfaction_survey")
EVERY = [gallery.get(f"{kind}_{language}") for kind in KINDS for language in ("pt", "en", "es")]
every_template = pytest.mark.parametrize("template", EVERY, ids=lambda template: template.id)


@pytest.fixture
def chatbot(organization: Organization) -> Chatbot:
    """One that answers on WhatsApp, so that what does not fit there is told."""
    return make_chatbot(organization, account=inbox.make_account(organization))


@every_template
def test_a_template_is_published_at_once_and_needs_but_its_secret(
    api: Api, admin: User, chatbot: Chatbot, template: FlowTemplate
) -> None:
    answer = api(admin).post(f"/api/v1/chatbots/{chatbot.pk}/flows/from-template", {"template_id": template.id})
    flow = answer.json()
    assert (answer.status_code, flow["name"], flow["is_main"]) == (201, template.name, False)
    assert (flow["is_published"], flow["published_version"]) == (True, 1)
    assert flow["canvas_data"] == template.canvas_data
    expected = [("lookup", "unknown_secret")] if template.id.startswith("order_status") else []
    assert [(problem["node"], problem["code"]) for problem in flow["problems"]] == expected


@every_template
def test_a_template_holds_no_secret_and_knows_where_its_nodes_stand(template: FlowTemplate) -> None:
    assert leaks.find(template.canvas_data) == []
    places = {(node["position"]["x"], node["position"]["y"]) for node in template.canvas_data["nodes"]}
    assert len(places) == template.node_count
    assert all(node["data"]["label"] for node in template.canvas_data["nodes"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_languages_say_the_same(kind: str) -> None:
    drawn = {
        (
            tuple((node["id"], node["type"], tuple(node["data"])) for node in template.canvas_data["nodes"]),
            tuple((edge["source"], edge["target"], edge.get("sourceHandle")) for edge in template.canvas_data["edges"]),
            tuple(template.variables),
            len(template.needs),
        )
        for template in EVERY
        if template.id.startswith(kind)
    }
    assert len(drawn) == 1


def test_a_template_takes_the_name_that_is_given(api: Api, admin: User, chatbot: Chatbot) -> None:
    body = {"template_id": "faq_menu_en", "name": "Help"}
    assert api(admin).post(f"/api/v1/chatbots/{chatbot.pk}/flows/from-template", body).json()["name"] == "Help"
    assert main_flow(chatbot).name == "Main Flow"


def test_the_gallery_is_listed_by_language(api: Api, viewer: User) -> None:
    everything = api(viewer).get("/api/v1/flow-templates").json()
    assert (everything["total"], len(everything["items"])) == (15, 15)
    for asked in ("pt", "pt-BR", "PT_br"):
        found = api(viewer).get("/api/v1/flow-templates", {"language": asked}).json()
        assert [one["id"] for one in found["items"]] == [f"{kind}_pt" for kind in KINDS]
    assert api(viewer).get("/api/v1/flow-templates", {"language": "de"}).json() == {"total": 0, "items": []}
    [order] = [one for one in everything["items"] if one["id"] == "order_status_en"]
    assert (order["name"], order["language"], order["node_count"]) == ("Order status", "en", 12)
    assert order["variables"] == {"orders_api": "https://api.example.com"}
    assert [need.split(":")[0] for need in order["needs"]] == ["variable orders_api", "secret ORDERS_API"]
    assert "canvas_data" not in order


def test_a_template_by_itself_shows_what_is_drawn(api: Api, viewer: User) -> None:
    shown = api(viewer).get("/api/v1/flow-templates/order_status_en").json()
    assert shown["canvas_data"] == gallery.get("order_status_en").canvas_data


def test_an_unknown_template_is_not_found(api: Api, admin: User, chatbot: Chatbot) -> None:
    assert api(admin).get("/api/v1/flow-templates/fax_en").status_code == 404
    answer = api(admin).post(f"/api/v1/chatbots/{chatbot.pk}/flows/from-template", {"template_id": "fax_en"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
