"""Secrets in canvases: found wherever they hide, and ordinary texts left alone."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.flows import leaks
from tests.flows.canvases import draw, load, node

# Put together here, so that no scanner takes this file for a leak.
META = "EAA" + "Gm0PX4ZCps8BAKZC2qT7wR5vN1yK9dLhF3xJ6bM"
OPENAI = "sk-" + "proj-abc123DEF456ghi789JKL"
GITHUB = "ghp_" + "a1B2" * 9
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9" + "." + "eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0" + ".c2lnbmF0dXJl"
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE"


def found(**data: Any) -> list[str]:
    """The fields in which a secret stands."""
    return [problem.field for problem in leaks.find(draw(node("start"), node("api_call", "a", **data)))]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"apiKey": "a8f5f167f44f"}, "apiKey"),
        ({"api_key": "a8f5f167f44f"}, "api_key"),
        ({"password": "segredo"}, "password"),
        ({"password": 12345678}, "password"),
        ({"auth": {"clientSecret": "a8f5f167f44f"}}, "auth.clientSecret"),
        ({"actions": [{"type": "webhook", "config": {"accessToken": "abc123"}}]}, "actions.0.config.accessToken"),
        ({"connectionString": "host=db user=ana password=segredo"}, "connectionString"),
        ({"contactFields": {"token": "a8f5f167f44f"}}, "contactFields.token"),
        ({"headers": {"Authorization": "Bearer a8f5f167f44f"}}, "headers.Authorization"),
        ({"headers": {"authorization": "a8f5f167f44f"}}, "headers.authorization"),
        ({"headers": {"Authorization": "Basic YW5hOnNlZ3JlZG8="}}, "headers.Authorization"),
        ({"headers": {"X-API-Key": "chave"}}, "headers.X-API-Key"),
        ({"headers": [{"key": "X-API-Key", "value": "a8f5f167f44f"}]}, "headers.0.value"),
        ({"headers": [{"name": "Authorization", "value": "Token a8f5f167f44f"}]}, "headers.0.value"),
        ({"headers": {"Cookie": "lang=pt; session=a8f5f167f44f"}}, "headers.Cookie"),
        ({"queryParams": [{"key": "access_token", "value": "a8f5f167f44f"}]}, "queryParams.0.value"),
        ({"queryParams": {"api_key": "a8f5f167f44f"}}, "queryParams.api_key"),
        ({"body": {"usuario": "ana", "senha": "segredo"}}, "body.senha"),
        ({"body": '{"login": {"password": "segredo"}}'}, "body.login.password"),
        ({"content": f"Use {META}"}, "content"),
        ({"code": f"const key = '{OPENAI}'"}, "code"),
        ({"url": f"https://sol.example?key={GITHUB}"}, "url"),
        ({"value": "github_pat_" + "11ABCDEFG0123456789abcdef"}, "value"),
        ({"value": "xoxb-" + "123456789012-abcdef"}, "value"),
        ({"value": AWS}, "value"),
        ({"value": "AIza" + "SyA1234567890abcdefghijklmnopqrstuvwx"}, "value"),
        ({"value": "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"}, "value"),
        ({"value": [{"deep": [JWT]}]}, "value.0.deep.0"),
        ({"text": PEM}, "text"),
        ({"url": "https://ana:s3gredo@sol.example/x"}, "url"),
        ({"query": "postgresql://ana:s3gredo@db:5432/loja"}, "query"),
    ],
)
def test_a_secret_is_found_wherever_it_stands(data: dict[str, Any], field: str) -> None:
    assert found(**data) == [field]


@pytest.mark.parametrize(
    "data",
    [
        {"questionText": "Qual é a sua senha?", "outputVariable": "password"},
        {"label": "Token", "content": "Digite o token que enviamos por SMS: ele tem 6 números."},
        {"password": ""},
        {"apiKey": None, "token": True},
        {"apiKey": "{{secrets.CHAVE}}", "password": "{{ secrets.SENHA }}"},
        {"apiKey": "YOUR_API_KEY", "token": "<seu token>", "password": "********", "clientSecret": "sua-chave-aqui"},
        {"password": "Informe a sua senha de acesso"},
        {"headers": {"Authorization": "Bearer {{API_TOKEN}}", "X-API-Key": "{{secrets.CHAVE}}"}},
        {"headers": [{"key": "Authorization", "value": "Basic {{secrets.BASIC}}"}, {"key": "", "value": ""}]},
        {"headers": {"Authorization": "", "Content-Type": "application/json", "Cookie": "session={{sessao}}"}},
        {"headers": [{"key": "Accept", "value": "application/json"}]},
        {"contactFields": {"token": "user_token", "password": "senha"}},
        {"responseMapping": {"token": "data.access_token", "secret": "$.itens[0].chave"}},
        {"variables": [{"name": "token", "value": "pendente"}]},
        {"options": [{"value": "token", "label": "Esqueci meu token"}]},
        {"secretId": "7b1e0f3c-5a50-4c5e-9d0e-111111111111", "authType": "api_key"},
        {"body": '{"password": "{{senha}}"}'},
        {"body": "{ isto não é JSON"},
        {"url": "https://sol.example:8443/a@b?x=1", "content": "Fale com ana@sol.example: https://sol.example"},
        {"url": "https://ana:{{secrets.SENHA}}@sol.example"},
        {"content": "Nossos produtos: task-manager-with-a-long-hyphenated-name-2000, EAA, sk-8, AKIA e eyJ."},
        {"code": "const token = login(user);"},
    ],
)
def test_an_ordinary_text_is_no_secret(data: dict[str, Any]) -> None:
    assert found(**data) == []


@pytest.mark.parametrize(
    "flow", ["ai_generator_builder_format_flow", "appointment_booking_v1", "seed_mapping_doc_flow"]
)
def test_flows_of_production_hold_no_secret(flow: str) -> None:
    assert leaks.find(load(flow)) == []


def test_a_finding_says_where_and_what_to_do_and_never_the_secret() -> None:
    [problem] = leaks.find(draw(node("api_call", "n1", headers={"Authorization": f"Bearer {META}"})))
    assert (problem.node, problem.field, problem.code) == ("n1", "headers.Authorization", "secret_in_canvas")
    assert problem.severity == "error"
    assert "/api/v1/secrets" in problem.message
    assert "{{secrets.NAME}}" in problem.message
    assert META not in problem.message


def test_each_of_many_secrets_is_found_up_to_a_hundred() -> None:
    canvas = draw(*[node("api_call", str(number), apiKey="a8f5f167f44f", token="b2") for number in range(80)])
    assert len(leaks.find(canvas)) == 100


def _deep(levels: int) -> Any:
    value: Any = META
    for _ in range(levels):
        value = {"a" * 40: [value]}
    return value


@pytest.mark.parametrize(
    "data",
    [
        {"x": "eyJ" * 700_000},
        {"x": "EAA" * 700_000},
        {"x": "://" * 700_000},
        {"x": "://a:b" * 350_000},
        {"x": "sk-" * 700_000},
        {"x": "-----BEGIN " * 200_000},
        {"headers": {"Authorization": "{{" * 1_000_000}},
        {"headers": {"Cookie": "=" * 2_000_000}},
        {"password": "[" * 2_000_000},
        {"password": "a " * 1_000_000},
        {"body": "[" * 2_000_000},
        {"x": [{"key": "a"}] * 100_000},
        {"a" * 2_000_000: "x"},
        _deep(5_000),
    ],
    ids=lambda data: str(next(iter(data)))[:10],
)
def test_hostile_canvases_are_read_in_time_that_grows_with_their_length(data: dict[str, Any]) -> None:
    began = time.monotonic()
    found(**data)
    assert time.monotonic() - began < 2


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from([META, "{{a}}"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["headers", "key", "value", "body", "password"]) | st.text(), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(_JSON)
def test_a_secret_in_any_json_is_found(data: Any) -> None:
    problems = leaks.find({"nodes": [{"id": "a", "data": data}, data, {"id": data, "data": {"x": META}}]})
    assert "x" in {problem.field for problem in problems}


@given(_JSON)
def test_any_json_is_read(canvas: Any) -> None:
    assert isinstance(leaks.find(canvas if isinstance(canvas, dict) else {"nodes": canvas}), list)
