"""Faults that can be switched on: what a network, and Meta, do to those who build on them."""

from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field


class Fault(BaseModel):
    """One kind of trouble. It strikes `count` times (None: until switched off), for one customer or for all."""

    model_config = ConfigDict(extra="forbid")

    count: int | None = Field(default=None, ge=1)
    customer: str | None = None


class WebhookFault(Fault):
    """Trouble on the way of webhooks, of customers' messages or statuses only where `on` says so."""

    on: Literal["messages", "statuses"] | None = None


class Duplicate(WebhookFault):
    """The same body, sent `copies` times more, at the same time."""

    copies: int = Field(default=1, ge=1)


class Delay(WebhookFault):
    """Held back for some seconds."""

    seconds: float = 1.0


class Reorder(WebhookFault):
    """Held back until `size` have come, then sent one by one, the last first."""

    size: int = Field(default=2, ge=2)


class Batch(WebhookFault):
    """Held back until `size` have come, then sent in one body."""

    size: int = Field(default=2, ge=2)


class Corrupt(WebhookFault):
    """A body or signature that must not be believed; sent once, never again."""

    how: Literal["body", "secret", "header", "sha1"] = "body"


class Error(Fault):
    """The send is refused with one of Meta's errors, such as 130429 or 131000; `status` overrides its HTTP status."""

    code: int = 131000
    status: int | None = Field(default=None, ge=400, le=599)
    details: str = "The sandbox was told to refuse this message."


class Reset(Fault):
    """The connection is reset before the send is looked at."""


class Hang(Fault):
    """The send is not looked at, and the connection stays open, without an answer."""

    seconds: float = 60.0


class DropAnswer(Fault):
    """The send is accepted, and the connection closed without an answer."""


class Slow(Fault):
    """The send is accepted at once, and answered after some seconds."""

    seconds: float = 5.0


class NoStatuses(Fault):
    """The send is accepted, and no status ever follows."""


class Fail(Fault):
    """The send is accepted, and a `failed` status follows."""

    code: int = 131026
    details: str = "The sandbox was told to fail this message."


class FaultSet(BaseModel):
    """The faults as the control API shows and takes them."""

    model_config = ConfigDict(extra="forbid")

    duplicate: Duplicate | None = None
    delay: Delay | None = None
    reorder: Reorder | None = None
    batch: Batch | None = None
    corrupt: Corrupt | None = None
    error: Error | None = None
    reset: Reset | None = None
    hang: Hang | None = None
    drop_answer: DropAnswer | None = None
    slow: Slow | None = None
    no_statuses: NoStatuses | None = None
    fail: Fail | None = None


AnyFault = TypeVar("AnyFault", bound=Fault)


class Faults:
    """The faults that are switched on now."""

    def __init__(self) -> None:
        self._chosen: dict[str, Fault] = {}
        self._active: dict[type[Fault], Fault] = {}
        self._left: dict[type[Fault], int] = {}

    def replace(self, chosen: FaultSet) -> None:
        """Switch on these faults, and all others off."""
        self._chosen = {name: fault for name, fault in chosen if fault is not None}
        self._active = {type(fault): fault for fault in self._chosen.values()}
        self._left = {kind: fault.count for kind, fault in self._active.items() if fault.count is not None}

    def as_json(self) -> dict[str, object]:
        """The active faults by name, each with the strikes that it has left."""
        return {
            name: fault.model_dump() | {"count": self._left.get(type(fault))}
            for name, fault in self._chosen.items()
            if type(fault) in self._active
        }

    def strike(self, kind: type[AnyFault], *, customer: str, on: str | None = None) -> AnyFault | None:
        """The fault of this kind, if it is to strike now; counts the strike."""
        if not self._active:
            return None
        fault = self._active.get(kind)
        if not isinstance(fault, kind):
            return None
        if fault.customer is not None and fault.customer != customer:
            return None
        if isinstance(fault, WebhookFault) and fault.on is not None and fault.on != on:
            return None
        if kind in self._left:
            self._left[kind] -= 1
            if not self._left[kind]:
                del self._left[kind], self._active[kind]
        return fault
