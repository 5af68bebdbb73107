from typing import Any

from pydantic import AliasChoices, Field, ValidationInfo, field_validator

from apps.core.templating import Path, Template
from apps.flows import effects, values
from apps.flows.nodes import base

_NAME = r"^[^\W\d][\w-]{0,99}$"


@base.nodes.register
class Analytics(base.Node):
    """Notes an event: tags the conversation, counts in a variable, keeps the event in another."""

    key = "analytics"

    class Config(base.Config):
        type: str = Field("custom", max_length=50, validation_alias=AliasChoices("eventType", "event_type"))
        name: Template = Field(Template(""), validation_alias=AliasChoices("eventName", "event_name"))
        value: Template | None = Field(None, validation_alias=AliasChoices("eventValue", "event_value"))
        source: Path | None = Field(None, validation_alias=AliasChoices("eventValueVariable", "event_value_variable"))
        properties: dict[str, Any] = Field({}, validation_alias=AliasChoices("eventProperties", "metadata"))
        tags: list[Template] = []
        counter: str | None = Field(
            None, pattern=_NAME, validation_alias=AliasChoices("incrementCounter", "increment_counter")
        )
        variable: str | None = Field(
            None,
            pattern=_NAME,
            validation_alias=AliasChoices("outputVariable", "saveToVariable", "output_variable"),
        )

        @field_validator("counter", "variable", mode="before")
        @classmethod
        def read_switch(cls, value: Any, info: ValidationInfo) -> Any:
            """One dialect writes only whether there is a variable; it is then called `event_counter` or `event`."""
            if isinstance(value, bool):
                return None if not value else "event_counter" if info.field_name == "counter" else "event"
            return value

    def writes(self, config: Config, node_id: str) -> frozenset[str]:
        return super().writes(config, node_id) | ({config.counter} if config.counter else frozenset())

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        variables: dict[str, Any] = {}
        if config.counter:
            variables[config.counter] = (values.number(visit.variables.get(config.counter)) or 0) + 1
        if config.variable:
            variables[config.variable] = {
                "type": config.type,
                "name": config.name.render(visit.variables),
                "value": self._value(config, visit),
                "properties": config.properties,
                "at": visit.now.isoformat(),
            }
        tagged = effects.tag(tag.render(visit.variables) for tag in config.tags)
        return base.Outcome(tagged, exit=base.NEXT, variables=variables)

    def _value(self, config: Config, visit: base.Visit) -> Any:
        if config.source:
            try:
                return config.source.find(visit.variables)
            except LookupError:
                return None
        return config.value.render(visit.variables) if config.value else None
