"""What a message says: as an answer to a node, and to whoever listens for words, buttons and referrals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.conversations.models import Message
from apps.flows.answers import Answer
from apps.flows.triggers import Heard

_FILES = frozenset(["image", "video", "audio", "document", "sticker", "file"])
_WORDS = frozenset(["text", "interactive", "button", "location", "contacts", "order"])
_REFERENCE = ("id", "url", "mime_type", "filename", "sha256")


@dataclass(frozen=True)
class Utterance:
    """One message of the customer's."""

    answer: Answer
    heard: Heard = field(default_factory=Heard)


def hear(message: Message, *, is_first: bool = False) -> Utterance:
    """What a message says."""
    content = message.content if isinstance(message.content, Mapping) else {}
    answer = _answer(message, content)
    referral = content.get("referral")
    return Utterance(
        answer,
        Heard(
            text="" if answer.choice else answer.text,
            button=(answer.choice or answer.text) if message.type == "button" else "",
            referral=referral if isinstance(referral, Mapping) else None,
            is_first=is_first,
        ),
    )


def _answer(message: Message, content: Mapping[str, Any]) -> Answer:
    """What a message says as an answer; of a type without words or a file, nothing."""
    if message.type in _FILES:
        reference = {key: content[key] for key in _REFERENCE if content.get(key)}
        return Answer(message.text, media={"type": message.type, "message_id": str(message.pk), **reference})
    if message.type not in _WORDS:
        return Answer()
    choice = content.get("id") if message.type in ("interactive", "button") else None
    return Answer(message.text, choice=choice if isinstance(choice, str) else "")
