"""Drafts and versions: what is published, by whom, what stops it, and the way back."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.conversations.models import Conversation
from apps.flows import publishing, services
from apps.flows.models import Chatbot, Flow, FlowVersion
from apps.organizations.models import Organization, Queue, User
from tests.flows.canvases import draw, edge, node
from tests.flows.factories import GREETING, main_flow
from tests.flows.test_responder import hear

Api = Callable[..., APIClient]
BROKEN = draw(node("start"), node("carousel", "a"))


def say(words: str) -> dict[str, Any]:
    return draw(node("start"), node("message", content=words), node("end"))


def save(api: Api, user: User, flow: Flow, canvas: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = api(user).put(f"/api/v1/flows/{flow.pk}", {"canvas_data": canvas}).json()
    return body


def test_a_canvas_that_can_run_is_published_as_it_is_saved(api: Api, admin: User, chatbot: Chatbot) -> None:
    body = save(api, admin, main_flow(chatbot), say("Dois"))
    assert (body["published_version"], body["is_published"], body["problems"]) == (2, True, [])
    version = FlowVersion.objects.get(number=2)
    assert (version.canvas_data, version.published_by) == (say("Dois"), admin)


def test_saving_what_is_published_makes_no_version(api: Api, admin: User, chatbot: Chatbot) -> None:
    body = save(api, admin, main_flow(chatbot), GREETING)
    assert body["published_version"] == 1
    renamed = api(admin).put(f"/api/v1/flows/{main_flow(chatbot).pk}", {"name": "Outro"}).json()
    assert renamed["published_version"] == 1


def test_a_canvas_that_cannot_run_stays_a_draft_and_customers_meet_the_version_before(
    api: Api, admin: User, conversation: Conversation, chatbot: Chatbot
) -> None:
    body = save(api, admin, main_flow(chatbot), BROKEN)
    assert (body["published_version"], body["is_published"], body["canvas_data"]) == (1, False, BROKEN)
    assert [(one["node"], one["code"], one["severity"]) for one in body["problems"]] == [
        ("a", "unsupported_node", "error")
    ]
    assert hear(conversation, "Oi") == ["Qual seu nome?"]


def test_a_chatbot_that_does_not_publish_by_itself_waits_for_it(
    api: Api, admin: User, conversation: Conversation, chatbot: Chatbot
) -> None:
    api(admin).patch(f"/api/v1/chatbots/{chatbot.pk}", {"publish_on_save": False})
    flow = main_flow(chatbot)
    assert save(api, admin, flow, say("Novo"))["is_published"] is False
    assert hear(conversation, "Oi", "Ana") == ["Qual seu nome?", "Olá Ana!"]
    answer = api(admin).post(f"/api/v1/flows/{flow.pk}/publish")
    assert (answer.status_code, answer.json()["published_version"]) == (200, 2)
    assert hear(conversation, "Oi") == ["Novo"]


def test_what_cannot_run_is_not_published(api: Api, admin: User, chatbot: Chatbot) -> None:
    flow = services.update_flow(flow=main_flow(chatbot), canvas_data=BROKEN)
    answer = api(admin).post(f"/api/v1/flows/{flow.pk}/publish")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "flow_cannot_run")
    assert answer.json()["error"]["details"][0]["node"] == "a"
    assert FlowVersion.objects.count() == 1


def test_a_flow_that_nobody_published_is_not_activated(api: Api, admin: User, organization: Organization) -> None:
    chatbot = services.create_chatbot(organization=organization, name="Sol", publish_on_save=False)
    answer = api(admin).post(f"/api/v1/chatbots/{chatbot.pk}/activate")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "not_published")


def test_versions_are_listed_newest_first_and_shown_with_what_was_drawn(
    api: Api, admin: User, viewer: User, chatbot: Chatbot
) -> None:
    flow = main_flow(chatbot)
    save(api, admin, flow, say("Dois"))
    rows = api(viewer).get(f"/api/v1/flows/{flow.pk}/versions").json()
    assert [(row["number"], row["is_current"], row["published_by"]) for row in rows] == [
        (2, True, admin.email),
        (1, False, None),
    ]
    shown = api(viewer).get(f"/api/v1/flows/{flow.pk}/versions/1").json()
    assert shown["canvas_data"] == GREETING
    assert api(viewer).get(f"/api/v1/flows/{flow.pk}/versions/9").status_code == 404


def test_an_earlier_version_comes_back_as_the_newest(
    api: Api, admin: User, conversation: Conversation, chatbot: Chatbot
) -> None:
    flow = main_flow(chatbot)
    save(api, admin, flow, say("Dois"))
    answer = api(admin).post(f"/api/v1/flows/{flow.pk}/versions/1/restore")
    assert (answer.status_code, answer.json()["published_version"], answer.json()["canvas_data"]) == (200, 3, GREETING)
    assert hear(conversation, "Oi") == ["Qual seu nome?"]
    assert api(admin).post(f"/api/v1/flows/{flow.pk}/versions/9/restore").status_code == 404


def test_validation_looks_at_a_canvas_that_is_not_saved(api: Api, admin: User, chatbot: Chatbot) -> None:
    flow = main_flow(chatbot)
    url = f"/api/v1/flows/{flow.pk}/validate"
    assert api(admin).post(url).json() == {"valid": True, "problems": []}
    answer = api(admin).post(url, {"canvas_data": BROKEN}).json()
    assert (answer["valid"], [one["code"] for one in answer["problems"]]) == (False, ["unsupported_node"])
    assert main_flow(chatbot).canvas_data == GREETING


def problems(chatbot: Chatbot, canvas: dict[str, Any], **fields: Any) -> list[tuple[str, str, str]]:
    """(node, code, severity) of what is wrong with a draft."""
    flow = services.update_flow(flow=main_flow(chatbot), canvas_data=canvas, **fields)
    return [(problem.node, problem.code, problem.severity) for problem in publishing.validate(flow)]


def test_a_way_that_leads_nowhere_is_an_error_and_a_node_to_which_none_leads_a_warning(chatbot: Chatbot) -> None:
    canvas = draw(node("start"), node("message", "a", content="A"), node("message", "b", content="B"), edges=[])
    assert problems(chatbot, canvas) == [("a", "unreachable", "warning"), ("b", "unreachable", "warning")]
    gone = draw(node("start"), edges=[edge("start", "gone")])
    assert problems(chatbot, gone) == [("start", "unknown_target", "error")]


def test_a_circle_without_a_wait_is_an_error_and_one_with_a_question_is_not(chatbot: Chatbot) -> None:
    turn = draw(node("start"), node("set_variable", "a", variableName="x", variableValue="1"), node("analytics", "b"))
    turn["edges"].append(edge("b", "a"))
    found = problems(chatbot, turn)
    assert {(one, severity) for one, code, severity in found if code == "loop"} >= {("a", "error"), ("b", "error")}
    asks = draw(node("start"), node("question", "a", content="?"), node("message", "b", content="B"))
    asks["edges"].append(edge("b", "a"))
    assert problems(chatbot, asks) == []


def test_a_counted_circle_may_be_left_and_is_no_error(chatbot: Chatbot) -> None:
    rule = [{"variable": "n", "operator": ">=", "value": "3"}]
    canvas = draw(
        node("start"),
        node("set_variable", "count", variableName="n", operation="increment"),
        node("condition", conditions=rule),
        node("end"),
        edges=[
            edge("start", "count"),
            edge("count", "condition"),
            edge("condition", "end", "condition-0"),
            edge("condition", "count", "condition-default"),
        ],
    )
    assert problems(chatbot, canvas) == []


def test_unknown_variables_are_warned_of_and_known_ones_are_not(chatbot: Chatbot) -> None:
    services.update_chatbot(chatbot=chatbot, global_variables={"loja": "Sol"})
    text = "{{nome}} {{ contact.name }} {{loja}} {{dias}} {{current_time}} {{nada.x}} {{conversation.id}}"
    canvas = draw(node("start"), node("question", content="?", variableName="nome"), node("message", content=text))
    flow = services.update_flow(flow=main_flow(chatbot), canvas_data=canvas, variables={"dias": 1})
    [problem] = publishing.validate(flow)
    assert (problem.node, problem.field, problem.code, problem.severity) == (
        "message",
        "text",
        "unknown_variable",
        "warning",
    )
    assert "'nada.x'" in problem.message


def test_whom_nobody_knows_is_warned_of(chatbot: Chatbot) -> None:
    Queue.objects.create(organization=chatbot.organization, name="Vendas", slug="vendas")
    canvas = draw(node("start"), node("handoff", queueId="VENDAS"))
    assert problems(chatbot, canvas) == []
    canvas = draw(node("start"), node("handoff", queueId="compras"))
    assert problems(chatbot, canvas) == [("handoff", "unknown_people", "warning")]


def test_what_the_channel_cannot_show_is_warned_of(chatbot: Chatbot) -> None:
    options = [f"Opção {number}" for number in range(12)]
    canvas = draw(node("start"), node("question", content="Qual?", options=options, variableName="x"))
    [problem] = publishing.validate(services.update_flow(flow=main_flow(chatbot), canvas_data=canvas))
    assert (problem.code, problem.severity) == ("does_not_fit", "warning")
    assert "on whatsapp, these 12 choices are shown as a numbered text" in problem.message


def test_an_exit_that_leads_nowhere_beside_others_is_warned_of(chatbot: Chatbot) -> None:
    rule = [{"variable": "contact.name", "operator": "is_empty"}]
    canvas = draw(
        node("start"),
        node("condition", conditions=rule),
        node("end"),
        edges=[edge("start", "condition"), edge("condition", "end", "condition-0")],
    )
    assert problems(chatbot, canvas) == [("condition", "dead_end", "warning")]


@pytest.mark.parametrize("path", ["/api/v1/flows/{}", "/api/v1/chatbots/flows/{}"])
def test_a_canvas_that_holds_a_secret_is_refused_with_a_pointer_and_nothing_is_saved(
    api: Api, admin: User, chatbot: Chatbot, path: str
) -> None:
    headers = {"Authorization": "Bearer 9f8e7d6c5b4a39281706f5e4d3c2b1a0"}
    canvas = draw(node("start"), node("api_call", url="https://sol.example/", headers=headers))
    answer = api(admin).patch(path.format(main_flow(chatbot).pk), {"canvas_data": canvas, "name": "Outro"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "secret_in_canvas")
    assert "/api/v1/secrets" in answer.json()["detail"]
    assert [detail["node"] for detail in answer.json()["error"]["details"]] == ["api_call"]
    assert (main_flow(chatbot).canvas_data, main_flow(chatbot).name) == (GREETING, "Main Flow")
