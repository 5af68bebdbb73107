"""What a customer's message says: each type that Meta documents, as words for the inbox and structured content.

Source: Meta, "Messages webhooks reference", December 2025. Types that are not documented are kept as they came.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from apps.conversations.items import Media
from apps.whatsapp import values

_MAX_TYPE = 20
_MAX_MEDIA_FIELD = 255
_MAX_SHA256 = 100
_MAX_URL = 2000


@dataclass(frozen=True)
class Said:
    """The type, words, content and files of a message."""

    type: str
    text: str
    content: dict[str, Any]
    media: tuple[Media, ...] = ()


def read(message: dict[str, Any]) -> Said:
    """What a message says; of a type that nobody knows, a placeholder and the message as it came."""
    type = values.text(message.get("type"))
    reader = _READERS.get(type)
    said = reader(type, message) if reader else _unknown(type, message)
    extras = _extras(message)
    return Said(said.type, said.text, {**said.content, **extras}, said.media) if extras else said


def _extras(message: dict[str, Any]) -> dict[str, Any]:
    """What may come with a message of any type: where it was forwarded from, the advertisement, the product, errors."""
    context = values.mapping(message.get("context"))
    sources = ((context, ("forwarded", "frequently_forwarded", "referred_product")), (message, ("referral", "errors")))
    return {name: source[name] for source, names in sources for name in names if source.get(name)}


def _text(type: str, message: dict[str, Any]) -> Said:
    body = values.text(values.mapping(message.get("text")).get("body"))
    return Said(type, body, {"text": body})


def _media(type: str, message: dict[str, Any]) -> Said:
    """A file; its link is kept with the attachment alone, for it lives five minutes and needs the token."""
    file = values.mapping(message.get(type))
    content = {name: value for name, value in file.items() if name != "url"}
    media = Media(
        type=type,
        external_id=values.text(file.get("id"))[:_MAX_MEDIA_FIELD],
        url=values.text(file.get("url"))[:_MAX_URL],
        mime_type=values.text(file.get("mime_type"))[:_MAX_MEDIA_FIELD],
        filename=values.text(file.get("filename"))[:_MAX_MEDIA_FIELD],
        sha256=values.text(file.get("sha256"))[:_MAX_SHA256],
    )
    return Said(type, values.text(file.get("caption")), content, (media,) if media.external_id or media.url else ())


def _voice(type: str, message: dict[str, Any]) -> Said:
    """A voice message of the older form; now it is an audio with a flag."""
    return _media("audio", {**message, "audio": {**values.mapping(message.get(type)), "voice": True}})


def _location(type: str, message: dict[str, Any]) -> Said:
    place = values.mapping(message.get("location"))
    coordinates = ", ".join(filter(None, (values.text(place.get(axis)) for axis in ("latitude", "longitude"))))
    label = values.text(place.get("name")) or values.text(place.get("address")) or coordinates
    return Said(type, f"📍 {label}".strip(), dict(place))


def _contacts(type: str, message: dict[str, Any]) -> Said:
    contacts = values.mappings(message.get("contacts"))
    names = [values.text(values.mapping(contact.get("name")).get("formatted_name")) for contact in contacts]
    return Said(type, ", ".join(filter(None, names)), {"contacts": contacts})


def _interactive(type: str, message: dict[str, Any]) -> Said:
    """An answer to buttons, a list, a form or a request; `title` is what the customer saw and chose."""
    interactive = values.mapping(message.get("interactive"))
    kind = values.text(interactive.get("type"))
    reply = values.mapping(interactive.get(kind))
    content = {**reply, "type": kind}
    if kind == "nfm_reply":
        content["response"] = _json_object(values.text(reply.get("response_json")))
        return Said(type, values.text(reply.get("body")), content)
    if kind == "call_permission_reply":
        return Said(type, f"Calls: {values.text(reply.get('response'))}", content)
    text = values.text(reply.get("title")) or kind.replace("_", " ").capitalize() or _PLACEHOLDER
    return Said(type, text, content)


def _json_object(text: str) -> dict[str, Any]:
    """A form's answers, which travel as text; they have been seen to be no object."""
    try:
        return values.mapping(orjson.loads(text))
    except orjson.JSONDecodeError:
        return {}


def _button(type: str, message: dict[str, Any]) -> Said:
    """A template's quick reply, under the names of an interactive one too."""
    button = values.mapping(message.get("button"))
    text, payload = values.text(button.get("text")), values.text(button.get("payload"))
    return Said(type, text or payload, {**button, "id": payload, "title": text})


def _order(type: str, message: dict[str, Any]) -> Said:
    order = values.mapping(message.get("order"))
    count = len(values.mappings(order.get("product_items")))
    words = values.text(order.get("text"))
    return Said(type, f"🛒 {count} product{'' if count == 1 else 's'}" + (f": {words}" if words else ""), dict(order))


def _system(type: str, message: dict[str, Any]) -> Said:
    system = values.mapping(message.get("system"))
    content = {**system, **({"identity": message["identity"]} if "identity" in message else {})}
    return Said(type, values.text(system.get("body")), content)


def _unsupported(type: str, message: dict[str, Any]) -> Said:
    what = values.mapping(message.get("unsupported"))
    kind = values.text(what.get("type"))
    return Said(type, _PLACEHOLDER + (f" ({kind})" if kind else ""), {"unsupported": what} if what else {})


def _unknown(type: str, message: dict[str, Any]) -> Said:
    known = type if 0 < len(type) <= _MAX_TYPE else "unknown"
    return Said(known, _PLACEHOLDER + (f" ({known})" if known == type else ""), {"raw": message})


_PLACEHOLDER = "Unsupported message"
_READERS: dict[str, Callable[[str, dict[str, Any]], Said]] = {
    "text": _text,
    "image": _media,
    "video": _media,
    "audio": _media,
    "voice": _voice,
    "document": _media,
    "sticker": _media,
    "location": _location,
    "contacts": _contacts,
    "interactive": _interactive,
    "button": _button,
    "order": _order,
    "system": _system,
    "unsupported": _unsupported,
}
