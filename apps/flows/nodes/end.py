from typing import Literal

from pydantic import AliasChoices, AliasPath, Field

from apps.core.templating import Template
from apps.flows import effects
from apps.flows.nodes import base


@base.nodes.register
class End(base.Node):
    """Ends the session, with a farewell if there is one; closes the conversation only where its data says so.

    Handing over, tags and summaries are refused, not left out.
    """

    key = "end"

    class Config(base.Config):
        farewell: Template = Field(
            Template(""),
            validation_alias=AliasChoices(AliasPath("content", "text"), "content", "farewellMessage", "message"),
        )
        closes: bool = Field(False, validation_alias=AliasChoices("closeConversation", "close_conversation"))
        type: Literal["simple", "farewell"] = Field("simple", validation_alias="endType")
        hands_over: Literal[False] = Field(False, validation_alias=AliasChoices("trigger_handoff", "triggerHandoff"))
        tag: Literal[""] = Field("", validation_alias="addTag")
        sends_summary: Literal[False] = Field(False, validation_alias="sendSummary")

    def exits(self, config: Config) -> tuple[base.Exit, ...]:
        return ()

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        farewell = effects.say(config.farewell.render(visit.variables))
        return base.Outcome((*farewell, effects.Close()) if config.closes else farewell)
