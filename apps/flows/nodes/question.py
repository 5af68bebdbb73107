from typing import Self

from pydantic import AliasChoices, AliasPath, Field, model_validator

from apps.core.templating import Template
from apps.flows import effects
from apps.flows.answers import Demand, Kind
from apps.flows.nodes import asking, base


@base.nodes.register
class Question(asking.Asking):
    """Asks, waits for the customer, checks the answer and keeps it in a variable."""

    key = "question"

    class Config(asking.Config):
        text: Template = Field(
            validation_alias=AliasChoices(
                AliasPath("content", "text"), "content", "questionText", "question", "text", "label"
            )
        )
        response_kind: asking.NamedKind | None = Field(
            None, validation_alias=AliasChoices("responseType", "response_type")
        )
        options: list[asking.Option] = []

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

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        words = config.text.render(visit.variables)
        return self.ask(config, visit, effects.Ask(words, tuple(config.demand.choices)))

    def shows(self, config: Config) -> tuple[effects.Effect, ...]:
        return (effects.Ask(config.text.source, tuple(config.demand.choices)),)

    def demand(self, config: Config, visit: base.Visit) -> Demand:
        return config.demand
