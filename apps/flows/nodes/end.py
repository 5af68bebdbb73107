from typing import Literal

from pydantic import AliasChoices, AliasPath, Field

from apps.core.templating import Template
from apps.flows import effects
from apps.flows.nodes import base

REASON = "The flow ended with a person."


@base.nodes.register
class End(base.Node):
    """Ends the session, with a farewell and a tag if there are any; closes the conversation only where its data says
    so and nobody takes over. Summaries are refused, not left out."""

    key = "end"

    class Config(base.Config):
        farewell: Template = Field(
            Template(""),
            validation_alias=AliasChoices(AliasPath("content", "text"), "content", "farewellMessage", "message"),
        )
        closes: bool = Field(False, validation_alias=AliasChoices("closeConversation", "close_conversation"))
        type: Literal["simple", "farewell", "handoff"] = Field("simple", validation_alias="endType")
        trigger_handoff: bool = Field(False, validation_alias=AliasChoices("trigger_handoff", "triggerHandoff"))
        tag: Template = Field(Template(""), validation_alias=AliasChoices("addTag", "add_tag"))
        sends_summary: Literal[False] = Field(False, validation_alias="sendSummary")

    def exits(self, config: Config) -> tuple[base.Exit, ...]:
        return ()

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        said = effects.say(config.farewell.render(visit.variables))
        tagged = effects.tag([config.tag.render(visit.variables)])
        if config.trigger_handoff or config.type == "handoff":
            return base.Outcome((*said, *tagged, effects.HandOver(REASON)))
        return base.Outcome((*said, *tagged, *([effects.Close()] if config.closes else [])))
