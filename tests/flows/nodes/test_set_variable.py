from typing import Any

import pytest

from tests.flows.canvases import draw, node, problems, talk


def flow(**data: Any) -> dict[str, Any]:
    """A flow that sets variables."""
    return draw(node("start"), node("set_variable", **data))


def one(**data: Any) -> dict[str, Any]:
    """A flow that sets x."""
    return flow(variableName="x", **data)


KNOWN = {"nome": "Ana", "idade": "30", "lista": ["a"], "pedido": {"total": 12.5}, "n": 2}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"variableValue": "Oi {{nome}}"}, "Oi Ana"),
        ({"variableValue": 7}, 7),
        ({"variableValue": "{{idade}}", "valueType": "number"}, 30),
        ({"variableValue": "1,5", "valueType": "number"}, 1.5),
        ({"variableValue": 5, "valueType": "string"}, "5"),
        ({"variableValue": "sim", "valueType": "boolean"}, True),
        ({"variableValue": False, "valueType": "boolean"}, False),
        ({"variableValue": '{"a": ["{{nome}}"]}', "valueType": "json"}, {"a": ["Ana"]}),
        ({"variableSource": "pedido.total", "valueType": "variable"}, 12.5),
        ({"value": "{{pedido}}", "valueType": "variable"}, {"total": 12.5}),
        ({"value": "nada", "valueType": "variable"}, ""),
        ({"expression": "idade + 1", "valueType": "expression"}, 31),
        ({"expression": "{{idade}} >= 18 && n == 2", "valueType": "expression"}, True),
        ({"value": "{{ pedido.total }} * 2", "valueType": "expression"}, 25),
        ({"variableValue": "upper(nome)", "value_type": "expression"}, "ANA"),
        ({"expression": "lista + [n]", "value": "", "valueType": "expression"}, ["a", 2]),
        ({}, ""),
    ],
)
def test_a_variable_is_set_from_words_variables_and_expressions(data: dict[str, Any], expected: Any) -> None:
    step = talk(one(**data), known=KNOWN)
    assert step.state.variables == {"x": expected}
    assert type(step.state.variables["x"]) is type(expected)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("n", {"operation": "increment"}, 3),
        ("n", {"operation": "increment", "variableValue": "{{idade}}"}, 32),
        ("n", {"operation": "decrement", "variableValue": 0.5}, 1.5),
        ("novo", {"operation": "increment"}, 1),
        ("idade", {"operation": "decrement", "variableValue": 1, "valueType": "number"}, 29),
        ("lista", {"operation": "append", "variableValue": "b"}, ["a", "b"]),
        ("nome", {"operation": "append", "variableValue": "!"}, "Ana!"),
        ("novo", {"operation": "append", "variableValue": "a"}, "a"),
    ],
)
def test_a_variable_is_added_to_and_counted(name: str, data: dict[str, Any], expected: Any) -> None:
    assert talk(flow(variableName=name, **data), known=KNOWN).state.variables == {name: expected}


def test_an_expression_without_a_result_breaks_the_flow_off_and_leaves_the_variable_as_it_was() -> None:
    canvas = flow(
        variables=[
            {"name": "n", "valueType": "static", "value": 5},
            {"name": "n", "valueType": "expression", "expression": "saldo + 1"},
        ]
    )
    step = talk(canvas, known=KNOWN)
    assert step.problem is not None
    assert step.problem.message == "Node 'set_variable': There is no variable 'saldo'."
    assert step.state.variables == {}


def test_a_list_of_variables_is_set_in_its_order() -> None:
    variables = [
        {"name": "a", "valueType": "static", "value": "{{nome}}"},
        {"name": "b", "valueType": "variable", "variableSource": "a"},
        {"name": "c", "valueType": "expression", "expression": "b + '!'"},
    ]
    assert talk(flow(variables=variables), known=KNOWN).state.variables == {"a": "Ana", "b": "Ana", "c": "Ana!"}


@pytest.mark.parametrize(
    "data",
    [
        {"variableValue": "muitos", "valueType": "number"},
        {"variableValue": "talvez", "valueType": "boolean"},
        {"variableValue": "{", "valueType": "json"},
        {"variableValue": "muitos", "operation": "increment"},
    ],
)
def test_what_does_not_read_as_its_type_breaks_the_flow_off(data: dict[str, Any]) -> None:
    step = talk(one(**data))
    assert step.problem is not None
    assert (step.problem.node, step.state.variables) == ("set_variable", {})


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "variables"),
        ({"variableName": "1x", "variableValue": "a"}, "variables.0.variableName"),
        ({"variableName": "x", "operation": "multiply"}, "variables.0.operation"),
        ({"variableName": "x", "valueType": "expression"}, "variables.0"),
        ({"variableName": "x", "valueType": "expression", "expression": "a +"}, "variables.0.expression"),
        ({"variableName": "x", "valueType": "expression", "value": "open('x')"}, "variables.0.expression"),
        ({"variableName": "x", "valueType": "variable"}, "variables.0"),
        ({"variableName": "x", "variableValue": "{{"}, "variables.0"),
    ],
)
def test_what_cannot_be_set_is_a_problem(data: dict[str, Any], field: str) -> None:
    assert [(where, named) for where, named, _ in problems(flow(**data))] == [("set_variable", field)]
