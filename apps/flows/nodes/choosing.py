"""What buttons and lists have in common: choices with texts around them, and a way out for each."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import AliasChoices, AliasPath, Field

from apps.core.templating import Template
from apps.flows import effects
from apps.flows.answers import Demand, Kind
from apps.flows.effects import Choice
from apps.flows.nodes import asking, base


class Config(asking.Config):
    """The texts around the choices."""

    text: Template = Field(
        validation_alias=AliasChoices(
            "bodyText", "body_text", AliasPath("body", "text"), AliasPath("content", "text"), "content", "text", "body"
        )
    )
    header: Template = Field(
        Template(""), validation_alias=AliasChoices("headerText", AliasPath("header", "text"), "header")
    )
    footer: Template = Field(
        Template(""), validation_alias=AliasChoices("footerText", AliasPath("footer", "text"), "footer")
    )

    @property
    @abstractmethod
    def titles(self) -> dict[str, Template]:
        """The titles of the choices, by their ids."""


class Choosing(asking.Asking):
    """A type of node that lets the customer choose: by touch, by the choice's number, by its title or its id."""

    def exits(self, config: Any) -> tuple[base.Exit, ...]:
        each = tuple(base.Exit(_exit(id), (id, title.source), unless=base.NEXT) for id, title in config.titles.items())
        *asides, onward = super().exits(config)
        return (*each, *asides, replace(onward, unless="invalid"))

    @abstractmethod
    def choices(self, config: Any, variables: Mapping[str, Any]) -> tuple[Choice, ...]:
        """What there is to choose from."""

    def question(self, config: Any, variables: Mapping[str, Any]) -> effects.Ask:
        """What is asked, with its choices."""
        return effects.Ask(
            config.text.render(variables),
            self.choices(config, variables),
            header=config.header.render(variables),
            footer=config.footer.render(variables),
        )

    def run(self, config: Any, visit: base.Visit) -> base.Outcome:
        return self.ask(config, visit, self.question(config, visit.variables))

    def shows(self, config: Any) -> tuple[effects.Effect, ...]:
        return (self.question(config, {}),)

    def demand(self, config: Any, visit: base.Visit) -> Demand:
        return Demand(kind=Kind.CHOICE, choices=self.choices(config, visit.variables))

    def exit_for(self, value: Any, visit: base.Visit) -> str:
        return _exit(value) if _exit(value) in visit.exits else base.NEXT


def check_length(title: Template, most: int) -> Template:
    """ValueError if a title is too long whatever its variables are."""
    if "{{" not in title.source and len(title.source) > most:
        raise ValueError(f"at most {most} characters fit, not {len(title.source)}")
    return title


def check_distinct(ids: list[str]) -> None:
    """ValueError if two choices have one id."""
    if len(set(ids)) < len(ids):
        raise ValueError("two choices have the same id")


def _exit(choice_id: str) -> str:
    return f"choice:{choice_id}"
