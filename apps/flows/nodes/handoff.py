from typing import Annotated, Literal

from pydantic import AliasChoices, BeforeValidator, Field

from apps.core.templating import Template
from apps.flows import effects
from apps.flows.nodes import base

TRANSFER = "Transferindo para um agente humano..."
REASON = "The flow asked for a person."

Priority = Annotated[
    Literal["low", "medium", "high", "urgent"],
    BeforeValidator(lambda value: "medium" if value == "normal" else value),
]


@base.nodes.register
class Handoff(base.Node):
    """Gives the conversation to people, with a word to the customer; the flow ends here."""

    key = "handoff"

    class Config(base.Config):
        type: Literal["queue", "department", "agent"] | None = Field(
            None, validation_alias=AliasChoices("handoffType", "handoff_type")
        )
        queue: Template = Field(
            Template(""), validation_alias=AliasChoices("queueId", "queue_id", "queue", "queueName")
        )
        department: Template = Field(
            Template(""), validation_alias=AliasChoices("departmentId", "department_id", "department", "departmentName")
        )
        agent: Template = Field(
            Template(""), validation_alias=AliasChoices("agentId", "agent_id", "agent", "agentName")
        )
        priority: Priority = "medium"
        context: Template = Field(
            Template(""), validation_alias=AliasChoices("contextMessage", "context_message", "context")
        )
        transfer_message: Template = Field(
            Template(TRANSFER), validation_alias=AliasChoices("transferMessage", "transfer_message", "message")
        )
        sends_transfer_message: bool = Field(
            True, validation_alias=AliasChoices("sendTransferMessage", "send_transfer_message")
        )
        generates_summary: Literal[False] = Field(False, validation_alias="generateSummary")

    def refers(self, config: Config) -> tuple[base.Reference, ...]:
        named = {name: getattr(config, name).source for name in ("queue", "department", "agent")}
        return tuple(
            base.Reference("people", source, name)
            for name, source in named.items()
            if source.strip() and config.type in (None, name)
        )

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        words = config.transfer_message.render(visit.variables) if config.sends_transfer_message else ""
        target = {
            name: getattr(config, name).render(visit.variables).strip()
            for name in ("queue", "department", "agent")
            if config.type in (None, name)
        }
        context = config.context.render(visit.variables)
        hand_over = effects.HandOver(REASON, **target, priority=config.priority, context=context)
        return base.Outcome((*effects.say(words), hand_over))
