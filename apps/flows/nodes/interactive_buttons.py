from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, model_validator

from apps.core.templating import Template
from apps.flows.effects import Choice
from apps.flows.nodes import base, choosing

MAX_BUTTONS = 3
MAX_TITLE = 20


class Button(BaseModel):
    """One button; its title is its id where it has none."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    id: str = Field(min_length=1, max_length=200, validation_alias=AliasChoices("id", "value", "title", "label"))
    title: Annotated[Template, AfterValidator(lambda title: choosing.check_length(title, MAX_TITLE))] = Field(
        validation_alias=AliasChoices("title", "label", "text")
    )


@base.nodes.register
class InteractiveButtons(choosing.Choosing):
    """Offers up to three buttons, and leaves by the one that the customer chose."""

    key, aliases = "interactive_buttons", ("buttons",)

    class Config(choosing.Config):
        buttons: list[Button] = Field(min_length=1, max_length=MAX_BUTTONS)

        @model_validator(mode="after")
        def know_apart(self) -> Self:
            """Each button has an id of its own."""
            choosing.check_distinct([button.id for button in self.buttons])
            return self

        @property
        def titles(self) -> dict[str, Template]:
            return {button.id: button.title for button in self.buttons}

    def choices(self, config: Config, variables: Mapping[str, Any]) -> tuple[Choice, ...]:
        return tuple(Choice(button.id, button.title.render(variables)) for button in config.buttons)
