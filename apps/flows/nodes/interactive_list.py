from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, model_validator

from apps.core.templating import Template
from apps.flows.effects import Ask, Choice
from apps.flows.nodes import base, choosing

MAX_ROWS = 10
MAX_TITLE = 24
MAX_DESCRIPTION = 72
MAX_OPENER = 20


class Row(BaseModel):
    """One row; its title is its id where it has none."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    id: str = Field(min_length=1, max_length=200, validation_alias=AliasChoices("id", "value", "title", "label"))
    title: Annotated[Template, AfterValidator(lambda title: choosing.check_length(title, MAX_TITLE))] = Field(
        validation_alias=AliasChoices("title", "label", "text")
    )
    description: Annotated[Template, AfterValidator(lambda text: choosing.check_length(text, MAX_DESCRIPTION))] = (
        Template("")
    )


class Section(BaseModel):
    """Rows under a title."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    title: Template = Template("")
    rows: list[Row] = Field(min_length=1)


@base.nodes.register
class InteractiveList(choosing.Choosing):
    """Offers a list of up to ten rows, and leaves by the one that the customer chose."""

    key, aliases = "interactive_list", ("list",)

    class Config(choosing.Config):
        opener: Annotated[Template, AfterValidator(lambda text: choosing.check_length(text, MAX_OPENER))] = Field(
            Template(""), validation_alias=AliasChoices("buttonText", "button_text")
        )
        sections: list[Section] = Field(min_length=1)

        @model_validator(mode="before")
        @classmethod
        def read_flat(cls, data: Any) -> Any:
            """One dialect writes the rows without sections."""
            if isinstance(data, dict) and data.get("listItems") and not data.get("sections"):
                return {**data, "sections": [{"rows": data["listItems"]}]}
            return data

        @model_validator(mode="after")
        def fit(self) -> Self:
            """All sections together have ten rows at most, each with an id of its own."""
            ids = [row.id for section in self.sections for row in section.rows]
            if len(ids) > MAX_ROWS:
                raise ValueError(f"a list has at most {MAX_ROWS} rows, not {len(ids)}")
            choosing.check_distinct(ids)
            return self

        @property
        def titles(self) -> dict[str, Template]:
            return {row.id: row.title for section in self.sections for row in section.rows}

    def choices(self, config: Config, variables: Mapping[str, Any]) -> tuple[Choice, ...]:
        return tuple(
            Choice(row.id, row.title.render(variables), row.description.render(variables), title)
            for section in config.sections
            for title in [section.title.render(variables)]
            for row in section.rows
        )

    def question(self, config: Config, variables: Mapping[str, Any]) -> Ask:
        return replace(super().question(config, variables), opener=config.opener.render(variables), as_list=True)
