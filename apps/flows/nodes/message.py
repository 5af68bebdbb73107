from typing import Any, Literal

from pydantic import AliasChoices, AliasPath, Field

from apps.core.templating import Template
from apps.flows import effects
from apps.flows.nodes import base


@base.nodes.register
class Message(base.Node):
    """Says a text, and goes on. Media, buttons and delays are refused, not left out."""

    key, aliases = "message", ("text",)

    class Config(base.Config):
        text: Template = Field(
            validation_alias=AliasChoices(AliasPath("content", "text"), "content", "messageText", "text", "message")
        )
        type: Literal["text"] = Field("text", validation_alias=AliasChoices("messageType", "mediaType"))
        media_url: Literal[""] = Field("", validation_alias=AliasChoices("mediaUrl", "media_url"))
        buttons: list[Any] = Field([], max_length=0)
        delay: Literal[0] = 0
        auto_advance: Literal[True] = Field(True, validation_alias="autoAdvance")

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        return base.Outcome(effects.say(config.text.render(visit.variables)), exit=base.NEXT)
