from typing import Any, Literal

from pydantic import AliasChoices, AliasPath, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from apps.core.templating import Template, TemplateError
from apps.flows import answers, effects
from apps.flows.answers import Answer, Demand, InvalidAnswer, Kind
from apps.flows.nodes import asking, base

Type = Literal["text", "image", "video", "audio", "document", "location"]


MAX_BUTTONS = 10
MAX_ATTEMPTS = 3


class Button(asking.Option):
    """A button below the text, and where it leads."""

    target: str | None = Field(None, validation_alias=AliasChoices("next_node_id", "nextNodeId", "targetNodeId"))


@base.nodes.register
class Message(base.WaitingNode):
    """Says a text, or shows a file or a place, after a delay if there is one, and goes on: at once, after the customer
    has written again, or by the button that they chose."""

    key, aliases = "message", ("text",)

    class Config(base.Config):
        type: Type = Field("text", validation_alias=AliasChoices("messageType", "mediaType", "message_type"))
        text: Template = Field(
            "",
            validate_default=True,
            validation_alias=AliasChoices(AliasPath("content", "text"), "content", "messageText", "text", "message"),
        )
        media_url: Template = Field("", validate_default=True, validation_alias=AliasChoices("mediaUrl", "media_url"))
        caption: Template = Template("")
        filename: Template = Template("")
        latitude: float | None = Field(
            None,
            ge=-90,
            le=90,
            validate_default=True,
            validation_alias=AliasChoices("latitude", AliasPath("location", "latitude")),
        )
        longitude: float | None = Field(
            None,
            ge=-180,
            le=180,
            validate_default=True,
            validation_alias=AliasChoices("longitude", AliasPath("location", "longitude")),
        )
        name: Template = Field(
            Template(""), validation_alias=AliasChoices("locationName", AliasPath("location", "name"), "name")
        )
        address: Template = Field(
            Template(""), validation_alias=AliasChoices("locationAddress", AliasPath("location", "address"), "address")
        )
        buttons: list[Button] = Field([], max_length=MAX_BUTTONS)
        delay: float = Field(0, ge=0, le=base.MAX_WAIT)
        auto_advance: bool = Field(True, validation_alias=AliasChoices("autoAdvance", "auto_advance"))

        @field_validator("text")
        @classmethod
        def need_text(cls, text: Template, info: ValidationInfo) -> Template:
            """A text needs words."""
            return _need(text, text.source, info, "text")

        @field_validator("media_url")
        @classmethod
        def need_link(cls, url: Template, info: ValidationInfo) -> Template:
            """A file needs a link; a text has none."""
            if url.source and info.data.get("type") in ("text", "location"):
                raise ValueError("say with messageType of which kind the file is")
            if url.source and "{{" not in url.source:
                _check_link(url.source)
            return _need(url, url.source, info, "image", "video", "audio", "document")

        @field_validator("latitude", "longitude")
        @classmethod
        def need_coordinates(cls, value: float | None, info: ValidationInfo) -> float | None:
            """A place needs to be somewhere."""
            return _need(value, value is not None, info, "location")

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        return base.Outcome(wake_in=config.delay) if config.delay else self.wake(config, visit)

    def exits(self, config: Config) -> tuple[base.Exit, ...]:
        each = (
            base.Exit(_exit(one.value), (one.value, one.label), target=one.target, unless=base.NEXT)
            for one in config.buttons
        )
        return (*each, *super().exits(config))

    def resume(self, config: Config, visit: base.Visit, answer: Answer) -> base.Outcome:
        if not config.buttons:
            return base.Outcome(exit=base.NEXT)
        try:
            chosen = answers.read(answer, Demand(Kind.CHOICE, _choices(config)))
        except InvalidAnswer as refusal:
            if visit.attempts + 1 < MAX_ATTEMPTS:
                return base.Outcome((effects.Say(str(refusal)),), waits=True)
            return base.Outcome((effects.Say(asking.GIVEN_UP),), exit=base.NEXT)
        return base.Outcome(exit=_exit(chosen) if _exit(chosen) in visit.exits else base.NEXT)

    def wake(self, config: Config, visit: base.Visit) -> base.Outcome:
        said = self._said(config, visit)
        if config.buttons or not config.auto_advance:
            return base.Outcome(said, waits=True)
        return base.Outcome(said, exit=base.NEXT)

    def shows(self, config: Config) -> tuple[effects.Effect, ...]:
        if config.buttons:
            return (effects.Ask(config.text.source, _choices(config)),)
        return (effects.Say(config.text.source),) if config.type == "text" else ()

    def _said(self, config: Config, visit: base.Visit) -> tuple[effects.Effect, ...]:
        text = config.text.render(visit.variables)
        if config.type == "text":
            return (effects.Ask(text, _choices(config)),) if config.buttons else effects.say(text)
        if config.type == "location":
            assert config.latitude is not None
            assert config.longitude is not None
            name, address = config.name.render(visit.variables), config.address.render(visit.variables)
            return (*effects.say(text), effects.Location(config.latitude, config.longitude, name, address))
        url = config.media_url.render(visit.variables).strip()
        _check_link(url)
        caption = config.caption.render(visit.variables) or text
        media = effects.Media(config.type, url, caption, config.filename.render(visit.variables))
        return (media, effects.Ask("", _choices(config))) if config.buttons else (media,)


def _choices(config: Message.Config) -> tuple[effects.Choice, ...]:
    return tuple(effects.Choice(button.value, button.label) for button in config.buttons)


def _exit(value: str) -> str:
    return f"choice:{value}"


def _need(value: Any, is_there: Any, info: ValidationInfo, *types: str) -> Any:
    """The value, which a message of one of these types must have."""
    if not is_there and info.data.get("type") in types:
        raise PydanticCustomError("missing", "Field required")
    return value


def _check_link(url: str) -> None:
    if not url.startswith(("https://", "http://")) or len(url) > 2000:
        raise TemplateError("a link begins with https:// or http://")
