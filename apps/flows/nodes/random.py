import hashlib
from typing import Any, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator, model_validator

from apps.core.templating import Path, Template
from apps.flows import values
from apps.flows.nodes import base

_CONVERSATION = Path("conversation.id")


class Way(BaseModel):
    """One of the ways to go, and how often it is gone: its weight among all weights."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    id: str = Field(min_length=1, validation_alias=AliasChoices("id", "label", "name"))
    label: str = Field("", validation_alias=AliasChoices("label", "name"))
    weight: float = Field(1, ge=0, le=1_000_000, allow_inf_nan=False)
    target: str | None = Field(None, validation_alias=AliasChoices("targetNodeId", "target_node_id", "next_node_id"))


@base.nodes.register
class Random(base.Node):
    """Goes one of several ways, by weight; in one conversation always the same, unless its seed changes."""

    key = "random"

    class Config(base.Config):
        paths: list[Way] = Field(min_length=1, max_length=100)
        seed: Template = Template("")
        variable: str | None = Field(
            None,
            pattern=r"^[^\W\d][\w-]{0,99}$",
            validation_alias=AliasChoices("outputVariable", "saveToVariable", "output_variable"),
        )

        @field_validator("variable", mode="before")
        @classmethod
        def read_switch(cls, value: Any) -> Any:
            """One dialect writes only whether there is a variable."""
            return None if isinstance(value, bool) else value

        @model_validator(mode="after")
        def have_weight(self) -> Self:
            """Some way must be gone, and each has an id of its own."""
            if not sum(path.weight for path in self.paths):
                raise ValueError("no path has a weight")
            if len({path.id for path in self.paths}) < len(self.paths):
                raise ValueError("two paths have the same id")
            return self

    def exits(self, config: Config) -> tuple[base.Exit, ...]:
        each = tuple(
            base.Exit(f"path-{place}", (path.id, path.label, f"path-{place}"), target=path.target)
            for place, path in enumerate(config.paths)
        )
        return (*each, *super().exits(config))

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        try:
            conversation = values.text(_CONVERSATION.find(visit.variables))
        except LookupError:
            conversation = ""
        cast = f"{config.seed.render(visit.variables)}:{conversation}:{visit.node_id}"
        share = int.from_bytes(hashlib.sha256(cast.encode(errors="replace")).digest()[:6], "big") / 2**48
        place = _choose([path.weight for path in config.paths], share)
        way = f"path-{place}"
        variables = {config.variable: config.paths[place].id} if config.variable else {}
        return base.Outcome(exit=way if way in visit.exits else base.NEXT, variables=variables)


def _choose(weights: list[float], share: float) -> int:
    """The place of the weight in which this share (0 to 1) of their sum falls."""
    left = share * sum(weights)
    for place, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return place
    return max(place for place, weight in enumerate(weights) if weight)
