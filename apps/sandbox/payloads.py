"""Webhook bodies in Meta's shapes, and their bytes and signatures."""

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from apps.sandbox.settings import Number
from apps.sandbox.state import Customer

NON_ASCII = re.compile(r"[^\x00-~]")


@dataclass(slots=True, eq=False)
class Update:
    """One message or one status on its way into a webhook; `answers`, if set, gets the first HTTP statuses."""

    number: Number
    kind: Literal["messages", "statuses"]
    item: dict[str, Any]
    customer: str
    contact: dict[str, Any] | None = None
    answers: asyncio.Future[list[int]] | None = None


def contact(customer: Customer) -> dict[str, Any]:
    """The item of `contacts` that stands for a customer."""
    profile = {"name": customer.name}
    if customer.username:
        profile["username"] = customer.username
    item: dict[str, Any] = {"profile": profile}
    if customer.wa_id:
        item["wa_id"] = customer.wa_id
    if customer.user_id:
        item["user_id"] = customer.user_id
    return item


def envelope(updates: Iterable[Update]) -> dict[str, Any]:
    """One body for all the updates: an entry for each business account, a change for each number and kind."""
    entries: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for update in updates:
        number = update.number
        changes = entries.setdefault(number.waba_id, {})
        value = changes.get((number.phone_number_id, update.kind))
        if value is None:
            value = changes[number.phone_number_id, update.kind] = {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": number.digits, "phone_number_id": number.phone_number_id},
            }
        if update.contact is not None:
            contacts = value.setdefault("contacts", [])
            if update.contact not in contacts:
                contacts.append(update.contact)
        value.setdefault(update.kind, []).append(update.item)
    return {
        "object": "whatsapp_business_account",
        "entry": [
            {"id": waba_id, "changes": [{"value": value, "field": "messages"} for value in changes.values()]}
            for waba_id, changes in entries.items()
        ],
    }


def escape(text: str) -> str:
    r"""Write every non-ASCII UTF-16 unit as \uxxxx, as Meta does before it signs."""
    return NON_ASCII.sub(lambda match: json.dumps(match.group())[1:-1], text)


def encode(body: Any, form: Literal["escaped", "raw"]) -> tuple[bytes, bytes]:
    r"""The bytes for the wire and the bytes to sign.

    Slashes are written `\/` as Meta does, and spaced as no serializer does by default: a receiver that checks the
    signature over JSON that it wrote itself is found out.
    """
    if form == "escaped":
        wire = json.dumps(body, separators=(",", ": ")).replace("/", "\\/").encode()
        return wire, wire
    text = json.dumps(body, separators=(",", ": "), ensure_ascii=False).replace("/", "\\/")
    return text.encode(), escape(text).encode()


def signature(secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256."""
    return "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()


def old_signature(secret: str, body: bytes) -> str:
    """The value of the older header X-Hub-Signature."""
    return "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()


def corrupt(
    how: Literal["body", "secret", "header", "sha1"], wire: bytes, to_sign: bytes, secret: str
) -> tuple[bytes, dict[str, str]]:
    """A body and headers that a careful receiver refuses."""
    header = {"X-Hub-Signature-256": signature(secret, to_sign)}
    match how:
        case "body":
            return wire.replace(b"whatsapp", b"whatsApp", 1), header
        case "secret":
            return wire, {"X-Hub-Signature-256": signature(secret + "?", to_sign)}
        case "sha1":
            return wire, {"X-Hub-Signature": old_signature(secret, to_sign)}
        case "header":
            return wire, {}
