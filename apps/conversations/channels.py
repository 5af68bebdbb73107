"""The contract of a channel, and the registry that `whatsapp`, `instagram` and `messenger` fill."""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from apps.conversations.items import AccountItem, Item
from apps.conversations.models import ChannelAccount, Message
from apps.core.registry import Registry


@dataclass(frozen=True)
class Capabilities:
    """What a channel can carry."""

    max_text: int
    window_hours: int
    templates: bool = False
    buttons: int = 0
    list_rows: int = 0
    pair_burst: int = 0
    """How many messages one person may be sent at once; 0: no limit per person."""
    pair_seconds: float = 0.0
    """After the burst, one message in so many seconds."""


@dataclass(frozen=True)
class Content:
    """What a message says: its type, the API's `content` object, and the words that the inbox shows."""

    type: str
    body: dict[str, Any]
    text: str = ""


class Remedy(Enum):
    """What to do about a refused send."""

    FAIL = "fail"  # this message will never be taken
    RETRY = "retry"  # back off, this conversation waits
    THROTTLE = "throttle"  # the account sends too fast: all of it waits a little
    PAUSE = "pause"  # the account cannot send until someone mends it
    UNKNOWN = "unknown"  # it may have been taken: never send it again blindly


class SendError(Exception):
    """A platform did not take a message; `code`, `title` and `details` are its words for the operator."""

    def __init__(self, remedy: Remedy, *, code: str, title: str, details: str = "") -> None:
        super().__init__(f"{code}: {title}")
        self.remedy = remedy
        self.code = code
        self.title = title
        self.details = details

    @property
    def retryable(self) -> bool:
        """Whether the same message may be sent again later."""
        return self.remedy in (Remedy.RETRY, Remedy.THROTTLE, Remedy.PAUSE)


class Channel(ABC):
    """A platform: how its webhooks read and how its messages are sent. One instance a process, without state."""

    key: str
    capabilities: Capabilities

    @abstractmethod
    def application_secrets(self) -> list[str]:
        """The secrets of Recado's own Meta application that may sign this channel's webhooks."""

    @abstractmethod
    def addresses(self, payload: Any) -> list[str]:
        """The account addresses that a webhook names, for the intake to find their secrets."""

    @abstractmethod
    def split(self, payload: Any) -> Iterator[dict[str, Any]]:
        """Take a webhook apart into webhooks of one item each, so that a bad item harms only itself."""

    @abstractmethod
    def parse(self, payload: dict[str, Any]) -> Iterator[Item]:
        """The items of a webhook that `split` made (usually one). Odd values never raise; a fault of ours may."""

    @abstractmethod
    def accounts(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, ChannelAccount]:
        """The channel's own account objects, with all that `send` needs, by id; one query."""

    @abstractmethod
    def check(self, content: Content) -> None:
        """Raise a DomainError, with the field's name, if the platform would not take this content."""

    @abstractmethod
    def send(self, message: Message) -> str:
        """Send over the network and answer the platform's id; SendError otherwise.

        Runs in a thread without a database: `message.account` comes from `accounts`, `message.conversation.contact`
        has its identities prefetched.
        """

    @abstractmethod
    def learn(self, account: ChannelAccount, item: AccountItem) -> None:
        """Bring the account up to date with news about it."""


channels: Registry[Channel] = Registry("channels")
