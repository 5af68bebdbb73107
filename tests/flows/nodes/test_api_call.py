import json
from typing import Any

import pytest

from apps.flows import engine, graph
from apps.flows.calls import Request, Result
from apps.flows.effects import HandOver, Say
from apps.flows.engine import Returned, State, Step
from apps.flows.nodes import nodes
from tests.flows.canvases import NOW, draw, edge, load, node, problems, talk

URL = "https://api.sol.example/pedidos"
KNOWN = {"nome": "Ana Maria", "n": 7, "itens": [{"id": 1}], "aspas": 'a"b\\', "vip": True, "linhas": "a\nX-Evil: 1"}


def ask(**data: Any) -> dict[str, Any]:
    """A flow that asks an API, and says so."""
    return draw(node("start"), node("api_call", **{"url": URL, **data}), node("message", content="ok {{api_response}}"))


def request(**data: Any) -> Request:
    """What the node wants."""
    call = talk(ask(**data), known=KNOWN).call
    assert isinstance(call, Request)
    return call


def answer(canvas: dict[str, Any], result: Result, known: dict[str, Any] | None = None) -> Step:
    """What comes of it when the call has come back."""
    compiled = graph.compile(canvas)
    asked = engine.advance(compiled, State(), None, known, now=NOW)
    state = State.load(json.loads(json.dumps(asked.state.dump())))
    return engine.advance(compiled, state, Returned(result), known, now=NOW)


def test_a_request_of_the_production_flow_is_read() -> None:
    places = [one for one in load("appointment_booking_v1")["nodes"] if one["type"] == "api_call"]
    known = {"API_URL": "https://sol.example", "API_TOKEN": "t", "service_type": "Odontologia", "appointment_date": "1"}
    availability, booking = (talk(draw(node("start"), place), known=known).call for place in places)
    assert availability == Request(
        "GET",
        "https://sol.example/calendar/availability",
        (("Authorization", "Bearer t"),),
        (("service", "Odontologia"), ("days", "7")),
    )
    assert isinstance(booking, Request)
    assert (booking.method, booking.url) == ("POST", "https://sol.example/calendar/appointments")
    assert booking.headers == (("Authorization", "Bearer t"), ("Content-Type", "application/json"))
    assert json.loads(booking.body or "") == {
        **dict.fromkeys(["customer_name", "customer_phone", "customer_email", "time", "professional"], ""),
        "service_type": "Odontologia",
        "date": "1",
    }


@pytest.mark.parametrize(
    ("data", "headers", "query"),
    [
        ({"headers": {"X-Nome": "{{nome}}"}}, (("X-Nome", "Ana Maria"),), ()),
        ({"headers": [{"key": "X-N", "value": 7}, {"key": "", "value": ""}]}, (("X-N", "7"),), ()),
        ({"headers": [{"name": "X-Vip", "value": "{{vip}}"}]}, (("X-Vip", "true"),), ()),
        ({"headers": {"X-Nota": "{{linhas}}"}}, (("X-Nota", "a X-Evil: 1"),), ()),
        (
            {"queryParams": {"q": "{{nome}}", "vazio": None, "tag": ["a", "b"]}},
            (),
            (("q", "Ana Maria"), ("tag", "a"), ("tag", "b")),
        ),
        ({"query_params": [{"key": "vip", "value": True}]}, (), (("vip", "true"),)),
    ],
)
def test_headers_and_query_are_read_from_objects_and_lists(data: dict[str, Any], headers: Any, query: Any) -> None:
    call = request(**data)
    assert (call.headers, call.query) == (headers, query)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"n": "{{n}}", "itens": "{{ itens }}", "oi": "Oi {{nome}}"},
            {"n": 7, "itens": [{"id": 1}], "oi": "Oi Ana Maria"},
        ),
        ('{"n": "{{n}}", "texto": "{{aspas}}"}', {"n": 7, "texto": 'a"b\\'}),
        ('{"n": {{n}}, "texto": {{ aspas }}}', {"n": 7, "texto": 'a"b\\'}),
        ('["{{vip}}", "{{nome | upcase}}", "{{nada}}", 1.5, null]', [True, "ANA MARIA", "", 1.5, None]),
        ("{{itens}}", [{"id": 1}]),
    ],
)
def test_a_body_that_is_json_keeps_the_types_of_variables(body: Any, expected: Any) -> None:
    call = request(method="post", body=body)
    assert json.loads(call.body or "") == expected
    assert (call.method, call.headers) == ("POST", (("Content-Type", "application/json"),))


@pytest.mark.parametrize(
    ("data", "body", "headers"),
    [
        ({"method": "POST", "body": "nome={{nome}}"}, "nome=Ana Maria", ()),
        ({"method": "PUT", "body": "{n: {{n}}}"}, "{n: 7}", ()),
        ({"method": "GET", "body": {}}, None, ()),
        ({"method": "POST", "body": ""}, None, ()),
        ({"method": "POST", "body": {}}, "{}", (("Content-Type", "application/json"),)),
        (
            {"method": "PATCH", "body": [], "headers": {"content-type": "application/merge-patch+json"}},
            "[]",
            (("content-type", "application/merge-patch+json"),),
        ),
    ],
)
def test_a_body_that_is_no_json_is_text(data: dict[str, Any], body: str | None, headers: Any) -> None:
    call = request(**data)
    assert (call.body, call.headers) == (body, headers)


@pytest.mark.parametrize(
    ("data", "timeout", "retries", "delay"),
    [
        ({}, 30, 0, 2),
        ({"timeout": 5}, 5, 0, 2),
        ({"timeout": "0.1"}, 1, 0, 2),
        ({"timeout": 120}, 60, 0, 2),
        ({"timeout": 5000}, 5, 0, 2),
        ({"errorHandling": {"onError": "retry"}}, 30, 1, 2),
        ({"error_handling": {"on_error": "retry", "max_retries": 3, "retry_delay": 0.5}}, 30, 3, 0.5),
        ({"errorHandling": {"onError": "stop", "maxRetries": 3}}, 30, 0, 2),
        ({"retryOnFailure": True}, 30, 1, 2),
    ],
)
def test_a_request_has_its_time_and_its_retries(
    data: dict[str, Any], timeout: float, retries: int, delay: float
) -> None:
    call = request(**data)
    assert (call.timeout, call.retries, call.retry_delay) == (timeout, retries, delay)


def test_blanks_of_a_variable_do_not_break_the_address() -> None:
    assert request(url=URL + "/{{nome}}?q={{linhas}}").url == f"{URL}/Ana%20Maria?q=a%0AX-Evil:%201"


def test_marks_stand_for_secrets_wherever_they_are_named() -> None:
    call = request(
        url=URL + "/{{secrets.CHAVE}}",
        method="POST",
        headers={"Authorization": "Bearer {{ secrets.TOKEN }}"},
        queryParams={"key": "{{secrets['a b']}}"},
        body={"senha": "{{secrets.CHAVE}}"},
    )
    marks = {name: mark for mark, name in call.secrets.items()}
    assert marks.keys() == {"CHAVE", "TOKEN", "a b"}
    assert all(len(mark) == 32 for mark in marks.values())
    assert call.url == f"{URL}/{marks['CHAVE']}"
    assert call.headers[0] == ("Authorization", f"Bearer {marks['TOKEN']}")
    assert call.query == (("key", marks["a b"]),)
    assert call.body == json.dumps({"senha": marks["CHAVE"]})


def test_marks_are_made_anew_at_each_visit() -> None:
    headers = {"X-Key": "{{secrets.A}}"}
    assert request(headers=headers).secrets.keys().isdisjoint(request(headers=headers).secrets.keys())


def test_a_variable_cannot_name_a_secret() -> None:
    call = talk(
        ask(queryParams={"q": "{{dito}}", "s": "{{secrets}}"}), known={"dito": "{{secrets.TOKEN}}", "secrets": "x"}
    ).call
    assert isinstance(call, Request)
    assert (call.query, call.secrets) == ((("q", "{{secrets.TOKEN}}"), ("s", "")), {})


@pytest.mark.parametrize(
    ("written", "auth"), [("bearer", "bearer"), ("api_key", "api_key"), ("apiKey", "api_key"), ("Basic", "basic")]
)
def test_a_secret_authenticates(written: str, auth: str) -> None:
    call = request(authType=written, secretId="chave")
    assert (call.auth, call.secrets) == (auth, {call.credential: "chave"})
    assert call.credential


def test_the_secrets_that_it_names_are_told() -> None:
    compiled = graph.compile(ask(authType="basic", secretId="um", body={"a": "{{secrets.DOIS}}"}))
    place = compiled.places["api_call"]
    assert [(one.kind, one.name) for one in place.node.refers(place.config)] == [("secret", "um"), ("secret", "DOIS")]


@pytest.mark.parametrize("url", ["https://{{secrets.A}}.example/x", "https://{{secrets.A}}@sol.example"])
def test_a_secret_in_the_host_of_an_address_is_a_problem(url: str) -> None:
    assert problems(ask(url=url)) == [("api_call", "url", "value_error")]


@pytest.mark.parametrize("url", ["{{secrets.A}}.example/x", "{% if vip %}https://{% endif %}{{secrets.A}}/x"])
def test_a_secret_that_comes_to_stand_in_the_host_breaks_the_flow_off(url: str) -> None:
    step = talk(ask(url=url), known=KNOWN)
    assert step.problem is not None
    assert (step.problem.node, step.call) == ("api_call", None)


def test_more_body_than_a_request_may_have_breaks_the_flow_off() -> None:
    step = talk(ask(method="POST", body={"a": "{{longo}}"}), known={"longo": "x" * 600_000})
    assert step.problem is not None
    assert "longer than" in step.problem.message


ANSWER = {"data": [{"id": 9, "slots": ["8h", "9h"]}], "ok": True}


def test_an_answer_is_kept_whole_with_its_status_and_by_its_paths() -> None:
    mapping = {"primeiro": "data[0].id", "hora": "$.data.0.slots[1]", "tudo": "$", "nada": "data[5].id"}
    step = answer(ask(responseVariable="r", responseMapping=mapping), Result(ok=True, value=ANSWER, status=200))
    assert step.state.variables == {
        "r": ANSWER,
        "r_status": 200,
        "primeiro": 9,
        "hora": "9h",
        "tudo": ANSWER,
        "nada": None,
    }
    assert step.finished


@pytest.mark.parametrize(
    "data",
    [
        {"response_mapping": [{"variable": "x", "path": "[0].id"}], "output_variable": "r"},
        {"responseMapping": {"x": "{{ [0].id }}"}, "outputVariable": "r"},
    ],
)
def test_every_dialect_maps_the_answer(data: dict[str, Any]) -> None:
    step = answer(ask(**data), Result(ok=True, value=[{"id": 5}], status=201))
    assert step.state.variables == {"r": [{"id": 5}], "r_status": 201, "x": 5}


FAILED = Result(ok=False, status=503, error="The server said 503.")


def test_a_failure_goes_by_the_way_that_is_drawn_for_it() -> None:
    canvas = ask(errorHandling={"onError": "stop"})
    canvas["nodes"].append(node("message", "falhou", content="{{api_response_error.message}}"))
    canvas["edges"].append(edge("api_call", "falhou", "error"))
    step = answer(canvas, FAILED)
    assert step.effects == (Say("The server said 503."),)
    assert step.state.variables == {"api_response_error": {"message": "The server said 503.", "status": 503}}
    assert (step.path[0].exit, step.path[0].error) == ("error", "The server said 503.")


@pytest.mark.parametrize(
    "data",
    [{"errorHandling": {"onError": "stop"}}, {"error_handling": {"on_error": "stop"}}, {"continueOnError": False}],
)
def test_a_failure_ends_a_flow_that_is_to_stop(data: dict[str, Any]) -> None:
    step = answer(ask(**data), FAILED)
    reason = "The flow failed at node 'api_call': The server said 503."
    assert (step.effects, step.finished) == ((HandOver(reason, priority="high"),), True)
    assert step.path[0].error == "The server said 503."


@pytest.mark.parametrize(
    ("data", "value", "said"),
    [
        ({}, None, "ok"),
        ({"errorHandling": {"fallbackValue": "nada"}}, "nada", "ok nada"),
        ({"errorHandling": {"onError": "retry", "fallbackValue": 0}}, 0, "ok 0"),
        ({"continueOnError": True, "retryOnFailure": True}, None, "ok"),
    ],
)
def test_a_flow_goes_on_after_a_failure_with_what_stands_in(data: dict[str, Any], value: Any, said: str) -> None:
    step = answer(ask(**data), FAILED)
    assert [effect.text.strip() for effect in step.effects if isinstance(effect, Say)] == [said]
    assert step.state.variables == {"api_response": value}
    assert (step.path[0].exit, step.path[0].error) == ("next", "The server said 503.")


@pytest.mark.parametrize("handle", ["success", "true", "Sucesso", "output", None])
def test_success_has_its_names(handle: str | None) -> None:
    canvas = ask()
    canvas["edges"][1] = edge("api_call", "message", handle)
    assert graph.compile(canvas).places["api_call"].exits == {"next": "message"}


def test_it_tells_which_variables_it_sets() -> None:
    place = graph.compile(ask(responseVariable="r", responseMapping={"x": "a"})).places["api_call"]
    assert place.node.writes(place.config, place.id) == {"r", "r_status", "r_error", "x"}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"url": ""}, "url"),
        ({"url": "ftp://sol.example"}, "url"),
        ({"url": "sol.example"}, "url"),
        ({"url": "{{"}, "url"),
        ({"method": "TRACE"}, "method"),
        ({"headers": "X: 1"}, "headers"),
        ({"headers": ["X: 1"]}, "headers"),
        ({"headers": {"X-{{nome}}": "1"}}, "headers"),
        ({"headers": {"Host": "outro.example"}}, "headers"),
        ({"headers": {"a\nb": "1"}}, "headers"),
        ({"queryParams": 3}, "queryParams"),
        ({"queryParams": {str(number): "x" for number in range(101)}}, "queryParams"),
        ({"body": 3}, "body"),
        ({"body": {"a": "{{"}}, "body"),
        ({"body": "[" * 40 + "]" * 40}, "body"),
        ({"body": ["x"] * 501}, "body"),
        ({"authType": "bearer"}, ""),
        ({"authType": "oauth", "secretId": "x"}, "authType"),
        ({"timeout": -1}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"responseMapping": {"x": "a b"}}, "responseMapping"),
        ({"responseMapping": {"1x": "a"}}, "responseMapping"),
        ({"responseVariable": "a b"}, "responseVariable"),
        ({"errorHandling": {"onError": "explode"}}, "errorHandling.onError"),
        ({"errorHandling": "stop"}, "errorHandling"),
    ],
)
def test_what_is_no_request_is_a_problem(data: dict[str, Any], field: str) -> None:
    assert [(where, named) for where, named, _ in problems(ask(**data))] == [("api_call", field)]


def test_it_goes_by_two_names() -> None:
    assert nodes.get("api_call").aliases == ("api",)
