from typing import Any

import pytest

from apps.flows import engine, graph
from apps.flows.calls import Call, Email, Request, Result, Script
from apps.flows.effects import HandOver, Know, Tag
from apps.flows.engine import Returned, State, Step
from apps.flows.nodes import base
from tests.flows.canvases import NOW, draw, edge, load, node, problems, talk
from tests.flows.nodes.test_api_call import answer


def act(**data: Any) -> dict[str, Any]:
    """A flow that does something."""
    return draw(node("start"), node("action", **data), node("end"))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            {"actionType": "save_contact", "contactFields": {"name": "{{nome}}", "email": "email", "origem": "site"}},
            (Know("name", "Ana"), Know("email", "ana@sol.example"), Know("origem", "site")),
        ),
        ({"action_type": "save_contact", "contact_data": {"name": "Dona {{nome}}"}}, (Know("name", "Dona Ana"),)),
        ({"actionType": "add_tag", "tagName": "cliente {{tipo}}"}, (Tag(("cliente novo",)),)),
        ({"actionType": "remove_tag", "tagName": "novo"}, (Tag(("novo",), removes=True),)),
        (
            {"actionType": "update_field", "fieldName": "company", "fieldValue": "{{nome}} SA"},
            (Know("company", "Ana SA"),),
        ),
        ({"actions": [{"type": "save_contact", "config": {"fields": {"idade": "idade"}}}]}, (Know("idade", 30),)),
    ],
)
def test_every_dialect_keeps_and_tags(data: dict[str, Any], expected: tuple[Know | Tag, ...]) -> None:
    known = {"nome": "Ana", "email": "ana@sol.example", "tipo": "novo", "idade": 30}
    step = talk(act(**data), known=known)
    assert (step.effects, step.finished) == (expected, True)


def test_several_actions_are_done_in_their_order() -> None:
    actions = [
        {"type": "update_variable", "config": {"variableName": "n", "operation": "increment", "value": 2}},
        {"type": "save_contact", "config": {"fields": {"visitas": "n"}}},
    ]
    step = talk(act(actions=actions), known={"n": 1})
    assert (step.effects, step.state.variables) == ((Know("visitas", 3),), {"n": 3})


WEBHOOK: dict[str, Any] = {"actionType": "webhook", "webhookUrl": "https://sol.example/x"}


def call(known: dict[str, Any] | None = None, **data: Any) -> Call | None:
    """What the action wants of the world."""
    return talk(act(**data), known=known).call


@pytest.mark.parametrize(
    "data",
    [
        {
            "actionType": "webhook",
            "webhookUrl": "https://{{h}}/x",
            "webhookMethod": "put",
            "timeout": 10,
            "body": "{{h}}",
        },
        {
            "actions": [
                {
                    "type": "webhook",
                    "config": {
                        "url": "https://{{h}}/x",
                        "method": "PUT",
                        "headers": {},
                        "body": "{{h}}",
                        "timeout": 10,
                    },
                }
            ]
        },
    ],
)
def test_every_dialect_sends_a_webhook(data: dict[str, Any]) -> None:
    assert call({"h": "sol.example"}, **data) == Request("PUT", "https://sol.example/x", body="sol.example", timeout=10)


def test_a_webhook_without_a_body_says_what_the_session_has_set() -> None:
    canvas = draw(
        node("start"),
        node("set_variable", variableName="n", variableValue=7),
        node("action", **WEBHOOK, headers={"Authorization": "Bearer {{secrets.A}}"}),
    )
    request = talk(canvas, known={"contact": {"phone": "+55"}, "API_TOKEN": "t"}).call
    assert isinstance(request, Request)
    assert (request.method, request.body, [*request.secrets.values()]) == ("POST", '{"n": 7}', ["A"])


def test_a_webhook_that_gets_has_no_body() -> None:
    request = call(**WEBHOOK, webhookMethod="GET")
    assert isinstance(request, Request)
    assert (request.body, request.headers) == (None, ())


@pytest.mark.parametrize(
    "data",
    [
        {"action_type": "script", "script": "return 1", "output_variable": "r"},
        {"actions": [{"type": "script", "config": {"code": "return 1", "outputVariable": "r"}}]},
    ],
)
def test_every_dialect_runs_a_script(data: dict[str, Any]) -> None:
    assert call({"a": 1}, **data) == Script("return 1", {"a": 1})
    assert answer(act(**data), Result(ok=True, value={"b": 2})).state.variables == {"b": 2, "r": {"b": 2}}


def test_a_script_of_the_production_flow_is_run() -> None:
    [place] = [one for one in load("appointment_booking_v1")["nodes"] if one["id"] == "node_10"]
    script = talk(draw(node("start"), place)).call
    assert isinstance(script, Script)
    assert script.code == place["data"]["script"]


def test_a_letter_of_the_production_flow_lists_its_variables() -> None:
    [place] = [one for one in load("appointment_booking_v1")["nodes"] if one["id"] == "node_15"]
    known = {
        "customer_email": "ana@sol.example",
        "appointment_date": "1/12",
        "customer_name": "Ana",
        "booking_response": {"id": 9},
    }
    assert talk(draw(node("start"), place), known=known).call == Email(
        ("ana@sol.example",),
        "Confirmação de Agendamento - 1/12",
        "Confirmação de Agendamento - 1/12\n\n"
        "customer_name: Ana\nservice_type: \nappointment_date: 1/12\nappointment_time: \n"
        "professional_name: \nappointment_id: 9",
    )


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        (
            {"to": "{{email}}, bia@sol.example;", "subject": "Oi {{nome}}", "body": "Olá, {{nome}}.\nAté!"},
            Email(("ana@sol.example", "bia@sol.example"), "Oi Ana", "Olá, Ana.\nAté!"),
        ),
        (
            {"to": "{{email}}", "subject": "{{linhas}}", "text": "{{quem}}", "variables": {"quem": "{{nome}}!"}},
            Email(("ana@sol.example",), "a b", "Ana!"),
        ),
        ({"to": "{{nada}}", "body": "x"}, Email((), "", "x")),
    ],
)
def test_a_letter_is_written_in_an_object_or_without(details: dict[str, Any], expected: Email) -> None:
    known = {"email": "ana@sol.example", "nome": "Ana", "linhas": "a\nb"}
    assert call(known, action_type="send_email", email_data=details) == expected
    assert call(known, actions=[{"type": "send_email", "config": details}]) == expected
    assert call(known, actionType="send_email", **details) == expected


def test_a_letter_to_a_crowd_breaks_the_flow_off() -> None:
    step = talk(act(actionType="send_email", to=",".join(f"a{number}@sol.example" for number in range(11)), body="x"))
    assert step.problem is not None
    assert "10 people at most" in step.problem.message


SEVERAL = [
    {"type": "update_variable", "config": {"variableName": "n", "value": 1}},
    {"type": "webhook", "config": {"url": "https://sol.example/{{n}}", "saveResponseTo": "r"}},
    {"type": "update_variable", "config": {"variableName": "n", "operation": "increment", "value": "{{r.mais}}"}},
    {"type": "add_tag", "config": {"tagName": "cliente"}},
    {"type": "script", "config": {"code": "n", "outputVariable": "s"}},
    {"type": "save_contact", "config": {"fields": {"visitas": "s"}}},
]


def go_on(canvas: dict[str, Any], *results: Result) -> list[Step]:
    """The steps of a flow whose calls come back with these."""
    compiled = graph.compile(canvas)
    steps = [engine.advance(compiled, State(), None, now=NOW)]
    for result in results:
        steps.append(engine.advance(compiled, steps[-1].state, Returned(result), now=NOW))
    return steps


def test_several_calls_are_made_in_their_order_with_what_came_before() -> None:
    asked, ran, done = go_on(
        act(actions=SEVERAL), Result(ok=True, value={"mais": 5}, status=200), Result(ok=True, value=42)
    )
    assert isinstance(asked.call, Request)
    assert (asked.call.url, asked.call.body, asked.effects) == ("https://sol.example/1", '{"n": 1}', ())
    known = {"n": 6, "r": {"mais": 5}, "r_status": 200}
    assert (ran.call, ran.effects) == (Script("n", known), (Tag(("cliente",)),))
    assert (done.effects, done.finished) == ((Know("visitas", 42),), True)
    assert done.state.variables == {**known, "s": 42}
    assert [(left.node, left.exit) for left in done.path] == [("action", "next"), ("end", "")]


def test_a_call_that_fails_is_passed_over_or_ends_it() -> None:
    failed = Result(ok=False, error="No.")
    passed = go_on(act(actions=SEVERAL), failed)[-1]
    assert passed.call == Script("n", {"n": 2, "r": None})
    stops = [{"type": "webhook", "config": {"url": "https://sol.example", "errorHandling": {"onError": "stop"}}}]
    [hand_over] = go_on(act(actions=[*stops, *SEVERAL]), failed)[-1].effects
    assert hand_over == HandOver("The flow failed at node 'action': No.", priority="high")
    [hand_over] = go_on(act(**WEBHOOK, continueOnError=False), failed)[-1].effects
    assert isinstance(hand_over, HandOver)


def test_a_failure_goes_by_the_way_that_is_drawn_for_it_past_what_is_left() -> None:
    canvas = act(actions=SEVERAL)
    canvas["edges"].append(edge("action", "end", "error"))
    step = go_on(canvas, Result(ok=False, error="No.", status=500))[-1]
    assert (step.call, step.effects, step.finished) == (None, (), True)
    assert step.state.variables == {"n": 1, "r_error": {"message": "No.", "status": 500}}


def test_it_tells_which_variables_it_sets_and_which_secrets_it_names() -> None:
    webhook = {"type": "webhook", "config": {"url": "https://sol.example/{{secrets.A}}", "saveResponseTo": "r"}}
    place = graph.compile(act(actions=[SEVERAL[0], webhook])).places["action"]
    assert place.node.writes(place.config, place.id) == {"n", "r", "r_status", "r_error"}
    assert [one.name for one in place.node.refers(place.config)] == ["A"]
    place = graph.compile(act(actions=SEVERAL)).places["action"]
    assert place.node.writes(place.config, place.id) >= base.ANY


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"actionType": "add_tag"}, "actions.0.add_tag.tagName"),
        ({"actionType": "save_contact"}, "actions.0.save_contact.contactFields"),
        ({"actionType": "update_field", "fieldValue": "x"}, "actions.0.update_field.fieldName"),
        (
            {"actions": [{"type": "update_variable", "config": {"value": 1}}]},
            "actions.0.update_variable.assignment.variableName",
        ),
        ({"actionType": "webhook"}, "actions.0.webhook.url"),
        ({"actionType": "webhook", "webhookUrl": "ftp://x"}, "actions.0.webhook.webhookUrl"),
        ({"actionType": "send_email", "email_data": {"body": "x"}}, "actions.0.send_email.to"),
        ({"actionType": "script"}, "actions.0.script.code"),
        ({"actionType": "script", "script": "1", "language": "python"}, "actions.0.script.language"),
        ({"actionType": "explode"}, "actions.0"),
        ({"actions": [{"type": "add_tag", "config": {"tagName": "x"}}] * 21}, "actions"),
        ({}, "actions.0"),
    ],
)
def test_what_is_no_action_is_a_problem(data: dict[str, Any], field: str) -> None:
    assert [(where, named) for where, named, _ in problems(act(**data))] == [("action", field)]
