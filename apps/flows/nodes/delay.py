from typing import Literal, Self

from pydantic import AliasChoices, Field, model_validator

from apps.core.templating import Template
from apps.flows import effects
from apps.flows.answers import Answer
from apps.flows.nodes import base

_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


@base.nodes.register
class Delay(base.WaitingNode):
    """Lets some time pass, up to thirty days. What the customer writes meanwhile is heard afterwards, in its order;
    where the delay may be cancelled, it ends the delay instead."""

    key = "delay"

    class Config(base.Config):
        duration: float = Field(
            3, ge=0, validation_alias=AliasChoices("duration", "delaySeconds", "delay_seconds", "seconds")
        )
        unit: Literal["seconds", "minutes", "hours", "days"] = Field(
            "seconds", validation_alias=AliasChoices("unit", "delayUnit")
        )
        message: Template = Field(Template(""), validation_alias=AliasChoices("delayMessage", "message"))
        cancelable: bool = False

        @model_validator(mode="after")
        def last_no_longer_than_sessions_do(self) -> Self:
            """Thirty days at most."""
            if self.seconds > base.MAX_WAIT:
                raise ValueError("a delay lasts thirty days at most")
            return self

        @property
        def seconds(self) -> float:
            return self.duration * _SECONDS[self.unit]

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        said = effects.say(config.message.render(visit.variables))
        return base.Outcome(said, waits=config.cancelable, wake_in=config.seconds)

    def resume(self, config: Config, visit: base.Visit, answer: Answer) -> base.Outcome:
        return base.Outcome(exit=base.NEXT)
