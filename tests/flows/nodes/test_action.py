from typing import Any

import pytest

from apps.flows.effects import Know, Tag
from tests.flows.canvases import draw, node, problems, talk


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


@pytest.mark.parametrize("kind", ["webhook", "send_email", "script"])
def test_what_cannot_be_done_yet_is_a_problem_and_not_left_out(kind: str) -> None:
    [(where, field, code)] = problems(act(actionType=kind, webhookUrl="https://sol.example"))
    assert (where, field, code) == ("action", "actions.0.actionType", "value_error")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"actionType": "add_tag"}, "actions.0"),
        ({"actionType": "save_contact"}, "actions.0"),
        ({"actionType": "update_field", "fieldValue": "x"}, "actions.0"),
        ({"actions": [{"type": "update_variable", "config": {"value": 1}}]}, "actions.0.assignment.variableName"),
        ({}, "actions.0.type"),
    ],
)
def test_what_is_no_action_is_a_problem(data: dict[str, Any], field: str) -> None:
    assert [(where, named) for where, named, _ in problems(act(**data))] == [("action", field)]
