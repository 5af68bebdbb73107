"""Trying a flow: what it would say, by the code that answers customers, and without a trace."""

import contextlib
import copy
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.contacts.models import Contact
from apps.conversations.channels import channels
from apps.conversations.models import ChannelAccount, Conversation, Message
from apps.flows import contents, gallery, memory, services, simulation
from apps.flows.effects import Ask, Choice
from apps.flows.models import Chatbot, Flow, FlowSession
from apps.organizations.models import Organization, Secret, User
from apps.whatsapp.models import WhatsAppAccount
from tests.flows.canvases import NOW, draw, edge, node
from tests.flows.factories import GREETING, main_flow, make_chatbot
from tests.support.line import Line

Api = Callable[..., APIClient]
Try = Callable[..., dict[str, Any]]

SLEEPY = draw(
    node("start"),
    node("delay", duration=2, unit="hours"),
    node("question", content="Ainda está aí?", variableName="ok", timeoutSeconds=600),
    node("message", content="Disse: {{ok}}"),
    node("end"),
    edges=[
        edge("start", "delay"),
        edge("delay", "question"),
        edge("question", "message"),
        edge("question", "end", "timeout"),
        edge("message", "end"),
    ],
)


@pytest.fixture
def attempt(api: Api, admin: User) -> Callable[..., Try]:
    """`attempt(flow)` is a client that tries the flow; it holds the state between its turns, as a builder does."""

    def begin(flow: Flow) -> Try:
        held: dict[str, Any] = {}

        def turn(message: Any = None, **fields: Any) -> dict[str, Any]:
            fields = {"now": NOW.isoformat(), **({"state": held} if held else {}), **fields}
            answer = api(admin).post(
                f"/api/v1/flows/{flow.pk}/simulate", {**fields, **({"message": message} if message else {})}
            )
            assert answer.status_code == 200, answer.json()
            body: dict[str, Any] = answer.json()
            held.clear()
            held.update(body["state"])
            return body

        return turn

    return begin


def texts(body: dict[str, Any]) -> list[str]:
    return [message["text"] for message in body["messages"]]


def drawn(*nodes: dict[str, Any]) -> dict[str, Any]:
    return draw(node("start"), *nodes, node("end"))


def test_a_conversation_goes_on_where_the_state_is_and_leaves_no_trace(
    attempt: Callable[..., Try], organization: Organization
) -> None:
    flow = main_flow(make_chatbot(organization, canvas=GREETING))
    turn = attempt(flow)
    first = turn("oi")
    assert first["messages"] == [
        {"type": "text", "content": {"text": "Qual seu nome?"}, "text": "Qual seu nome?"},
    ]
    assert first["waits"] == {"for": "answer", "until": None, "node": "question"}
    assert (first["finished"], first["problem"], first["calls"], first["effects"]) == (False, None, [], [])
    assert [visit["node"] for visit in first["path"]] == ["start"]
    second = turn("Ana")
    assert texts(second) == ["Olá Ana!"]
    assert (second["finished"], second["variables"]) == (True, {"nome": "Ana"})
    assert [(visit["flow"], visit["node"], visit["exit"]) for visit in second["path"]] == [
        (str(flow.pk), "question", "next"),
        (str(flow.pk), "message", "next"),
        (str(flow.pk), "end", ""),
    ]
    assert texts(turn("oi de novo")) == ["Qual seu nome?"]
    rows = [Conversation, Message, FlowSession, Contact]
    assert [model._default_manager.count() for model in rows] == [0, 0, 0, 0]


def test_without_a_message_the_flow_begins(attempt: Callable[..., Try], organization: Organization) -> None:
    assert texts(attempt(main_flow(make_chatbot(organization)))()) == ["Qual seu nome?"]


def test_what_is_shown_is_what_the_channel_would_get(attempt: Callable[..., Try], organization: Organization) -> None:
    asks = drawn(node("question", content="Confirma?", variableName="ok", options=["Sim", "Não"]))
    flow = main_flow(make_chatbot(organization, canvas=asks))
    [said] = attempt(flow)("oi", channel="whatsapp")["messages"]
    ask = Ask("Confirma?", (Choice("Sim", "Sim"), Choice("Não", "Não")))
    [content] = contents.of([ask], channels.get("whatsapp").capabilities)
    assert said == {"type": "interactive", "content": content.body, "text": content.text}


def test_a_simulation_says_what_a_customer_is_sent(
    attempt: Callable[..., Try], line: Line, number: WhatsAppAccount, organization: Organization
) -> None:
    chatbot = make_chatbot(organization, account=number, is_active=False)
    gallery.create_flow(chatbot=chatbot, template_id="satisfaction_survey_pt")
    survey = chatbot.flows.get(is_main=False)
    services.make_main(flow=survey)
    services.activate_chatbot(chatbot=chatbot)
    turn = attempt(survey)
    said = ["Oi", "nota dez", "2", "Demorou", "Sim, quero"]
    simulated = [message for text in said for message in turn(text)["messages"]]
    for text in said:
        line.says(text)
    sent = Message.objects.filter(author="bot").order_by("seq").values("type", "content", "text")
    assert list(sent) == simulated
    assert len(simulated) == 5


def test_a_button_and_a_file_are_answers(attempt: Callable[..., Try], organization: Organization) -> None:
    asks = drawn(
        node("question", id="a", content="Confirma?", variableName="ok", options=[{"value": "s", "label": "Sim"}]),
        node("question", id="b", content="Uma foto?", variableName="foto", responseType="file"),
    )
    turn = attempt(main_flow(make_chatbot(organization, canvas=asks)))
    turn("oi")
    assert turn({"choice": "s"})["variables"] == {"ok": "s"}
    photo = turn({"text": "Aqui", "media": {"type": "image", "url": "https://a.example/b.jpg"}})["variables"]["foto"]
    assert (photo["type"], photo["url"]) == ("image", "https://a.example/b.jpg")


def test_a_draft_is_tried_before_anybody_meets_it(attempt: Callable[..., Try], organization: Organization) -> None:
    flow = main_flow(make_chatbot(organization, publish_on_save=False, is_active=False))
    assert texts(attempt(flow)("oi")) == ["Qual seu nome?"]
    unsaved = drawn(node("message", content="Rascunho"))
    assert texts(attempt(flow)("oi", canvas_data=unsaved)) == ["Rascunho"]
    assert main_flow(flow.chatbot).canvas_data == GREETING


def test_a_jump_lands_in_the_other_flows_draft(attempt: Callable[..., Try], organization: Organization) -> None:
    chatbot = make_chatbot(organization)
    child = services.create_flow(
        chatbot=chatbot, name="Cadastro", canvas_data=drawn(node("message", id="hello", content="No cadastro"))
    )
    changed = drawn(node("message", id="hello", content="No rascunho do cadastro"))
    services.update_chatbot(chatbot=chatbot, publish_on_save=False)
    services.update_flow(flow=child, canvas_data=changed)
    jump = drawn(node("jump", targetFlowId=str(child.pk)))
    flow = services.update_flow(flow=main_flow(chatbot), canvas_data=jump)
    body = attempt(flow)("oi")
    assert texts(body) == ["No rascunho do cadastro"]
    assert [(visit["flow"], visit["node"]) for visit in body["path"]] == [
        (str(flow.pk), "start"),
        (str(flow.pk), "jump"),
        (str(child.pk), "start"),
        (str(child.pk), "hello"),
        (str(child.pk), "end"),
    ]


def test_calls_answer_from_samples_and_scripts_run(attempt: Callable[..., Try], organization: Organization) -> None:
    Secret.objects.create(organization=organization, name="ORDERS", host="api.example", value="s3cret-value")
    canvas = drawn(
        node(
            "api_call",
            url="https://api.example/orders/{{contact.phone}}",
            headers={"Authorization": "Bearer {{secrets.ORDERS}}"},
            responseVariable="order",
        ),
        node("script", scriptCode="return {total: order.items.length * 2}"),
        node("message", content="{{order.id}}: {{total}}"),
    )
    turn = attempt(main_flow(make_chatbot(organization, canvas=canvas)))
    body = turn("oi", samples={"api_call": {"value": {"id": 7, "items": [1, 2]}}}, contact={"phone": "5511"})
    assert texts(body) == ["7: 4"]
    request, script = body["calls"]
    assert (request["node"], request["type"], script["type"]) == ("api_call", "request", "script")
    assert request["request"]["url"] == "https://api.example/orders/5511"
    assert request["request"]["headers"] == [["Authorization", "Bearer {{secrets.ORDERS}}"]]
    assert request["result"] == {
        "ok": True,
        "value": {"id": 7, "items": [1, 2]},
        "status": 200,
        "assigned": {},
        "error": "",
    }
    assert script["result"]["value"] == {"total": 4}


@pytest.mark.parametrize(
    ("data", "samples", "said"),
    [
        ({}, {}, "Falhou: No sample was given for this node."),
        ({"sample": {"id": 1}}, {}, "Veio 1"),
        ({"mockResponse": '{"id": 2}'}, {}, "Veio 2"),
        ({"sample": {"id": 1}}, {"api_call": {"value": {"id": 3}}}, "Veio 3"),
        ({}, {"api_call": {"status": 503, "value": "busy"}}, "Falhou: The call failed."),
        ({}, {"api_call": {"error": "Fora do ar"}}, "Falhou: Fora do ar"),
    ],
)
def test_a_sample_is_given_drawn_or_missing(
    attempt: Callable[..., Try],
    organization: Organization,
    data: dict[str, Any],
    samples: dict[str, Any],
    said: str,
) -> None:
    canvas = draw(
        node("start"),
        node("api_call", url="https://api.example", responseVariable="r", **data),
        node("message", id="came", content="Veio {{r.id}}"),
        node("message", id="failed", content="Falhou: {{r_error.message}}"),
        edges=[edge("start", "api_call"), edge("api_call", "came"), edge("api_call", "failed", "error")],
    )
    flow = main_flow(make_chatbot(organization, canvas=canvas))
    assert texts(attempt(flow)("oi", samples=samples)) == [said]


def test_time_passes_when_it_is_told_to(attempt: Callable[..., Try], organization: Organization) -> None:
    turn = attempt(main_flow(make_chatbot(organization, canvas=SLEEPY)))
    assert turn("oi")["waits"] == {"for": "time", "until": "2026-11-24T17:30:00Z", "node": "delay"}
    woken = turn(wake=True)
    assert texts(woken) == ["Ainda está aí?"]
    assert woken["waits"] == {"for": "answer", "until": "2026-11-24T17:40:00Z", "node": "question"}
    assert turn(wake=True)["finished"] is True


def test_a_silent_customer_is_warned(attempt: Callable[..., Try], organization: Organization) -> None:
    flow = main_flow(make_chatbot(organization))
    rules = {"timeout_minutes": 30, "send_warning_at_minutes": 10, "warning_message": "Oi? {{remaining_minutes}}"}
    services.update_flow(flow=flow, inactivity_settings=rules)
    turn = attempt(flow)
    assert turn("oi")["waits"]["until"] == "2026-11-24T15:40:00Z"
    assert texts(turn(wake=True)) == ["Oi? 20"]
    [effect] = turn(wake=True)["effects"]
    assert (effect["type"], effect["reason"]) == ("hand_over", "The customer was silent for 30 minutes.")


def test_words_that_always_count_do_here(attempt: Callable[..., Try], organization: Organization) -> None:
    keywords = [{"words": ["atendente"], "action": "human", "message": "Já chamo alguém."}]
    turn = attempt(main_flow(make_chatbot(organization, keywords=keywords)))
    turn("oi")
    body = turn("ATENDENTE!")
    assert texts(body) == ["Já chamo alguém."]
    assert [effect["type"] for effect in body["effects"]] == ["hand_over"]
    assert (body["finished"], texts(turn("alô?"))) == (True, [])


def test_a_trigger_leads_to_its_flow_and_every_other_word_to_the_tried_one(
    attempt: Callable[..., Try], organization: Organization
) -> None:
    chatbot = make_chatbot(organization)
    triggers = [{"type": "keyword", "keywords": ["preço"]}]
    services.create_flow(
        chatbot=chatbot, name="Preços", canvas_data=drawn(node("message", content="R$ 10")), triggers=triggers
    )
    tried = services.create_flow(chatbot=chatbot, name="Teste", canvas_data=drawn(node("message", content="Teste")))
    assert texts(attempt(tried)("oi")) == ["Teste"]
    assert texts(attempt(tried)("preco")) == ["R$ 10"]


def test_what_would_not_answer_customers_does_not_answer_here(
    attempt: Callable[..., Try], organization: Organization
) -> None:
    chatbot = make_chatbot(organization)
    cannot, off = (
        services.create_flow(chatbot=chatbot, name=name, canvas_data=canvas, is_active=name != "off")
        for name, canvas in [("cannot", draw(node("start"), node("fax"))), ("off", drawn(node("message", content="?")))]
    )
    keywords = [
        {"words": [flow.name], "action": "flow", "flow_id": str(flow.pk), "message": "Vamos lá"}
        for flow in (cannot, off)
    ]
    services.update_chatbot(chatbot=chatbot, keywords=keywords)
    turn = attempt(main_flow(chatbot))
    assert texts(turn("cannot")) == ["Qual seu nome?"]
    assert texts(turn("off")) == ["Olá off!"]


def test_a_chatbot_is_tried_where_it_answers(attempt: Callable[..., Try], organization: Organization) -> None:
    unknown = ChannelAccount.objects.create(organization=organization, channel="fax", name="Fax")
    chatbot = make_chatbot(organization, account=unknown)
    assert texts(attempt(main_flow(chatbot))("oi")) == ["Qual seu nome?"]


def test_what_a_flow_does_besides_talking_is_told(attempt: Callable[..., Try], organization: Organization) -> None:
    canvas = draw(
        node("start"),
        node("action", actionType="update_field", fieldName="nome", fieldValue="Bia"),
        node("action", id="tag", actionType="add_tag", tagName="vip"),
        node("message", content="Oi {{contact.name}}"),
        node("question", content="E?", variableName="e"),
        node("message", id="again", content="Tchau {{contact.name}}"),
        node("end", closeConversation=True),
    )
    turn = attempt(main_flow(make_chatbot(organization, canvas=canvas)))
    first = turn("oi", contact={"name": "Ana"})
    assert first["effects"] == [
        {"type": "tags", "add": ["vip"], "remove": []},
        {"type": "contact", "fields": {"nome": "Bia"}},
    ]
    assert texts(first) == ["Oi Ana", "E?"]
    second = turn("nada")
    assert (texts(second), second["effects"]) == (["Tchau Bia"], [{"type": "close"}])


def test_a_flow_that_goes_in_circles_says_so(attempt: Callable[..., Try], organization: Organization) -> None:
    flow = main_flow(make_chatbot(organization))
    circle = draw(
        node("start"),
        node("condition", conditions=[{"variable": "never", "operator": "==", "value": "1"}]),
        node("message", content="E de novo"),
        node("end"),
        edges=[
            edge("start", "message"),
            edge("message", "condition"),
            edge("condition", "end", "condition-0"),
            edge("condition", "message", "condition-default"),
        ],
    )
    body = attempt(flow)("oi", canvas_data=circle)
    assert "goes in circles" in body["problem"]
    assert (body["messages"], body["finished"]) == ([], True)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"state": {"x": 1}, "message": "oi"}, "invalid_state"),
        ({"state": [], "message": "oi"}, "validation_error"),
        ({"state": {"conversation": "x"}, "message": "oi"}, "invalid_state"),
        ({"state": {"person": {"notes": "x" * 300_000}}, "message": "oi"}, "state_too_large"),
        ({"state": {"conversation": str(uuid.uuid4())}}, "validation_error"),
        ({"state": {"conversation": str(uuid.uuid4())}, "wake": True}, "nothing_to_wait_for"),
        ({"wake": True}, "nothing_to_wait_for"),
        ({"message": {"text": "oi", "else": 1}}, "validation_error"),
        ({"message": "x" * 5000}, "validation_error"),
        ({"message": "oi", "wake": True}, "validation_error"),
        ({"channel": "fax"}, "validation_error"),
        ({"now": "1900-01-01T00:00:00Z"}, "validation_error"),
        ({"samples": {"api_call": 7}}, "validation_error"),
        ({"contact": {"nome": "Ana"}}, "validation_error"),
        ({"canvas_data": {"nodes": [{"id": "x", "type": "fax"}]}}, "flow_cannot_run"),
    ],
)
def test_what_cannot_be_tried_is_refused(
    api: Api, admin: User, organization: Organization, fields: dict[str, Any], code: str
) -> None:
    flow = main_flow(make_chatbot(organization))
    answer = api(admin).post(f"/api/v1/flows/{flow.pk}/simulate", fields)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_a_state_names_nodes_of_this_chatbot_alone(
    api: Api, admin: User, attempt: Callable[..., Try], organization: Organization
) -> None:
    flow, other = (main_flow(make_chatbot(organization)) for _ in range(2))
    state = attempt(flow)("oi")["state"]
    foreign = [
        {**state, "flow": str(other.pk)},
        {**state, "session": {**state["session"], "node": "elsewhere"}},
        {**state, "session": {**state["session"], "flow": str(other.pk)}},
        {**state, "session": {**state["session"], "stack": [[str(other.pk), "question"]]}},
        {**state, "session": None},
    ]
    for bad in foreign:
        answer = api(admin).post(f"/api/v1/flows/{flow.pk}/simulate", {"state": bad, "message": "oi"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_state")


def test_what_a_client_cannot_hold_is_not_given(api: Api, admin: User, organization: Organization) -> None:
    canvas = drawn(
        node("api_call", url="https://a.example", responseVariable="r"),
        node("question", content="E?", variableName="e"),
    )
    flow = main_flow(make_chatbot(organization, canvas=canvas))
    body = {"message": "oi", "samples": {"api_call": {"value": "x" * 300_000}}}
    answer = api(admin).post(f"/api/v1/flows/{flow.pk}/simulate", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "state_too_large")


ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_no_state_however_odd_breaks_anything(data: st.DataObject) -> None:
    chatbot = Chatbot(organization_id=uuid.uuid4(), name="Sol")
    flow = Flow(organization_id=chatbot.organization_id, chatbot=chatbot, name="Sol", canvas_data=SLEEPY)
    stage = simulation.assemble(chatbot, [flow], tried=flow.pk)
    state = simulation.turn(stage, memory.Memory(), simulation.Said(text="oi"), now=NOW).memory.dump()
    if data.draw(st.booleans()):
        state = simulation.wake(stage, memory.read(state, stage.flows), now=NOW).memory.dump()
    broken: Any = copy.deepcopy(state)
    place = broken
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if isinstance(place[key], dict) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        place[key] = data.draw(ODD)
        break
    with contextlib.suppress(memory.InvalidState, memory.StateTooLarge):
        held = memory.read(broken, stage.flows)
        for said in (simulation.Said(text="oi"), None):
            held = simulation.turn(stage, held, said, now=NOW).memory
            held.dump()
