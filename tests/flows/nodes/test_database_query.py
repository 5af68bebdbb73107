from typing import Any

import pytest

from apps.flows import graph
from apps.flows.calls import Query, Result
from tests.flows.canvases import draw, edge, node, problems, talk
from tests.flows.nodes.test_api_call import answer


def ask(query: Any = "SELECT 1", **data: Any) -> dict[str, Any]:
    """A flow that asks a database."""
    whole = {"connectionName": "loja", "query": query, **data}
    return draw(node("start"), node("database_query", **whole), node("end"))


KNOWN = {"nome": "x'; DROP TABLE a; --", "n": 7, "ids": [1, 2], "pedido": {"id": 3}}


@pytest.mark.parametrize(
    ("query", "given", "statement", "bound"),
    [
        ("SELECT 1 WHERE a LIKE '5%'", None, "SELECT 1 WHERE a LIKE '5%'", {}),
        ("SELECT a FROM b WHERE c = {{nome}}", None, "SELECT a FROM b WHERE c = %(p1)s", {"p1": KNOWN["nome"]}),
        ("SELECT a FROM b WHERE c = '{{nome}}'", None, "SELECT a FROM b WHERE c = %(p1)s", {"p1": KNOWN["nome"]}),
        ("SELECT {{n}}, '{{ n }}', {{nada}}", None, "SELECT %(p1)s, %(p1)s, %(p2)s", {"p1": 7, "p2": None}),
        ("SELECT n % 2 WHERE a = ANY({{ids}})", None, "SELECT n %% 2 WHERE a = ANY(%(p1)s)", {"p1": [1, 2]}),
        ("SELECT {{pedido.id}}, {{n | plus: 1}}", None, "SELECT %(p1)s, %(p2)s", {"p1": 3, "p2": "8"}),
        ("SELECT '50% {' || {{n}}", None, "SELECT '50%% {' || %(p1)s", {"p1": 7}),
        ("SELECT :id::int, :outro, ':id'", {"id": "{{n}}"}, "SELECT %(p1)s::int, :outro, ':id'", {"p1": 7}),
        ("SELECT :a, :b", {"a": 1.5, "b": "Oi {{n}}"}, "SELECT %(p1)s, %(p2)s", {"p1": 1.5, "p2": "Oi 7"}),
        ("SELECT :a", [{"name": "a", "value": "{{ids}}"}], "SELECT %(p1)s", {"p1": [1, 2]}),
        ("SELECT $2, $1, $2", ["{{n}}", "x"], "SELECT %(p1)s, %(p2)s, %(p1)s", {"p1": "x", "p2": 7}),
        ("SELECT ?, ?", ["{{n}}", True], "SELECT %(p1)s, %(p2)s", {"p1": 7, "p2": True}),
        ("SELECT d ? 'k', $1", [1], "SELECT d ? 'k', %(p1)s", {"p1": 1}),
        ("SELECT d ? 'k', $$it's$$, E'\\'?' -- é; {{", None, "SELECT d ? 'k', $$it's$$, E'\\'?' -- é; {{", {}),
        ("/* um; */ WITH x AS (SELECT 1) TABLE x; -- fim", None, "/* um; */ WITH x AS (SELECT 1) TABLE x -- fim", {}),
    ],
)
def test_values_are_bound_and_never_pasted(query: str, given: Any, statement: str, bound: dict[str, Any]) -> None:
    call = talk(ask(query, parameters=given), known=KNOWN).call
    assert isinstance(call, Query)
    assert (call.statement, call.parameters) == (statement, bound)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, Query("loja", "SELECT 1", {}, "list", 30)),
        (
            {"connectionName": None, "connectionId": " 7b1e ", "databaseType": "postgresql", "resultFormat": "scalar"},
            Query("7b1e", "SELECT 1", {}, "scalar", 30),
        ),
        (
            {"connectionName": None, "databaseConnection": "b", "connectionType": "Postgres", "queryType": "select"},
            Query("b", "SELECT 1", {}, "list", 30),
        ),
        ({"timeout": 5000, "result_format": "first"}, Query("loja", "SELECT 1", {}, "first", 5)),
        ({"timeout": 100, "resultFormat": "count"}, Query("loja", "SELECT 1", {}, "count", 30)),
    ],
)
def test_every_dialect_names_a_connection(data: dict[str, Any], expected: Query) -> None:
    assert talk(ask(**data)).call == expected


def test_rows_are_kept_and_a_failure_is_told() -> None:
    rows = [{"id": 1}, {"id": 2}]
    assert answer(ask(), Result(ok=True, value=rows)).state.variables == {"query_result": rows}
    canvas = ask(resultVariable="r")
    canvas["edges"].append(edge("database_query", "end", "failure"))
    told = {"r_error": {"message": "No such table.", "status": None}}
    assert answer(canvas, Result(ok=False, error="No such table.")).state.variables == told


def test_it_tells_its_connection_and_its_variables() -> None:
    place = graph.compile(ask()).places["database_query"]
    [reference] = place.node.refers(place.config)
    assert (reference.kind, reference.name) == ("connection", "loja")
    assert place.node.writes(place.config, place.id) == {"query_result", "query_result_error"}


@pytest.mark.parametrize("field", ["connectionString", "host", "username", "password"])
def test_how_to_reach_a_database_is_not_for_a_canvas_to_say(field: str) -> None:
    with pytest.raises(graph.InvalidCanvas) as caught:
        graph.compile(ask(**{field: "postgresql://ana:segredo@db"}))
    [problem] = caught.value.problems
    assert problem.message == (
        "Node 'database_query' (database_query), data: "
        "an administrator registers connections, and the node names one in connectionName."
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT a WHERE b LIKE '%{{nome}}%'", "outside the quotes"),
        ('SELECT "{{nome}}"', "outside the quotes"),
        ("SELECT $a$ {{nome}} $a$", "outside the quotes"),
        ("SELECT E'{{nome}}'", "outside the quotes"),
        ("SELECT 1; DROP TABLE a", "one statement at a time"),
        ("SELECT 'a", "a quote is opened"),
        ("SELECT $a$ x", "the quote $a$ is never closed"),
        ("SELECT /* /* */ 1", "a comment is opened"),
        ("SELECT {{nome", "a placeholder is opened"),
        ("SELECT {% if a %} 1 {% endif %}", "a tag is opened"),
        ("SELECT {{nome | explode}}", "unknown filter"),
        ("DELETE FROM a", "begins with SELECT"),
        ("-- nada", "begins with SELECT"),
        ("x" * 20_001, "20,000 characters at most"),
        (["SELECT 1"], "a statement is a text"),
    ],
)
def test_what_cannot_be_bound_or_read_is_a_problem(query: Any, words: str) -> None:
    with pytest.raises(graph.InvalidCanvas) as caught:
        graph.compile(ask(query))
    [problem] = caught.value.problems
    assert (problem.node, problem.field) == ("database_query", "query")
    assert words in problem.message


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"connectionName": ""}, "connectionName"),
        ({"query": ""}, "query"),
        ({"databaseType": "mysql"}, "databaseType"),
        ({"connectionType": "mongodb"}, "connectionType"),
        ({"databaseType": "sqlite"}, "databaseType"),
        ({"queryType": "INSERT"}, "queryType"),
        ({"queryType": "CUSTOM"}, "queryType"),
        ({"resultFormat": "csv"}, "resultFormat"),
        ({"query": "SELECT $2", "parameters": [1]}, "query"),
    ],
)
def test_what_is_no_query_is_a_problem(data: dict[str, Any], field: str) -> None:
    assert [(where, named) for where, named, _ in problems(ask(**data))] == [("database_query", field)]
