from typing import Literal, Self

from pydantic import AliasChoices, Field, model_validator

from apps.core.templating import Template
from apps.flows.nodes import base, filling


@base.nodes.register
class Jump(base.Node):
    """Goes on in another node, or in another flow of the same chatbot: from its start or one of its nodes.

    With `return_to_parent`, the flow comes back here when the other one ends, and leaves by this node's exit. What the
    session knows goes with it unless `preserveContext` is false; a mapping gives it further names.
    """

    key, aliases = "jump", ("jump_to_flow",)

    class Config(base.Config):
        type: Literal["node", "flow"] | None = Field(None, validation_alias=AliasChoices("jumpType", "jump_type"))
        node: str | None = Field(
            None, validation_alias=AliasChoices("targetNodeId", "targetNode", "target_node_id", "target_node")
        )
        flow: str | None = Field(
            None, validation_alias=AliasChoices("targetFlowId", "targetFlow", "target_flow_id", "target_flow")
        )
        returns: bool = Field(False, validation_alias=AliasChoices("return_to_parent", "returnToParent"))
        mapping: dict[str, Template] = Field(
            {}, max_length=100, validation_alias=AliasChoices("variable_mapping", "variableMapping")
        )
        preserves: bool = Field(
            True, validation_alias=AliasChoices("preserveContext", "pass_variables", "passVariables")
        )

        @model_validator(mode="after")
        def lead_somewhere(self) -> Self:
            """A jump to a flow names it; one to a node may draw it as an edge instead."""
            if self.type == "flow" and self.flow is None:
                raise ValueError("a jump to a flow needs its id")
            return self

        @property
        def leaves(self) -> bool:
            return self.flow is not None and self.type != "node"

    def exits(self, config: Config) -> tuple[base.Exit, ...]:
        target = None if config.leaves else config.node
        return (base.Exit(base.NEXT, target=target or config.next_node_id, takes_rest=True),)

    def writes(self, config: Config, node_id: str) -> frozenset[str]:
        return base.ANY if config.leaves and config.returns else frozenset(config.mapping)

    def refers(self, config: Config) -> tuple[base.Reference, ...]:
        return (base.Reference("flow", config.flow or "", "flow"),) if config.leaves else ()

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        variables = {name: filling.look_up(source, visit.variables, "") for name, source in config.mapping.items()}
        if not config.leaves:
            return base.Outcome(exit=base.NEXT, variables=variables)
        assert config.flow is not None
        jump = base.Jump(config.flow, config.node, config.returns, forgets=not config.preserves)
        return base.Outcome(jump=jump, variables=variables)
