"""What an action node can do: at once, by effects and variables, or by a call on the world."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AliasChoices, Discriminator, Field, Tag, field_validator, model_validator

from apps.core.templating import Path, Template, TemplateError
from apps.flows import effects, values
from apps.flows.calls import Call, Email, Result
from apps.flows.nodes import base, calling, filling, requesting, scripting, set_variable

MAX_TO = 10
MAX_LETTER = 100_000  # characters

_KINDS = ("type", "actionType", "action_type")


class Act(base.Config):
    """One thing to do; one dialect writes its details in an object of their own."""

    nested: ClassVar[tuple[str, ...]] = ("config",)

    @model_validator(mode="before")
    @classmethod
    def read_nested(cls, data: Any) -> Any:
        """The details, wherever they are written."""
        if not isinstance(data, dict):
            return data
        details = [data[name] for name in cls.nested if isinstance(data.get(name), dict)]
        return {name: value for each in (*details, data) for name, value in each.items()}


class Deed(Act):
    """What is done at once."""

    def sets(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The variables that it sets."""
        return {}

    def asks(self, variables: Mapping[str, Any]) -> Iterator[effects.Effect]:
        """What it asks for."""
        yield from ()


class Errand(Act, calling.Config):
    """What takes a call on the world."""

    @abstractmethod
    def call(self, variables: Mapping[str, Any], own: Mapping[str, Any]) -> Call:
        """The call; `own` are those of the variables that the session has set."""

    def kept(self, result: Result) -> dict[str, Any]:
        """The variables that its success sets."""
        return {self.variable: result.value} if self.variable else {}

    def writes(self) -> frozenset[str]:
        """The variables that it may set."""
        return calling.writes(self, "action")


class SaveContact(Deed):
    """Keeps what is known about the contact."""

    fields: dict[str, Template] = Field(
        min_length=1, max_length=50, validation_alias=AliasChoices("contactFields", "fields", "contact_data")
    )

    def asks(self, variables: Mapping[str, Any]) -> Iterator[effects.Effect]:
        for field, source in self.fields.items():
            yield effects.Know(field, _look_up(source, variables))


class UpdateField(Deed):
    """Keeps one thing about the contact."""

    field: str = Field(max_length=100, validation_alias=AliasChoices("fieldName", "field_name", "field"))
    value: Template = Field(Template(""), validation_alias=AliasChoices("fieldValue", "field_value"))

    def asks(self, variables: Mapping[str, Any]) -> Iterator[effects.Effect]:
        yield effects.Know(self.field, self.value.render(variables))


class AddTag(Deed):
    """Tags the conversation."""

    tag: Template = Field(validation_alias=AliasChoices("tagName", "tag_name", "tag"))
    removes: ClassVar[bool] = False

    def asks(self, variables: Mapping[str, Any]) -> Iterator[effects.Effect]:
        yield from effects.tag([self.tag.render(variables)], removes=self.removes)


class RemoveTag(AddTag):
    """Takes a tag off the conversation."""

    removes: ClassVar[bool] = True


class UpdateVariable(Deed):
    """Sets a variable, or adds to it."""

    assignment: set_variable.Assignment

    @model_validator(mode="before")
    @classmethod
    def read_assignment(cls, data: Any) -> Any:
        """Its details are those of a node that sets variables."""
        if not isinstance(data, dict):
            return data
        nested = data.get("config")
        return {"assignment": nested if isinstance(nested, dict) else data}

    def sets(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        return {self.assignment.name: self.assignment.apply(variables)}


class Webhook(Errand, requesting.Config):
    """Sends a request; without a body of its own, with what the session knows."""

    method: requesting.Method = Field(
        "POST", validation_alias=AliasChoices("method", "webhookMethod", "webhook_method")
    )

    def call(self, variables: Mapping[str, Any], own: Mapping[str, Any]) -> Call:
        return requesting.request(self, variables, otherwise=own)

    def kept(self, result: Result) -> dict[str, Any]:
        return requesting.keep(self, result)

    def writes(self) -> frozenset[str]:
        return requesting.writes(self, "action")


class Script(Errand, scripting.Config):
    """Runs the author's JavaScript."""

    def call(self, variables: Mapping[str, Any], own: Mapping[str, Any]) -> Call:
        return scripting.script(self, variables)

    def kept(self, result: Result) -> dict[str, Any]:
        return scripting.keep(self, result)

    def writes(self) -> frozenset[str]:
        return base.ANY


class SendEmail(Errand):
    """Sends a letter; without a text, one that lists its variables."""

    nested: ClassVar[tuple[str, ...]] = ("config", "email_data", "emailData")

    to: Template = Field(validation_alias=AliasChoices("to", "emailTo", "email_to", "recipient"))
    subject: Template = Field(Template(""), validation_alias=AliasChoices("subject", "emailSubject", "email_subject"))
    text: Template | None = Field(
        None, validation_alias=AliasChoices("body", "text", "emailBody", "email_body", "message", "content")
    )
    listed: dict[str, Any] = Field({}, max_length=100, validation_alias="variables")

    @field_validator("listed")
    @classmethod
    def read_templates(cls, listed: dict[str, Any]) -> Any:
        """Every text within may hold variables."""
        return filling.read(listed)

    def call(self, variables: Mapping[str, Any], own: Mapping[str, Any]) -> Call:
        listed: dict[str, Any] = filling.fill(self.listed, variables)
        known = {**variables, **listed}
        subject = " ".join(self.subject.render(known).split())
        to = [address.strip() for address in self.to.render(variables).replace(";", ",").split(",")]
        if len(to) > MAX_TO:
            raise TemplateError(f"A letter goes to {MAX_TO} people at most.")
        lines = [f"{name}: {values.text(value)}" for name, value in listed.items()]
        text = self.text.render(known) if self.text else "\n".join([subject, "", *lines])
        if len(text) > MAX_LETTER:
            raise TemplateError(f"A letter has {MAX_LETTER:,} characters at most.")
        return Email(tuple(" ".join(address.split()) for address in to if address), subject, text)


def _kind(data: Any) -> str | None:
    written = [data[name] for name in _KINDS if data.get(name)] if isinstance(data, dict) else []
    return written[0] if written and isinstance(written[0], str) else None


Kind = Annotated[
    Annotated[SaveContact, Tag("save_contact")]
    | Annotated[UpdateField, Tag("update_field")]
    | Annotated[AddTag, Tag("add_tag")]
    | Annotated[RemoveTag, Tag("remove_tag")]
    | Annotated[UpdateVariable, Tag("update_variable")]
    | Annotated[Webhook, Tag("webhook")]
    | Annotated[SendEmail, Tag("send_email")]
    | Annotated[Script, Tag("script")],
    Discriminator(
        _kind,
        custom_error_type="unknown_action",
        custom_error_message="an action is save_contact, update_field, add_tag, remove_tag, update_variable, webhook, "
        "send_email or script",
    ),
]
"""One of all these, by its kind."""


def _look_up(source: Template, variables: Mapping[str, Any]) -> Any:
    """The variable of this name; where there is none, or it is no name, the words with their variables in them."""
    try:
        return Path(source.source).find(variables)
    except (LookupError, TemplateError):
        return source.render(variables)
