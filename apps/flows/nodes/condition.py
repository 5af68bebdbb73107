import operator
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from apps.core.templating import Path, Template
from apps.flows import values
from apps.flows.nodes import base


class Operator(StrEnum):
    EQUAL = "=="
    NOT_EQUAL = "!="
    GREATER = ">"
    LESS = "<"
    GREATER_OR_EQUAL = ">="
    LESS_OR_EQUAL = "<="
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    IS_EMPTY = "is_empty"
    IS_NOT_EMPTY = "is_not_empty"
    IN = "in"
    NOT_IN = "not_in"


_ALIASES = {
    "=": Operator.EQUAL,
    "equals": Operator.EQUAL,
    "equal": Operator.EQUAL,
    "eq": Operator.EQUAL,
    "not_equals": Operator.NOT_EQUAL,
    "not_equal": Operator.NOT_EQUAL,
    "ne": Operator.NOT_EQUAL,
    "gt": Operator.GREATER,
    "greater_than": Operator.GREATER,
    "lt": Operator.LESS,
    "less_than": Operator.LESS,
    "gte": Operator.GREATER_OR_EQUAL,
    "lte": Operator.LESS_OR_EQUAL,
}
_RULE = frozenset(["variable", "operator", "value"])
_ORDERS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.GREATER: operator.gt,
    Operator.LESS: operator.lt,
    Operator.GREATER_OR_EQUAL: operator.ge,
    Operator.LESS_OR_EQUAL: operator.le,
}


class Rule(BaseModel):
    """One comparison, and the name of the branch that it opens."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    variable: Path
    operator: Operator = Operator.EQUAL
    value: Any = None
    branch: str = ""
    label: str = ""

    @field_validator("branch", "label", mode="before")
    @classmethod
    def read_null(cls, value: Any) -> Any:
        """Builders write null for a name that nobody gave."""
        return "" if value is None else value

    @field_validator("value")
    @classmethod
    def read_template(cls, value: Any) -> Any:
        """Words may hold variables."""
        return Template(value) if isinstance(value, str) else value

    @field_validator("operator", mode="before")
    @classmethod
    def know_aliases(cls, value: Any) -> Any:
        """Operators have had several names."""
        return _ALIASES.get(value, value) if isinstance(value, str) else value

    def holds(self, variables: Mapping[str, Any]) -> bool:
        """Whether the comparison holds; about a variable that is missing only "is empty" does."""
        try:
            left = self.variable.find(variables)
        except LookupError:
            return self.operator is Operator.IS_EMPTY
        right = self.value.render(variables) if isinstance(self.value, Template) else self.value
        return compare(left, self.operator, right)


def compare(left: Any, by: Operator, right: Any) -> bool:
    """Compare as numbers if both are, else as words: case and the blanks around them do not count."""
    match by:
        case Operator.EQUAL:
            return _equal(left, right)
        case Operator.NOT_EQUAL:
            return not _equal(left, right)
        case Operator.IS_EMPTY:
            return values.is_empty(left)
        case Operator.IS_NOT_EMPTY:
            return not values.is_empty(left)
        case Operator.CONTAINS:
            return _contains(left, right)
        case Operator.NOT_CONTAINS:
            return not _contains(left, right)
        case Operator.IN:
            return _among(left, right)
        case Operator.NOT_IN:
            return not _among(left, right)
        case Operator.STARTS_WITH:
            return values.fold(left).startswith(values.fold(right))
        case Operator.ENDS_WITH:
            return values.fold(left).endswith(values.fold(right))
    one, other = values.number(left), values.number(right)
    if one is None or other is None:
        return _ORDERS[by](values.fold(left), values.fold(right))
    return _ORDERS[by](one, other)


def _equal(left: Any, right: Any) -> bool:
    one, other = values.number(left), values.number(right)
    if one is not None and other is not None:
        return one == other
    said, meant = values.truth(left), values.truth(right)
    if said is not None and meant is not None:  # "sim", "s", "yes" and true are one answer
        return said == meant
    return values.fold(left) == values.fold(right)


def _among(left: Any, right: Any) -> bool:
    """Whether it is one of a list, or of words with commas between them."""
    offered = right if isinstance(right, list) else values.text(right).split(",")
    return any(_equal(left, item) for item in offered)


def _contains(left: Any, right: Any) -> bool:
    if isinstance(left, list):
        return any(_equal(item, right) for item in left)
    return values.fold(right) in values.fold(left)


@base.nodes.register
class Condition(base.Node):
    """Takes the branch of the first rule that holds, else the branch for true or false, else the default."""

    key = "condition"

    class Config(base.Config):
        conditions: list[Rule] = Field(min_length=1)
        logic: Literal["AND", "OR"] = Field("AND", validation_alias="logicOperator")
        true_next_node_id: str | None = None
        false_next_node_id: str | None = None

        @model_validator(mode="before")
        @classmethod
        def read_single(cls, data: Any) -> Any:
            """One dialect writes a single rule without the list."""
            if isinstance(data, dict) and "conditions" not in data and "variable" in data:
                return {**data, "conditions": [{key: data[key] for key in _RULE & data.keys()}]}
            return data

        @field_validator("logic", mode="before")
        @classmethod
        def fold_logic(cls, value: Any) -> Any:
            """`and` is AND."""
            return value.upper() if isinstance(value, str) else value

    def exits(self, config: Config) -> tuple[base.Exit, ...]:
        branches = [
            base.Exit(f"condition-{index}", (f"condition-{index}", rule.branch, rule.label), optional=True)
            for index, rule in enumerate(config.conditions)
        ]
        return (
            *branches,
            base.Exit("true", ("true", "yes", "sim"), target=config.true_next_node_id, optional=True),
            base.Exit("false", ("false", "no", "nao", "não"), target=config.false_next_node_id, optional=True),
            base.Exit(
                "default",
                ("condition-default", "default", "else"),
                target=config.next_node_id,
                takes_unnamed=True,
                unless="false",
            ),
        )

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        held = [rule.holds(visit.variables) for rule in config.conditions]
        if True in held and (branch := f"condition-{held.index(True)}") in visit.exits:
            return base.Outcome(exit=branch)
        verdict = "true" if (all(held) if config.logic == "AND" else any(held)) else "false"
        return base.Outcome(exit=verdict if verdict in visit.exits else "default")
