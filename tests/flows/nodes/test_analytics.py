from typing import Any

import pytest

from apps.flows.effects import Tag
from tests.flows.canvases import NOW, draw, node, problems, talk


def note(**data: Any) -> dict[str, Any]:
    """A flow that notes an event."""
    return draw(node("start"), node("analytics", **data), node("end"))


def test_an_event_tags_the_conversation_each_tag_once() -> None:
    step = talk(note(eventName="compra", tags=["vip", "{{tipo}}", "vip", " "]), known={"tipo": "novo"})
    assert (step.effects, step.finished) == ((Tag(("vip", "novo")),), True)
    assert talk(note(tags=[])).effects == ()


@pytest.mark.parametrize(
    ("counter", "known", "expected"),
    [
        ("compras", {}, {"compras": 1}),
        ("compras", {"compras": 2}, {"compras": 3}),
        ("compras", {"compras": "muitas"}, {"compras": 1}),
        (True, {"event_counter": 1}, {"event_counter": 2}),
        (False, {}, {}),
    ],
)
def test_a_counter_counts(counter: str | bool, known: dict[str, Any], expected: dict[str, int]) -> None:
    assert talk(note(incrementCounter=counter), known=known).state.variables == expected


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ({"eventValue": "R$ {{total}}"}, "R$ 10"),
        ({"eventValueVariable": "total"}, 10),
        ({"eventValueVariable": "nada"}, None),
        ({}, None),
    ],
)
def test_the_event_is_kept_in_a_variable(data: dict[str, Any], value: Any) -> None:
    canvas = note(eventType="conversion", eventName="compra", eventProperties={"a": 1}, outputVariable="evento", **data)
    assert talk(canvas, known={"total": 10}).state.variables == {
        "evento": {
            "type": "conversion",
            "name": "compra",
            "value": value,
            "properties": {"a": 1},
            "at": NOW.isoformat(),
        }
    }


@pytest.mark.parametrize(
    ("data", "field"),
    [({"tags": "vip"}, "tags"), ({"incrementCounter": "1 2"}, "incrementCounter"), ({"eventName": "{{"}, "eventName")],
)
def test_what_is_no_event_is_a_problem(data: dict[str, Any], field: str) -> None:
    assert [(where, named) for where, named, _ in problems(note(**data))] == [("analytics", field)]
