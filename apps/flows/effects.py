"""All that a flow can ask of the world. A node decides, the engine collects, the responder applies."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

MAX_TAG = 100


@dataclass(frozen=True)
class Say:
    """A text to the customer."""

    text: str


@dataclass(frozen=True)
class Media:
    """A file to the customer, by its link."""

    type: Literal["image", "video", "audio", "document"]
    url: str
    caption: str = ""
    filename: str = ""


@dataclass(frozen=True)
class Location:
    """A place to the customer."""

    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


@dataclass(frozen=True)
class Template:
    """A message that the platform has approved, filled in."""

    name: str
    language: str
    components: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Choice:
    """One of the answers that a question offers."""

    id: str
    title: str
    description: str = ""
    section: str = ""
    """The title under which it stands, in a list that has several."""


@dataclass(frozen=True)
class Ask:
    """A question to the customer, with the answers that it offers, if it offers any."""

    text: str
    choices: tuple[Choice, ...] = ()
    header: str = ""
    footer: str = ""
    opener: str = ""
    """The words on the button that opens the choices, where the channel shows them as a list."""
    as_list: bool = False
    """Whether a list is wanted although there are few enough choices for buttons."""


@dataclass(frozen=True)
class Close:
    """Close the conversation."""


@dataclass(frozen=True)
class HandOver:
    """Give the conversation to people; where none of the names is known, to the organization's default queue."""

    reason: str
    queue: str = ""
    department: str = ""
    agent: str = ""
    """Each by its id, its slug or its name; a person by their id, their e-mail address or their name."""
    priority: str = ""
    """low, medium, high or urgent; empty: as it was."""
    context: str = ""
    """What the people should know."""


@dataclass(frozen=True)
class Tag:
    """Add tags to the conversation, or remove them."""

    names: tuple[str, ...]
    removes: bool = False


@dataclass(frozen=True)
class Know:
    """Keep something about the contact: a field of theirs, else an attribute."""

    field: str
    value: Any


Effect = Say | Media | Location | Template | Ask | Close | HandOver | Tag | Know


def say(text: str) -> tuple[Say, ...]:
    """Say the text, unless nothing but blanks is left of it once its unknown variables are gone."""
    return (Say(text),) if text.strip() else ()


def tag(names: Iterable[str], *, removes: bool = False) -> tuple[Tag, ...]:
    """Add or remove the tags that have a name."""
    named = tuple(dict.fromkeys(name.strip()[:MAX_TAG] for name in names if name.strip()))
    return (Tag(named, removes),) if named else ()
