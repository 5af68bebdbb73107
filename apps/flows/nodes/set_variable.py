import json
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import AliasChoices, Field, model_validator

from apps.core.expressions import Expression
from apps.core.templating import Path, Template, TemplateError
from apps.flows import values
from apps.flows.nodes import base


class Assignment(base.Config):
    """One variable, and what becomes of it."""

    name: str = Field(
        pattern=r"^[^\W\d][\w-]{0,99}$", validation_alias=AliasChoices("variableName", "name", "variable")
    )
    value: Any = Field(None, validation_alias=AliasChoices("variableValue", "value"))
    type: Literal["static", "variable", "expression", "string", "number", "boolean", "json"] = Field(
        "static", validation_alias=AliasChoices("valueType", "value_type")
    )
    operation: Literal["set", "append", "increment", "decrement"] = "set"
    source: Path | None = Field(None, validation_alias=AliasChoices("variableSource", "variable_source"))
    expression: Expression | None = None

    @model_validator(mode="before")
    @classmethod
    def read_expression(cls, data: Any) -> Any:
        """An expression stands in a field of its own, or in that of the value."""
        if not isinstance(data, dict) or "expression" not in (data.get("valueType"), data.get("value_type")):
            return data
        for field in ("expression", "value", "variableValue"):
            if str(data.get(field) or "").strip():
                return {**data, "expression": str(data[field])}
        raise ValueError("an expression is missing, as in `price * 2`")

    @model_validator(mode="after")
    def know_where_from(self) -> Self:
        """A copy needs a variable to copy; texts are read as templates once."""
        if self.type == "variable" and self.source is None:
            object.__setattr__(self, "source", Path(str(self.value or "")))
        if isinstance(self.value, str):
            object.__setattr__(self, "value", Template(self.value))
        return self

    def apply(self, variables: Mapping[str, Any]) -> Any:
        """What the variable is afterwards; TemplateError if it cannot be that."""
        before, value = variables.get(self.name), self._value(variables)
        match self.operation:
            case "set":
                return value
            case "append":
                return [*before, value] if isinstance(before, list) else values.text(before) + values.text(value)
        step = 1 if values.is_empty(value) else values.number(value)
        start = 0 if values.is_empty(before) else values.number(before)
        if step is None or start is None:
            raise TemplateError(f"{self.name} and what is to be counted on it must be numbers")
        return start + step if self.operation == "increment" else start - step

    def _value(self, variables: Mapping[str, Any]) -> Any:
        if self.type == "variable":
            assert self.source is not None
            try:
                return self.source.find(variables)
            except LookupError:
                return ""
        if self.type == "expression":
            assert self.expression is not None
            return self.expression.evaluate(variables)
        value = self.value.render(variables) if isinstance(self.value, Template) else self.value
        return _CONVERSIONS[self.type](value)


def _number(value: Any) -> Any:
    number = values.number(value)
    if number is None:
        raise TemplateError(f"{values.text(value)[:50]!r} is no number")
    return number


def _boolean(value: Any) -> bool:
    truth = bool(value) if isinstance(value, int | float) else values.truth(value)
    if truth is None:
        raise TemplateError(f"{values.text(value)[:50]!r} is neither yes nor no")
    return truth


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise TemplateError("this is no JSON") from None


_CONVERSIONS = {
    "static": lambda value: "" if value is None else value,
    "string": values.text,
    "number": _number,
    "boolean": _boolean,
    "json": _json,
}


@base.nodes.register
class SetVariable(base.Node):
    """Sets variables, adds to them, counts them up and down; each sees what those before it did."""

    key, aliases = "set_variable", ("assignment",)

    class Config(base.Config):
        variables: list[Assignment] = Field(min_length=1)

        @model_validator(mode="before")
        @classmethod
        def read_single(cls, data: Any) -> Any:
            """One dialect writes a single variable without the list."""
            if isinstance(data, dict) and not data.get("variables") and data.get("variableName"):
                return {**data, "variables": [data]}
            return data

    def writes(self, config: Config, node_id: str) -> frozenset[str]:
        return frozenset(assignment.name for assignment in config.variables)

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        known, changed = dict(visit.variables), dict[str, Any]()
        for assignment in config.variables:
            known[assignment.name] = changed[assignment.name] = assignment.apply(known)
        return base.Outcome(exit=base.NEXT, variables=changed)
