"""Who may answer a customer: the contract of a responder, and the registry that upper apps fill."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from apps.conversations.channels import Content
from apps.conversations.models import Conversation, Message
from apps.core.registry import Registry


@dataclass(frozen=True)
class Turn:
    """What is pending in a conversation that a bot holds: the customer's messages in order, and due wake-ups."""

    conversation: Conversation
    """With `account` and `contact` (its `identities` prefetched) loaded."""
    messages: tuple[Message, ...]
    wakeups: tuple[str, ...] = ()
    """The keys of the wake-ups that are due."""


@dataclass(frozen=True)
class HandOver:
    """Give the conversation to people, after the last words of this turn."""

    reason: str
    queue_id: uuid.UUID | None = None
    department_id: uuid.UUID | None = None
    user_id: uuid.UUID | None = None
    priority: str = ""
    """One of the conversation's priorities; empty: as it was."""
    context: str = ""
    """What the people should know; kept with the conversation."""


@dataclass(frozen=True)
class Effects:
    """All that one turn does; it commits whole, fenced, or not at all."""

    say: tuple[Content, ...] = ()
    chatbot_id: uuid.UUID | None = None
    agent_id: uuid.UUID | None = None
    session_lives: bool = False
    """Whether the chatbot's session goes on after this turn."""
    hand_over: HandOver | None = None
    close: bool = False
    wakeups: Mapping[str, datetime | None] | None = None
    """Wake-ups to set by key, or to drop (None)."""
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    """Tags of the conversation to add, and to remove; the removal comes last."""
    memo: Any = None
    """Whatever the responder wants back in `save`."""


@dataclass(frozen=True)
class Later:
    """Not now: take this turn again at that time."""

    at: datetime


@dataclass(frozen=True)
class Detach:
    """This takes long: `think` about it on the workers of that Celery queue, off the line's own."""

    queue: str


class Responder(Protocol):
    """Decides for many conversations at once, with a constant number of queries a batch."""

    key: str

    def decide(self, turns: Sequence[Turn]) -> Mapping[uuid.UUID, Effects | Later | Detach]:
        """What to do, by conversation id; a conversation left out goes to the next responder.

        Called without a transaction; must not write. An exception fails the turns one by one.
        """

    def save(self, decided: Sequence[tuple[Turn, Effects]]) -> set[uuid.UUID]:
        """Write the responder's own rows, in the turn's transaction; answer the ids of conversations that it may
        still answer: it looks again, under lock, whether its bots are active."""

    def describe(self, conversations: Iterable[Conversation]) -> dict[uuid.UUID, dict[str, Any]]:
        """What the inbox shows of the responder's state, by conversation id; one query a page."""


class Thinker(Responder, Protocol):
    """A responder that detaches turns."""

    def think(self, turn: Turn) -> Effects | Later | None:
        """Decide about one detached turn, however long it takes; its lease is renewed meanwhile."""


responders: Registry[Responder] = Registry("responders")
