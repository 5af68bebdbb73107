from typing import Any, Literal

from pydantic import AliasChoices, AliasPath, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from apps.core.templating import Template, TemplateError
from apps.flows import effects
from apps.flows.nodes import base

Type = Literal["text", "image", "video", "audio", "document", "location"]


@base.nodes.register
class Message(base.WaitingNode):
    """Says a text, or shows a file or a place, after a delay if there is one, and goes on. Buttons are refused, not
    left out."""

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
        buttons: list[Any] = Field([], max_length=0)
        delay: float = Field(0, ge=0, le=base.MAX_WAIT)
        auto_advance: Literal[True] = Field(True, validation_alias="autoAdvance")

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

    def resume(self, config: Config, visit: base.Visit, answer: base.Answer) -> base.Outcome:
        return self.wake(config, visit)

    def wake(self, config: Config, visit: base.Visit) -> base.Outcome:
        return base.Outcome(self._said(config, visit), exit=base.NEXT)

    def _said(self, config: Config, visit: base.Visit) -> tuple[effects.Effect, ...]:
        text = config.text.render(visit.variables)
        if config.type == "text":
            return effects.say(text)
        if config.type == "location":
            assert config.latitude is not None
            assert config.longitude is not None
            name, address = config.name.render(visit.variables), config.address.render(visit.variables)
            return (*effects.say(text), effects.Location(config.latitude, config.longitude, name, address))
        url = config.media_url.render(visit.variables).strip()
        _check_link(url)
        caption = config.caption.render(visit.variables) or text
        return (effects.Media(config.type, url, caption, config.filename.render(visit.variables)),)


def _need(value: Any, is_there: Any, info: ValidationInfo, *types: str) -> Any:
    """The value, which a message of one of these types must have."""
    if not is_there and info.data.get("type") in types:
        raise PydanticCustomError("missing", "Field required")
    return value


def _check_link(url: str) -> None:
    if not url.startswith(("https://", "http://")) or len(url) > 2000:
        raise TemplateError("a link begins with https:// or http://")
