"""What the stand-in remembers: who said what to whom, and what became of it. In memory, for one process."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from apps.sandbox.faults import Faults, FaultSet
from apps.sandbox.limits import Buckets
from apps.sandbox.settings import SandboxSettings

WINDOW_SECONDS = 24 * 3600


@dataclass(slots=True)
class Customer:
    """A person with a phone. `key` is the phone number, or the business-scoped id of one who hides it."""

    key: str
    wa_id: str | None
    user_id: str | None
    name: str
    username: str | None = None


@dataclass(slots=True)
class Entry:
    """One message of a chat, as it stood on the wire.

    A customer's: pending > delivered (the webhook got its 200) > read, or failed. A business's: accepted > sent >
    delivered > read, or failed.
    """

    id: str
    direction: Literal["in", "out"]
    phone_number_id: str
    customer: str
    time: float
    message: dict[str, Any]
    status: str
    error: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """The entry as the phone page and `GET /api/chats/{customer}` show it."""
        return {
            "id": self.id,
            "direction": self.direction,
            "phone_number_id": self.phone_number_id,
            "customer": self.customer,
            "time": self.time,
            "message": self.message,
            "status": self.status,
            "error": self.error,
        }


@dataclass(frozen=True, slots=True)
class Media:
    """A stored file; `expires_at` is when its id dies."""

    id: str
    content: bytes
    mime_type: str
    sha256: str
    filename: str
    expires_at: float


@dataclass(slots=True)
class Sandbox:
    """The whole state, and the events of its changes."""

    initial: SandboxSettings
    settings: SandboxSettings = field(init=False)
    faults: Faults = field(default_factory=Faults)
    buckets: Buckets = field(default_factory=Buckets)
    customers: dict[str, Customer] = field(default_factory=dict)
    chats: dict[str, list[Entry]] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    sent: list[Entry] = field(default_factory=list)
    media: dict[str, Media] = field(default_factory=dict)
    last_written_at: dict[tuple[str, str], float] = field(default_factory=dict)
    _listeners: set["asyncio.Queue[dict[str, Any]]"] = field(default_factory=set)
    _arrival: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.settings = self.initial

    def clear(self) -> None:
        """Forget everything, the changed settings too; listeners stay and are told."""
        self.settings = self.initial
        self.faults.replace(FaultSet())
        self.buckets = Buckets()
        for memory in (self.customers, self.chats, self.entries, self.sent, self.media, self.last_written_at):
            memory.clear()
        self.publish({"type": "cleared"})

    def customer(self, address: str) -> Customer | None:
        """The customer with this phone number or business-scoped id."""
        return self.customers.get(address)

    def remember_customer(
        self, *, wa_id: str | None, user_id: str | None, name: str | None = None, username: str | None = None
    ) -> Customer:
        """The customer with this phone number or id, made or brought up to date."""
        known = self.customers.get(wa_id or "") or self.customers.get(user_id or "")
        if known is None:
            key = wa_id or user_id or ""
            known = Customer(key=key, wa_id=wa_id, user_id=user_id, name=name or key)
        known.wa_id = wa_id or known.wa_id
        known.user_id = user_id or known.user_id
        known.name = name or known.name
        known.username = username or known.username
        for address in (known.key, known.wa_id, known.user_id):
            if address:
                self.customers[address] = known
        return known

    def add(self, entry: Entry) -> None:
        """Put a message at the end of its chat."""
        self.entries[entry.id] = entry
        self.chats.setdefault(entry.customer, []).append(entry)
        if entry.direction == "out":
            self.sent.append(entry)
            self._arrival.set()
        if self._listeners:
            self.publish({"type": "message", "customer": entry.customer, "entry": entry.as_json()})

    def mark(self, entry: Entry, status: str, error: dict[str, Any] | None = None) -> None:
        """Note what became of a message."""
        entry.status = status
        entry.error = error
        if self._listeners:
            self.publish(
                {"type": "status", "customer": entry.customer, "id": entry.id, "status": status, "error": error}
            )

    def has_open_window(self, phone_number_id: str, customer: str) -> bool:
        """Whether the customer wrote to this number in the last 24 hours."""
        written_at = self.last_written_at.get((phone_number_id, customer))
        return written_at is not None and time.time() - written_at < WINDOW_SECONDS

    def open_window(self, phone_number_id: str, customer: str, written_at: float) -> None:
        """Note that the customer wrote to this number."""
        key = (phone_number_id, customer)
        self.last_written_at[key] = max(written_at, self.last_written_at.get(key, 0.0))

    def publish(self, event: dict[str, Any]) -> None:
        """Tell all listeners."""
        for listener in self._listeners:
            listener.put_nowait(event)

    def has_listeners(self) -> bool:
        """Whether an event would be heard."""
        return bool(self._listeners)

    def listen(self) -> "asyncio.Queue[dict[str, Any]]":
        """A queue of all events from now on; give it back to `unlisten`."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._listeners.add(queue)
        return queue

    def unlisten(self, queue: "asyncio.Queue[dict[str, Any]]") -> None:
        """Stop filling the queue."""
        self._listeners.discard(queue)

    async def wait_for_sent(self, count: int, seconds: float) -> None:
        """Return when the business has sent so many messages, or after so many seconds."""
        deadline = time.monotonic() + seconds
        while len(self.sent) < count and (left := deadline - time.monotonic()) > 0:
            self._arrival.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._arrival.wait(), left)
