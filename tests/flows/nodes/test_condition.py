from typing import Any

import pytest

from apps.flows.effects import Say
from tests.flows.canvases import draw, edge, node, problems, talk


def decide(data: dict[str, Any], edges: list[dict[str, Any]], known: dict[str, Any]) -> str:
    """The text of the node to which a condition leads; empty if it leads nowhere."""
    targets = {drawn["target"] for drawn in edges} | {
        data[key] for key in ("true_next_node_id", "false_next_node_id") if key in data
    }
    canvas = draw(
        node("start"),
        node("condition", **data),
        *[node("message", target, content=target) for target in sorted(targets)],
        edges=[edge("start", "condition"), *edges],
    )
    step = talk(canvas, known=known)
    assert step.problem is None
    said = [effect.text for effect in step.effects if isinstance(effect, Say)]
    return said[0] if said else ""


def holds(variable: str, operator: str, value: Any, known: dict[str, Any]) -> bool:
    """Whether a single rule holds."""
    rule = {"variable": variable, "operator": operator, "value": value}
    edges = [edge("condition", "yes", "condition-0"), edge("condition", "no", "condition-default")]
    return decide({"conditions": [rule]}, edges, known) == "yes"


@pytest.mark.parametrize(
    ("left", "operator", "right", "expected"),
    [
        ("Sim", "==", " sim ", True),
        ("Sim", "==", "não", False),
        ("Sim", "!=", "não", True),
        (10, "==", "10.0", True),
        ("10", "==", 10, True),
        ("1,5", "==", "1.5", True),
        ("10", ">", "9", True),
        ("b", ">", "A", True),
        ("9", "<", "10", True),
        (10, ">=", 10, True),
        (10, "<=", "9,5", False),
        ("Quero comprar", "contains", "COMPRAR", True),
        ("Quero comprar", "contains", "vender", False),
        (["vip", "novo"], "contains", "VIP", True),
        (["vip", "novo"], "contains", "vi", False),
        ("Quero comprar", "not_contains", "vender", True),
        ("Quero comprar", "not_contains", "quero", False),
        ("Quero comprar", "starts_with", "quero", True),
        ("Quero comprar", "ends_with", "quero", False),
        ("Quero comprar", "ends_with", "Comprar", True),
        ("sp", "in", ["RJ", "SP"], True),
        ("mg", "in", "RJ, SP", False),
        (2, "in", "1,2,3", True),
        ("mg", "not_in", "RJ, SP", True),
        ("sp", "not_in", ["SP"], False),
        ("", "is_empty", None, True),
        ("  ", "is_empty", None, True),
        ([], "is_empty", None, True),
        (0, "is_empty", None, False),
        ("x", "is_not_empty", None, True),
        (None, "is_not_empty", None, False),
        ("s", "==", "sim", True),
        ("SIM", "==", "yes", True),
        (True, "==", "true", True),
        (False, "==", "não", True),
        ("n", "!=", "sim", True),
        (True, "==", 1, False),
        ("Ana", "equals", "ana", True),
        ("7", "greater_than", "10", False),
    ],
)
def test_operators(left: Any, operator: str, right: Any, expected: bool) -> None:
    assert holds("x", operator, right, {"x": left}) is expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [("==", False), ("!=", False), ("<", False), ("not_contains", False), ("is_not_empty", False), ("is_empty", True)],
)
def test_of_a_missing_variable_only_is_empty_holds(operator: str, expected: bool) -> None:
    assert holds("missing", operator, "x", {}) is expected


@pytest.mark.parametrize("name", ["contact.tags[0]", "{{contact.tags[0]}}", "{{ contact.tags.0 }}"])
def test_a_variable_has_dots_indexes_and_braces(name: str) -> None:
    assert holds(name, "==", "vip", {"contact": {"tags": ["vip"]}})


def test_a_value_may_hold_variables() -> None:
    assert holds("x", "==", "{{contact.name}}", {"x": "ana", "contact": {"name": "Ana"}})


RULES = [
    {"variable": "n", "operator": ">", "value": 10, "label": "Muitos", "branch": "many"},
    {"variable": "n", "operator": ">", "value": 5, "label": "Alguns", "branch": "some"},
]


@pytest.mark.parametrize(
    "names",
    [
        ("condition-0", "condition-1", "condition-default"),
        ("many", "some", "default"),
        ("Muitos", "ALGUNS", "Default"),
    ],
)
@pytest.mark.parametrize(("n", "target"), [(20, "first"), (7, "second"), (1, "rest")])
def test_the_first_rule_that_holds_chooses_the_branch_by_handle(names: tuple[str, ...], n: int, target: str) -> None:
    edges = [edge("condition", where, name) for where, name in zip(("first", "second", "rest"), names, strict=True)]
    assert decide({"conditions": RULES}, edges, {"n": n}) == target


@pytest.mark.parametrize(("n", "target"), [(20, "first"), (7, "second"), (1, "rest")])
def test_branches_are_found_by_label_and_the_default_by_an_edge_without_a_name(n: int, target: str) -> None:
    edges = [
        edge("condition", "first", label="Muitos"),
        edge("condition", "second", data={"label": "alguns"}),
        edge("condition", "rest"),
    ]
    assert decide({"conditions": RULES}, edges, {"n": n}) == target


def test_a_branch_that_leads_nowhere_falls_to_the_default_and_without_one_the_flow_ends() -> None:
    edges = [edge("condition", "second", "condition-1"), edge("condition", "rest", "condition-default")]
    assert decide({"conditions": RULES}, edges, {"n": 20}) == "rest"
    assert decide({"conditions": RULES}, edges[:1], {"n": 20}) == ""


def test_two_rules_may_open_one_branch() -> None:
    rules = [{"variable": "x", "operator": "==", "value": value, "branch": "same"} for value in ("a", "b")]
    edges = [edge("condition", "same", "same"), edge("condition", "rest")]
    assert [decide({"conditions": rules}, edges, {"x": x}) for x in "abc"] == ["same", "same", "rest"]


@pytest.mark.parametrize(
    ("logic", "n", "name", "target"),
    [
        ("AND", 7, "Ana", "T"),
        ("AND", 7, "Rui", "F"),
        ("OR", 1, "Ana", "T"),
        ("or", 1, "Rui", "F"),
    ],
)
@pytest.mark.parametrize("words", [("true", "false"), ("Sim", "Não"), ("yes", "no")])
def test_the_boolean_form_joins_its_rules(logic: str, n: int, name: str, target: str, words: tuple[str, str]) -> None:
    rules = [{"variable": "n", "operator": ">", "value": 5}, {"variable": "name", "operator": "==", "value": "Ana"}]
    known = {"n": n, "name": name}
    by_handle = [edge("condition", "T", words[0]), edge("condition", "F", words[1])]
    by_label = [edge("condition", "T", label=words[0]), edge("condition", "F", label=words[1])]
    data = {"conditions": rules, "logicOperator": logic}
    assert decide(data, by_handle, known) == decide(data, by_label, known) == target


@pytest.mark.parametrize(("n", "target"), [(7, "T"), (1, "F")])
def test_the_single_form_leads_to_the_nodes_that_its_data_names(n: int, target: str) -> None:
    data = {"variable": "n", "operator": ">", "value": 5, "true_next_node_id": "T", "false_next_node_id": "F"}
    assert decide(data, [], {"n": n}) == target


@pytest.mark.parametrize(
    ("data", "field", "code"),
    [
        ({}, "conditions", "missing"),
        ({"conditions": []}, "conditions", "too_short"),
        ({"conditions": [{"operator": "=="}]}, "conditions.0.variable", "missing"),
        ({"conditions": [{"variable": "a b"}]}, "conditions.0.variable", "value_error"),
        ({"conditions": [{"variable": "a", "operator": "~"}]}, "conditions.0.operator", "enum"),
        ({"conditions": [{"variable": "a", "value": "{{"}]}, "conditions.0.value", "value_error"),
        ({"conditions": [{"variable": "a"}], "logicOperator": "XOR"}, "logicOperator", "literal_error"),
    ],
)
def test_a_bad_rule_is_a_problem(data: dict[str, Any], field: str, code: str) -> None:
    assert problems(draw(node("start"), node("condition", **data))) == [("condition", field, code)]


def test_an_edge_that_names_no_branch_is_a_problem() -> None:
    canvas = draw(
        node("start"),
        node("condition", conditions=RULES),
        node("end"),
        edges=[edge("start", "condition"), edge("condition", "end", "condition-2")],
    )
    assert problems(canvas) == [("condition", "edges", "unknown_exit")]
