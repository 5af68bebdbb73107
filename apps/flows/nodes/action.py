from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from apps.core.templating import Path, Template, TemplateError
from apps.flows import effects
from apps.flows.nodes import base, set_variable

_NOT_YET = frozenset(["webhook", "send_email", "script"])


def _refuse(kind: Any) -> Any:
    if isinstance(kind, str) and kind in _NOT_YET:
        raise ValueError(f"an action of the type {kind!r} cannot run here")
    return kind


Kind = Annotated[
    Literal["save_contact", "add_tag", "remove_tag", "update_field", "update_variable"], BeforeValidator(_refuse)
]


class Act(base.Config):
    """One thing to do. Webhooks, e-mails and scripts are refused, not left out."""

    kind: Kind = Field(validation_alias=AliasChoices("type", "actionType", "action_type"))
    fields: dict[str, Template] = Field(
        {}, max_length=50, validation_alias=AliasChoices("contactFields", "fields", "contact_data")
    )
    tag: Template = Field(Template(""), validation_alias=AliasChoices("tagName", "tag_name", "tag"))
    field: str = Field("", max_length=100, validation_alias=AliasChoices("fieldName", "field_name", "field"))
    value: Template = Field(Template(""), validation_alias=AliasChoices("fieldValue", "field_value"))
    assignment: set_variable.Assignment | None = None

    @model_validator(mode="before")
    @classmethod
    def read_nested(cls, data: Any) -> Any:
        """One dialect writes the details in an object of their own."""
        if not isinstance(data, dict):
            return data
        nested = data.get("config")
        details = nested if isinstance(nested, dict) else {}
        flat = {**details, **{key: value for key, value in data.items() if key != "config"}}
        return {**flat, "assignment": details} if data.get("type") == "update_variable" else flat

    @model_validator(mode="after")
    def be_whole(self) -> Self:
        """Each kind needs its own details."""
        needed = {
            "save_contact": self.fields,
            "add_tag": self.tag.source,
            "remove_tag": self.tag.source,
            "update_field": self.field,
            "update_variable": self.assignment,
        }
        if not needed[self.kind]:
            raise ValueError(f"what {self.kind} is to do is missing")
        return self


@base.nodes.register
class Action(base.Node):
    """Keeps what is known about the contact, tags the conversation, sets variables."""

    key = "action"

    class Config(base.Config):
        actions: list[Act] = Field(min_length=1, max_length=20)

        @model_validator(mode="before")
        @classmethod
        def read_single(cls, data: Any) -> Any:
            """Two dialects write a single action without the list."""
            if isinstance(data, dict) and not data.get("actions"):
                return {**data, "actions": [{key: value for key, value in data.items() if key != "actions"}]}
            return data

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        known, changed = dict(visit.variables), dict[str, Any]()
        asked: list[effects.Effect] = []
        for act in config.actions:
            if act.assignment:
                known[act.assignment.name] = changed[act.assignment.name] = act.assignment.apply(known)
            asked += _effects(act, known)
        return base.Outcome(tuple(asked), exit=base.NEXT, variables=changed)


def _effects(act: Act, variables: Mapping[str, Any]) -> Iterator[effects.Effect]:
    match act.kind:
        case "save_contact":
            for field, source in act.fields.items():
                yield effects.Know(field, _look_up(source, variables))
        case "update_field":
            yield effects.Know(act.field, act.value.render(variables))
        case "add_tag" | "remove_tag":
            yield from effects.tag([act.tag.render(variables)], removes=act.kind == "remove_tag")


def _look_up(source: Template, variables: Mapping[str, Any]) -> Any:
    """The variable of this name; where there is none, or it is no name, the words with their variables in them."""
    try:
        return Path(source.source).find(variables)
    except (LookupError, TemplateError):
        return source.render(variables)
