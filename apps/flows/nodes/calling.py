"""What nodes that call on the world have in common: where the answer is kept, and what becomes of a failure."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, Field, model_validator

from apps.flows import effects
from apps.flows.calls import Result
from apps.flows.nodes import base

ERROR = "error"
MAX_REASON = 300

_HANDLING = AliasChoices("errorHandling", "error_handling")
_SWITCHES = {
    "retryOnFailure": "retryOnFailure",
    "retry_on_failure": "retryOnFailure",
    "continueOnError": "continueOnError",
    "continue_on_error": "continueOnError",
}


Variable = Annotated[
    str | None,
    Field(
        pattern=r"^[^\W\d][\w-]{0,99}$",
        validation_alias=AliasChoices(
            "responseVariable",
            "outputVariable",
            "output_variable",
            "resultVariable",
            "saveResponseTo",
            "response_variable",
            "result_variable",
            "save_response_to",
        ),
    ),
]
"""The variable that keeps what came of a call, by any of the names that builders give that field."""


def seconds(least: float, most: float, *, above: float) -> AfterValidator:
    """A time-out within these limits; a number above `above` is meant as milliseconds."""
    return AfterValidator(lambda value: min(max(value / 1000 if value > above else value, least), most))


class ErrorHandling(base.Config):
    """What becomes of a failure for which no way is drawn."""

    on_error: Literal["continue", "stop", "retry"] | None = Field(
        None, validation_alias=AliasChoices("onError", "on_error")
    )
    max_retries: int = Field(1, ge=0, le=10, validation_alias=AliasChoices("maxRetries", "max_retries"))
    retry_delay: float = Field(
        2, ge=0, le=60, allow_inf_nan=False, validation_alias=AliasChoices("retryDelay", "retry_delay")
    )
    fallback: Any = Field(None, validation_alias=AliasChoices("fallbackValue", "fallback_value"))
    retries_on_failure: bool = Field(False, validation_alias="retryOnFailure")
    continues_on_error: bool = Field(True, validation_alias="continueOnError")

    @property
    def retries(self) -> int:
        """How often to try again."""
        tries = self.retries_on_failure if self.on_error is None else self.on_error == "retry"
        return self.max_retries if tries else 0

    @property
    def stops(self) -> bool:
        """Whether the flow ends with the failure."""
        return not self.continues_on_error if self.on_error is None else self.on_error == "stop"


class Config(base.Config):
    """The variable that keeps the answer, and what becomes of a failure."""

    variable: Variable = None
    handling: ErrorHandling = Field(ErrorHandling(), validation_alias=_HANDLING)

    @model_validator(mode="before")
    @classmethod
    def read_switches(cls, data: Any) -> Any:
        """One dialect has two switches in place of the object that says what becomes of a failure."""
        if not isinstance(data, dict) or data.get("errorHandling") or data.get("error_handling"):
            return data
        switches = {name: data[written] for written, name in _SWITCHES.items() if written in data}
        return {**data, "errorHandling": switches} if switches else data


class Calling(base.CallingNode):
    """A type of node with a way out for success and one for failure."""

    def exits(self, config: Any) -> tuple[base.Exit, ...]:
        return (
            base.Exit(base.NEXT, ("success", "true", "sucesso"), target=config.next_node_id, takes_rest=True),
            base.Exit(ERROR, ("error", "failure", "erro", "false"), optional=True),
        )

    def writes(self, config: Any, node_id: str) -> frozenset[str]:
        return writes(config, self.key)


def writes(config: Config, name: str) -> frozenset[str]:
    """The variables that `fail` and a success may set; `name` stands for a variable that is not named."""
    return frozenset([f"{config.variable or name}_error", *([config.variable] if config.variable else [])])


def fail(config: Config, name: str, visit: base.Visit, result: Result) -> base.Outcome:
    """What becomes of a failed call: the way drawn for it, else the end, else on with what stands in for the answer."""
    words = result.error or "The call failed."
    if ERROR in visit.exits:
        told = {f"{config.variable or name}_error": {"message": words, "status": result.status}}
        return base.Outcome(exit=ERROR, variables=told, error=words)
    if config.handling.stops:
        reason = f"The flow failed at node {visit.node_id!r}: {words}"[:MAX_REASON]
        return base.Outcome((effects.HandOver(reason, priority="high"),), error=words)
    kept = {config.variable: config.handling.fallback} if config.variable else {}
    return base.Outcome(exit=base.NEXT, variables=kept, error=words)
