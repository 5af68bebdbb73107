"""What a node of a flow is: it reads its configuration, and decides; it never sends, queries or waits by itself."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from apps.core.registry import Registry
from apps.flows.answers import Answer
from apps.flows.calls import Call, Result
from apps.flows.effects import Effect

NEXT = "next"
ANY = frozenset(["*"])
"""Variables of any name."""
MAX_WAIT = 30 * 24 * 3600.0
"""Seconds that a node may wait."""


@dataclass(frozen=True)
class Exit:
    """A way out of a node, and how edges name it.

    An edge with one of the names (as its handle, else as its label) leads out of it; without one, `target` does.
    """

    key: str
    names: tuple[str, ...] = ()
    """In any case; an empty one is none."""
    target: str | None = None
    takes_unnamed: bool = False
    """Whether an edge without a name leads out of it, too."""
    takes_rest: bool = False
    """Whether any edge that names no other exit leads out of it, too."""
    optional: bool = False
    """Whether nobody misses an edge out of it."""
    unless: str = ""
    """The key of the exit that makes up for it."""


@dataclass(frozen=True)
class Reference:
    """Something outside the flow that a node names: by its id, its slug or its name."""

    kind: Literal["flow", "people", "agent", "secret", "connection", "template"]
    name: str
    field: str
    """The field that names it."""


@dataclass(frozen=True)
class Visit:
    """What a node knows when the flow comes to it."""

    node_id: str
    variables: Mapping[str, Any]
    exits: Set[str]
    """The keys of its exits that lead somewhere."""
    now: datetime
    attempts: int = 0
    """How many answers it has refused so far."""
    calls: int = 0
    """How many of its calls have come back."""


@dataclass(frozen=True)
class Jump:
    """Go on in another flow."""

    flow: str
    """Its id."""
    node: str | None = None
    """Where in it; None: at its start."""
    returns: bool = False
    """Whether to come back when it ends, and leave by this node's exit."""
    forgets: bool = False
    """Whether the other flow knows nothing but what the jump sets."""


@dataclass(frozen=True)
class Outcome:
    """What a node decided. With no exit, no wait, no call and no jump, the flow ends here.

    It may wait for the customer (`waits`), for a time (`wake_in`), or for whichever comes first (both).
    """

    effects: tuple[Effect, ...] = ()
    exit: str | None = None
    waits: bool = False
    """Whether to stay here until the customer answers."""
    wake_in: float | None = None
    """Stay here so many seconds at most; without `waits`, what the customer says is heard afterwards."""
    variables: Mapping[str, Any] = field(default_factory=dict)
    """Variables to set."""
    jump: Jump | None = None
    call: Call | None = None
    """Stay here until this is done, and decide then what to do about its result."""
    error: str = ""
    """What went wrong here although the flow goes on; for its author."""


class Config(BaseModel):
    """A node's data, in any of the dialects in which builders write it; an empty or null field is an absent one."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    next_node_id: str | None = Field(None, validation_alias=AliasChoices("next_node_id", "nextNodeId"))

    @model_validator(mode="before")
    @classmethod
    def drop_empty(cls, data: Any) -> Any:
        """Builders write `""` and null for what nobody filled in."""
        if isinstance(data, dict):
            return {key: value for key, value in data.items() if value is not None and value != ""}
        return data


class Node(ABC):
    """A type of node. One instance a process, without state."""

    key: str
    aliases: ClassVar[tuple[str, ...]] = ()
    Config: type[Config]

    def exits(self, config: Any) -> tuple[Exit, ...]:
        """The ways out of a node with this configuration; for most types, one."""
        return (Exit(NEXT, target=config.next_node_id, takes_rest=True),)

    def writes(self, config: Any, node_id: str) -> frozenset[str]:
        """The variables that it may set; ANY if nobody can tell."""
        variable = getattr(config, "variable", None)
        return frozenset([variable] if variable else [])

    def refers(self, config: Any) -> tuple[Reference, ...]:
        """What it names outside the flow."""
        return ()

    def shows(self, config: Any) -> tuple[Effect, ...]:
        """What it shows to the customer, as far as that can be told beforehand."""
        return ()

    @abstractmethod
    def run(self, config: Any, visit: Visit) -> Outcome:
        """Decide what to do when the flow comes here; TemplateError if a text cannot be rendered."""


class WaitingNode(Node):
    """A type of node that waits: for the customer, for a time, or for both."""

    @abstractmethod
    def resume(self, config: Any, visit: Visit, answer: Answer) -> Outcome:
        """Decide what to do about the answer; `waits` again to refuse it."""

    def wake(self, config: Any, visit: Visit) -> Outcome:
        """Decide what to do when the time has come."""
        return Outcome(exit=NEXT)


class CallingNode(Node):
    """A type of node that may want something of the world before it goes on."""

    @abstractmethod
    def returned(self, config: Any, visit: Visit, result: Result) -> Outcome:
        """Decide what to do about what came of its call."""


nodes: Registry[Node] = Registry("nodes")
