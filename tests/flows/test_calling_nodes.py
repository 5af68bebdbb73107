"""Nodes that call on the world, whatever their data and whatever comes back."""

import time
from collections import ChainMap
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.templating import TemplateError
from apps.flows import graph
from apps.flows.calls import Email, Query, Request, Result, Script
from apps.flows.nodes.base import ANY, CallingNode, Outcome, Visit
from tests.flows.canvases import NOW, draw, node, problems

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_TEXTS = st.sampled_from(["{{a}}", "{{ a.b[0] }}", "{{secrets.X}}", "{{a | upcase}}", "{{a | divided_by: 0}}", "x"])
_OBJECTS = st.dictionaries(st.sampled_from(["a", "X-B", "cd"]), _TEXTS | st.integers(), max_size=3)
_SHARED: dict[str, st.SearchStrategy[Any]] = {
    "outputVariable": st.sampled_from(["r", "saída"]),
    "timeout": st.sampled_from([5, "10", 5000]),
    "errorHandling": st.fixed_dictionaries(
        {}, optional={"onError": st.sampled_from(["stop", "retry", "continue"]), "fallbackValue": _JSON}
    ),
    "continueOnError": st.booleans(),
}
_REQUEST: dict[str, st.SearchStrategy[Any]] = {
    "url": st.sampled_from(["https://sol.example/{{a}}", "{{a}}", "{{secrets.X}}"]),
    "method": st.sampled_from(["get", "POST", "PUT"]),
    "headers": st.lists(st.fixed_dictionaries({"key": st.just("X-A"), "value": _TEXTS}), max_size=3) | _OBJECTS,
    "queryParams": _OBJECTS,
    "body": st.sampled_from(['{"a": "{{a}}"}', '{"a": {{a}}}', "a={{a}}"]) | _OBJECTS,
    "authType": st.just("none"),
    "secretId": st.just("X"),
    "responseMapping": st.dictionaries(st.sampled_from(["x", "y"]), st.sampled_from(["$.a[0]", "b", "$", "[0]"])),
}
_SCRIPT: dict[str, st.SearchStrategy[Any]] = {"code": st.just("a"), "language": st.just("javascript")}
_QUERY: dict[str, st.SearchStrategy[Any]] = {
    "query": st.sampled_from(["SELECT {{a}}", "SELECT '{{a}}', :x, $1, ?"]),
    "connectionName": st.just("loja"),
    "parameters": st.fixed_dictionaries({"x": _TEXTS}) | st.lists(_TEXTS, max_size=2),
    "resultFormat": st.sampled_from(["list", "first"]),
}
_ACT: dict[str, st.SearchStrategy[Any]] = {
    **_REQUEST,
    **_SCRIPT,
    "to": st.just("{{a}}, b@sol.example"),
    "subject": _TEXTS,
    "variables": _OBJECTS,
    "tagName": _TEXTS,
    "contactFields": _OBJECTS.map(lambda fields: {name: str(value) for name, value in fields.items()} or {"a": "b"}),
    "variableName": st.just("n"),
}
_TYPES = st.sampled_from(["webhook", "send_email", "script", "add_tag", "save_contact", "update_variable"])


def _data(whole: dict[str, st.SearchStrategy[Any]], *needed: str) -> st.SearchStrategy[Any]:
    """Data as it should be, or with anything at all in some of its fields."""
    fields = {**_SHARED, **whole}
    sane = st.fixed_dictionaries(
        {name: fields[name] for name in needed},
        optional={name: field for name, field in fields.items() if name not in needed},
    )
    wild = st.dictionaries(st.sampled_from(sorted(fields)), _JSON | st.sampled_from(["{{", "SELECT '"]), max_size=2)
    return sane | st.builds(lambda data, odd: {**data, **odd}, sane, wild)


_FLAT = _data({**_ACT, "actionType": _TYPES}, "actionType", "url", "code", "to", "tagName", "contactFields")
_ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"type": _TYPES, "config": _data(_ACT, "url", "code", "to", "tagName", "contactFields", "variableName")}
    ),
    min_size=1,
    max_size=3,
)
NODES = st.one_of(
    st.tuples(st.just("api_call"), _data(_REQUEST, "url")),
    st.tuples(st.just("script"), _data(_SCRIPT, "code")),
    st.tuples(st.just("database_query"), _data(_QUERY, "query", "connectionName")),
    st.tuples(st.just("action"), _FLAT | st.fixed_dictionaries({"actions": _ENTRIES})),
    st.tuples(st.sampled_from(["api_call", "script", "database_query", "action"]), _JSON),
)
RESULTS = st.builds(
    Result,
    ok=st.booleans(),
    value=_JSON,
    status=st.none() | st.integers(100, 599),
    assigned=st.dictionaries(st.text(max_size=8), _JSON, max_size=3),
    error=st.text(max_size=20),
)


def _decided(decide: Callable[[], Outcome]) -> Outcome | None:
    try:
        return decide()
    except TemplateError:
        return None


@settings(deadline=None, max_examples=600)
@given(
    NODES,
    RESULTS,
    st.fixed_dictionaries({}, optional={"a": _JSON, "n": _JSON, "secrets": _JSON}),
    st.integers(0, 4),
    st.booleans(),
)
def test_any_data_compiles_or_is_a_problem_and_any_result_is_decided(
    written: tuple[str, Any], result: Result, variables: dict[str, Any], calls: int, drawn: bool
) -> None:
    canvas = {"nodes": [node("start"), {"id": "x", "type": written[0], "data": written[1]}], "edges": []}
    if told := problems(canvas):
        assert {where for where, _, _ in told} == {"x"}
        return
    place = graph.compile(canvas).places["x"]
    type = place.node
    assert isinstance(type, CallingNode)
    exits = {"next", "error"} if drawn else {"next"}
    visit = Visit("x", ChainMap(variables, {"contact": {}}), exits, NOW, calls=calls)
    allowed = type.writes(place.config, "x")
    type.refers(place.config)
    for outcome in (
        _decided(lambda: type.run(place.config, visit)),
        _decided(lambda: type.returned(place.config, visit, result)),
    ):
        if outcome is None:
            continue
        assert outcome.call is None or isinstance(outcome.call, Request | Script | Query | Email)
        assert outcome.exit in (None, *exits)
        assert allowed >= ANY or outcome.variables.keys() <= allowed
        assert not {"contact", "conversation", "secrets"} & outcome.variables.keys()


@pytest.mark.parametrize(
    ("type", "data"),
    [
        ("api_call", {"url": "https://sol.example", "method": "POST", "body": '"' + '\\"' * 900_000}),
        ("api_call", {"url": "https://sol.example", "method": "POST", "body": '{"a": ' + "{{a}}" * 390_000}),
        ("api_call", {"url": "https://{% comment %}" + "{{" * 3_900 + "{% endcomment %}"}),
        ("database_query", {"connectionName": "a", "query": "SELECT E'" + "\\'" * 9_900}),
        ("database_query", {"connectionName": "a", "query": "SELECT " + "'" * 19_001}),
        ("database_query", {"connectionName": "a", "query": "SELECT " + "$a$" * 6_001}),
        ("database_query", {"connectionName": "a", "query": "SELECT " + "/*" * 9_900}),
        ("database_query", {"connectionName": "a", "query": "SELECT " + "{{" * 9_900}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_hostile_texts_are_read_in_time_that_grows_with_their_length(type: str, data: dict[str, Any]) -> None:
    began = time.monotonic()
    problems(draw(node("start"), node(type, **data)))
    assert time.monotonic() - began < 1
