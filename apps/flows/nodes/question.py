from typing import Any, Self

from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, field_validator, model_validator

from apps.core.templating import Template
from apps.flows import answers, effects
from apps.flows.answers import Demand, InvalidAnswer, Kind
from apps.flows.nodes import base

GIVEN_UP = "Número máximo de tentativas excedido. Continuando com o atendimento..."

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

    kind: Kind | None = Field(None, validation_alias="type")
    required: bool = True
    error_message: Template | None = Field(None, validation_alias=AliasChoices("errorMessage", "error_message"))
    max_attempts: int = Field(3, ge=1, le=100, validation_alias=AliasChoices("maxAttempts", "max_attempts"))
    minimum: float | None = Field(None, validation_alias="min")
    maximum: float | None = Field(None, validation_alias="max")
    min_length: int | None = Field(None, validation_alias=AliasChoices("min_length", "minLength"))
    max_length: int | None = Field(None, validation_alias=AliasChoices("max_length", "maxLength"))
    choices: list[Option] = []

    @field_validator("kind", mode="before")
    @classmethod
    def know_aliases(cls, value: Any) -> Any:
        """Kinds have had several names."""
        return _KINDS.get(value, value) if isinstance(value, str) else value


@base.nodes.register
class Question(base.WaitingNode):
    """Asks, waits for the customer, checks the answer and keeps it in a variable."""

    key = "question"

    class Config(base.Config):
        text: Template = Field(
            validation_alias=AliasChoices(
                AliasPath("content", "text"), "content", "questionText", "question", "text", "label"
            )
        )
        response_kind: Kind | None = Field(None, validation_alias=AliasChoices("responseType", "response_type"))
        validation: Validation = Validation()
        options: list[Option] = []
        variable: str | None = Field(
            None,
            pattern=r"^[^\W\d][\w-]{0,99}$",
            validation_alias=AliasChoices("variableName", "outputVariable", "variable", "output_variable"),
        )

        @field_validator("response_kind", mode="before")
        @classmethod
        def know_aliases(cls, value: Any) -> Any:
            """Kinds have had several names."""
            return _KINDS.get(value, value) if isinstance(value, str) else value

        @model_validator(mode="after")
        def offer_choices(self) -> Self:
            """A choice needs something to choose from, each under a name of its own."""
            offered = [choice.id for choice in self.demand.choices]
            if self.demand.kind is Kind.CHOICE and not offered:
                raise ValueError("a question of this type needs options")
            if len(set(offered)) < len(offered):
                raise ValueError("two options have the same value")
            return self

        @property
        def demand(self) -> Demand:
            """What is demanded of the answer; options make a choice of a question that names no type."""
            offered = self.options or self.validation.choices
            kind = self.response_kind
            if kind in (None, Kind.TEXT) and self.validation.kind:
                kind = self.validation.kind
            return Demand(
                kind=kind or (Kind.CHOICE if offered else Kind.TEXT),
                choices=tuple(effects.Choice(option.value, option.label) for option in offered),
                required=self.validation.required,
                minimum=self.validation.minimum,
                maximum=self.validation.maximum,
                min_length=self.validation.min_length,
                max_length=self.validation.max_length,
            )

    def exits(self, config: Config) -> tuple[base.Exit, ...]:
        return (
            base.Exit("invalid", ("invalid", "error")),
            base.Exit("timeout", ("timeout",)),
            *super().exits(config),
        )

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        question = effects.Ask(config.text.render(visit.variables), tuple(config.demand.choices))
        return base.Outcome((question,), waits=True)

    def resume(self, config: Config, visit: base.Visit, answer: base.Answer) -> base.Outcome:
        try:
            value = answers.read(answer, config.demand)
        except InvalidAnswer as refusal:
            return self._refuse(config, visit, str(refusal))
        name = config.variable or f"user_response_{visit.node_id}"
        return base.Outcome(exit=base.NEXT, variables={name: value})

    def _refuse(self, config: Config, visit: base.Visit, words: str) -> base.Outcome:
        """Ask again, or go on without an answer: by the exit for that if there is one, else as if there were one."""
        if visit.attempts + 1 >= config.validation.max_attempts:
            if "invalid" in visit.exits:
                return base.Outcome(exit="invalid")
            return base.Outcome((effects.Say(GIVEN_UP),), exit=base.NEXT)
        if config.validation.error_message:
            words = config.validation.error_message.render(visit.variables)
        return base.Outcome(effects.say(words), waits=True)
