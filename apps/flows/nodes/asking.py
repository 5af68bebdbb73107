"""What nodes that ask have in common: the answer is checked, refused a few times, and kept in a variable."""

from abc import abstractmethod
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from apps.core.templating import Template
from apps.flows import answers, effects
from apps.flows.answers import Answer, Demand, InvalidAnswer, Kind
from apps.flows.nodes import base

GIVEN_UP = "Número máximo de tentativas excedido. Continuando com o atendimento..."
TIMEOUT = 3600.0

_KINDS = {
    "any": Kind.TEXT,
    "string": Kind.TEXT,
    "tel": Kind.PHONE,
    "yes_no": Kind.YES_NO,
    "boolean": Kind.YES_NO,
    "multiple_choice": Kind.CHOICE,
    "options": Kind.CHOICE,
    "buttons": Kind.CHOICE,
    "list": Kind.CHOICE,
    "media": Kind.FILE,
}


NamedKind = Annotated[
    Kind, BeforeValidator(lambda value: _KINDS.get(value, value) if isinstance(value, str) else value)
]
"""A kind of answer by one of the names that it has had."""


class Option(BaseModel):
    """An answer on offer: written as a word, or as an object."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    value: str = Field(min_length=1, validation_alias=AliasChoices("value", "id", "label", "title"))
    label: str = Field(min_length=1, validation_alias=AliasChoices("label", "title", "value", "id"))

    @model_validator(mode="before")
    @classmethod
    def read_word(cls, data: Any) -> Any:
        """`"SIM"` is an option whose value and label are the same."""
        return {"value": data} if isinstance(data, str | int | float) else data


class Validation(base.Config):
    """What the answer must be like."""

    kind: NamedKind | None = Field(None, validation_alias="type")
    required: bool = True
    error_message: Template | None = Field(None, validation_alias=AliasChoices("errorMessage", "error_message"))
    max_attempts: int = Field(3, ge=1, le=100, validation_alias=AliasChoices("maxAttempts", "max_attempts"))
    minimum: float | None = Field(None, validation_alias="min")
    maximum: float | None = Field(None, validation_alias="max")
    min_length: int | None = Field(None, validation_alias=AliasChoices("min_length", "minLength"))
    max_length: int | None = Field(None, validation_alias=AliasChoices("max_length", "maxLength"))
    choices: list[Option] = []


class Config(base.Config):
    """The variable that keeps the answer, and what is done about a wrong one."""

    validation: Validation = Validation()
    variable: str | None = Field(
        None,
        pattern=r"^[^\W\d][\w-]{0,99}$",
        validation_alias=AliasChoices("variableName", "outputVariable", "variable", "output_variable"),
    )
    timeout: float | None = Field(
        None, gt=0, le=base.MAX_WAIT, validation_alias=AliasChoices("timeoutSeconds", "timeout_seconds", "timeout")
    )
    """Seconds without an answer after which it goes on; an hour where only an exit for that is drawn."""


class Asking(base.WaitingNode):
    """A type of node that asks, waits for the customer, checks the answer and keeps it in a variable."""

    def exits(self, config: Any) -> tuple[base.Exit, ...]:
        return (
            base.Exit("invalid", ("invalid", "error"), optional=True),
            base.Exit("timeout", ("timeout",), optional=True),
            *super().exits(config),
        )

    def writes(self, config: Any, node_id: str) -> frozenset[str]:
        return frozenset([_variable(config, node_id)])

    @abstractmethod
    def demand(self, config: Any, visit: base.Visit) -> Demand:
        """What the answer must be like."""

    def ask(self, config: Any, visit: base.Visit, question: effects.Ask) -> base.Outcome:
        """Ask, and wait for the answer."""
        return base.Outcome((question,), waits=True, wake_in=self._patience(config, visit))

    def wake(self, config: Any, visit: base.Visit) -> base.Outcome:
        """Nobody answered: go on without an answer, by the exit for that if there is one."""
        return base.Outcome(exit="timeout" if "timeout" in visit.exits else base.NEXT)

    def resume(self, config: Any, visit: base.Visit, answer: Answer) -> base.Outcome:
        try:
            value = answers.read(answer, self.demand(config, visit))
        except InvalidAnswer as refusal:
            return self._refuse(config, visit, str(refusal))
        kept = {_variable(config, visit.node_id): value}
        return base.Outcome(exit=self.exit_for(value, visit), variables=kept)

    def exit_for(self, value: Any, visit: base.Visit) -> str:
        """The way out of an answer that was taken."""
        return base.NEXT

    def _patience(self, config: Any, visit: base.Visit) -> float | None:
        return config.timeout or (TIMEOUT if "timeout" in visit.exits else None)

    def _refuse(self, config: Any, visit: base.Visit, words: str) -> base.Outcome:
        """Ask again, or go on without an answer: by the exit for that if there is one, else as if there were one."""
        if visit.attempts + 1 >= config.validation.max_attempts:
            if "invalid" in visit.exits:
                return base.Outcome(exit="invalid")
            return base.Outcome((effects.Say(GIVEN_UP),), exit=base.NEXT)
        if config.validation.error_message:
            words = config.validation.error_message.render(visit.variables)
        return base.Outcome(effects.say(words), waits=True, wake_in=self._patience(config, visit))


def _variable(config: Any, node_id: str) -> str:
    return config.variable or f"user_response_{node_id}"
