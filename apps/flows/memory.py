"""What a client holds of a conversation that it tries: read with suspicion, for anybody may have written it."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from apps.contacts.models import Contact, ContactIdentity
from apps.core.errors import DomainError
from apps.flows.engine import MAX_KEPT, MAX_STACK, Destination, State

MAX_STATE = 256 * 1024
"""Bytes of a state as JSON."""


class InvalidState(DomainError):
    """A state that no turn of this flow has given."""

    code = "invalid_state"


class StateTooLarge(DomainError):
    """More than a client is to hold between two turns."""

    code = "state_too_large"


def _near(moment: datetime) -> datetime:
    """Times that can be reckoned with in every time zone."""
    if not 2000 <= moment.year < 2200:
        raise ValueError("a flow is tried between the years 2000 and 2200")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_near)]


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = ""
    choice: str = ""
    media: dict[str, Any] | None = None


class _State(BaseModel):
    """The engine's state between two turns."""

    model_config = ConfigDict(extra="forbid")

    node: str | None
    variables: dict[str, Any]
    attempts: int = Field(ge=0, le=1000)
    wakes_at: Moment | None
    asleep: bool
    kept: list[_Kept] = Field(max_length=MAX_KEPT)
    flow: str
    stack: list[tuple[str, str]] = Field(max_length=MAX_STACK)
    entered_at: Moment | None
    visits: Literal[0]
    calls: Literal[0]


class Person(BaseModel):
    """The customer of a conversation that is tried."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("Maria Silva", max_length=255)
    phone: str = Field("5511987650001", max_length=255)
    email: str = Field("", max_length=254)
    company: str = Field("", max_length=255)
    job_title: str = Field("", max_length=255)
    notes: str = Field("", max_length=10_000)
    tags: list[str] = Field([], max_length=100)
    attributes: dict[str, Any] = {}

    @classmethod
    def of(cls, contact: Contact, phone: str) -> "Person":
        """A contact's, to be held by the client."""
        return cls.model_construct(
            phone=phone, **{name: getattr(contact, name) for name in cls.model_fields if name != "phone"}
        )

    def contact(self, pk: uuid.UUID) -> Contact:
        """A contact that is nowhere stored, with its identities at hand."""
        contact = Contact(pk=pk, **self.model_dump(exclude={"phone"}))
        phone = ContactIdentity(contact=contact, kind=ContactIdentity.Kind.PHONE, value=self.phone)
        vars(contact)["_prefetched_objects_cache"] = {"identities": [phone]}  # as if a query had found it
        return contact


class Memory(BaseModel):
    """All that there is of the conversation."""

    model_config = ConfigDict(extra="forbid")

    conversation: uuid.UUID = Field(default_factory=uuid.uuid4)
    person: Person = Person()
    flow: uuid.UUID | None = None
    """The flow in which the session began; None: no session runs."""
    session: _State | None = None
    heard_at: Moment | None = None
    wakeups: dict[Literal["flow", "inactivity", "window"], Moment] = {}
    held: bool = False
    """Whether people have taken over."""

    @property
    def wakes_at(self) -> datetime | None:
        """When the next thing happens although the customer says nothing."""
        return min(self.wakeups.values(), default=None)

    def dump(self) -> dict[str, Any]:
        """As JSON; StateTooLarge if a client is not to hold so much."""
        raw = self.model_dump(mode="json")
        if len(orjson.dumps(raw)) > MAX_STATE:
            raise StateTooLarge(f"What this conversation knows takes more than {MAX_STATE // 1024} KiB.")
        return raw


def read(raw: Mapping[str, Any], flows: Mapping[uuid.UUID, Destination]) -> Memory:
    """What `dump` gave; InvalidState if it names anything that these flows do not have."""
    if len(orjson.dumps(raw)) > MAX_STATE:
        raise StateTooLarge(f"A state takes {MAX_STATE // 1024} KiB at most.")
    try:
        memory = Memory.model_validate(raw)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(map(str, found["loc"]))[:200]
        raise InvalidState(f"This is no state that a simulation gave: {field}: {found['msg']}") from None
    session = memory.session
    if (memory.flow is None) != (session is None):
        raise InvalidState("This is no state that a simulation gave: a session and its flow belong together.")
    if memory.flow and session:
        named = [(session.flow, session.node), *session.stack]
        if not all(_exists(flow or str(memory.flow), node, flows) for flow, node in named):
            raise InvalidState("The state names a node that the flow does not have: begin again, without a state.")
    return memory


def _exists(flow: str, node: str | None, flows: Mapping[uuid.UUID, Destination]) -> bool:
    destination = next((found for pk, found in flows.items() if str(pk) == flow), None)
    return destination is not None and node in destination.graph.places


def keep(state: State) -> _State:
    """The engine's state, to be held by the client."""
    return _State.model_validate(state.dump())
