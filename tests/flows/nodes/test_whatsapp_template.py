from typing import Any

import pytest

from apps.flows.effects import Template
from tests.flows.canvases import draw, node, problems, talk


def send(**data: Any) -> dict[str, Any]:
    """A flow that sends a template."""
    return draw(node("start"), node("whatsapp_template", **data), node("end"))


BODY = {"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}
HEADER = {"type": "header", "parameters": [{"type": "text", "text": "Sol"}]}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"templateName": "ola"}, Template("ola", "pt_BR")),
        (
            {"templateName": "ola", "language": "en_US", "headerParams": ["Sol"], "bodyParams": ["{{nome}}"]},
            Template("ola", "en_US", (HEADER, BODY)),
        ),
        (
            {
                "templateName": "ola",
                "languageCode": "es",
                "components": [{"type": "body", "parameters": [{"type": "text", "text": "{{nome}}"}]}],
            },
            Template("ola", "es", (BODY,)),
        ),
        (
            {"templateName": "ola", "components": [{"type": "button", "index": 0, "parameters": []}]},
            Template("ola", "pt_BR", ({"type": "button", "index": 0, "parameters": []},)),
        ),
    ],
)
def test_every_dialect_fills_the_template_in(data: dict[str, Any], expected: Template) -> None:
    step = talk(send(**data), known={"nome": "Ana"})
    assert (step.effects, step.finished) == ((expected,), True)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "templateName"),
        ({"templateName": "ola", "components": {}}, "components"),
        ({"templateName": "ola", "components": [{"text": "{{"}]}, "components"),
        ({"templateName": "ola", "bodyParams": "x"}, "bodyParams"),
    ],
)
def test_what_is_no_template_is_a_problem(data: dict[str, Any], field: str) -> None:
    assert [(where, named) for where, named, _ in problems(send(**data))] == [("whatsapp_template", field)]
