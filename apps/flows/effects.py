"""All that a flow can ask of the world. A node decides, the engine collects, the responder applies."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Say:
    """A text to the customer."""

    text: str


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


Effect = Say | Ask | Close


def say(text: str) -> tuple[Say, ...]:
    """Say the text, unless nothing but blanks is left of it once its unknown variables are gone."""
    return (Say(text),) if text.strip() else ()
