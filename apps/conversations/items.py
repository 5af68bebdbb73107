"""What a webhook holds, in the words of no platform: the items that a channel's `parse` yields."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.contacts.services import Person


@dataclass(frozen=True)
class Media:
    """A file that is named in a message; `external_id` or `url` tells where the platform keeps it."""

    type: str
    external_id: str = ""
    url: str = ""
    mime_type: str = ""
    filename: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Item:
    """One thing that a webhook tells, and the account address to which it was told."""

    address: str


@dataclass(frozen=True)
class MessageItem(Item):
    """A message from a person outside, or (an echo) from the business by another program."""

    external_id: str
    person: Person
    type: str
    text: str
    content: dict[str, Any]
    sent_at: datetime | None
    reply_to: str = ""
    media: tuple[Media, ...] = ()
    kind: str = "direct"
    thread: str = ""
    is_echo: bool = False


@dataclass(frozen=True)
class Step:
    """One step of a sent message: the status it reached, when, and what went wrong if it failed."""

    status: str
    at: datetime | None
    error_code: str = ""
    error_title: str = ""
    error_details: str = ""


@dataclass(frozen=True)
class StatusItem(Item):
    """What became of a message of ours; `reference` is our message's id, if the platform carried it back."""

    external_id: str
    step: Step
    reference: str = ""


@dataclass(frozen=True)
class ReactionItem(Item):
    """An emoji on a message; an empty one takes it back."""

    target: str
    emoji: str
    by: str = "contact"


@dataclass(frozen=True)
class EditItem(Item):
    """New words for a message."""

    target: str
    text: str
    content: dict[str, Any]
    at: datetime | None


@dataclass(frozen=True)
class RevokeItem(Item):
    """A message taken back by its author."""

    target: str
    at: datetime | None


@dataclass(frozen=True)
class AccountItem(Item):
    """News about the account itself: quality, name, review, templates, ...; kept for the channel's `learn`."""

    topic: str
    value: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class IgnoredItem(Item):
    """Something that asks for nothing of us; the reason is shown to administrators."""

    kind: str
    reason: str
