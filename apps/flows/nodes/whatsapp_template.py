from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import AliasChoices, AliasPath, Field, field_validator

from apps.core.templating import Template
from apps.flows import effects
from apps.flows.nodes import base

MAX_COMPONENTS = 20
MAX_NAME = 512


@base.nodes.register
class WhatsAppTemplate(base.Node):
    """Sends a message that Meta has approved, filled in; the one thing to say when the customer wrote long ago."""

    key = "whatsapp_template"

    class Config(base.Config):
        name: str = Field(
            min_length=1,
            max_length=MAX_NAME,
            validation_alias=AliasChoices("templateName", "template_name", AliasPath("template", "name")),
        )
        language: str = Field(
            "pt_BR",
            max_length=20,
            validation_alias=AliasChoices("languageCode", "language", "language_code"),
        )
        components: list[dict[str, Any]] = Field([], max_length=MAX_COMPONENTS)
        header: list[Template] = Field([], validation_alias=AliasChoices("headerParams", "header_params"))
        body: list[Template] = Field([], validation_alias=AliasChoices("bodyParams", "body_params"))

        @field_validator("components")
        @classmethod
        def read_templates(cls, components: list[dict[str, Any]]) -> list[dict[str, Any]]:
            """Every text within may hold variables."""
            return [_each(component, str, Template) for component in components]

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        rendered = [
            _each(component, Template, lambda template: template.render(visit.variables))
            for component in config.components
        ]
        rendered += _component("header", config.header, visit.variables)
        rendered += _component("body", config.body, visit.variables)
        return base.Outcome((effects.Template(config.name, config.language, tuple(rendered)),), exit=base.NEXT)


def _component(
    type: Literal["header", "body"], parameters: list[Template], variables: Mapping[str, Any]
) -> list[dict[str, Any]]:
    texts = [{"type": "text", "text": parameter.render(variables)} for parameter in parameters]
    return [{"type": type, "parameters": texts}] if texts else []


def _each(value: Any, kind: type, change: Callable[[Any], Any]) -> Any:
    """The value, with all within that is of this kind changed."""
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, dict):
        return {key: _each(inner, kind, change) for key, inner in value.items()}
    return [_each(inner, kind, change) for inner in value] if isinstance(value, list) else value
