"""Who wrote: the names by which a webhook knows a person.

Source: Meta, "Business-scoped user IDs", May 2026. The phone number may be absent from any webhook, and has been seen
to hold a business-scoped user id (BSUID) instead.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from apps.contacts.models import ContactIdentity
from apps.contacts.services import Person
from apps.whatsapp import values

Kind = ContactIdentity.Kind
_BSUID, _PHONE, _OPAQUE = (str(kind.value) for kind in (Kind.BSUID, Kind.PHONE, Kind.OPAQUE))
_RANK = {_BSUID: 0, _PHONE: 1, _OPAQUE: 2}
_PHONE_FORM = re.compile(r"\+?(\d{5,20})", re.ASCII)
_BSUID_FORM = re.compile(r"[A-Za-z]{2,10}\.[\w.]{1,140}", re.ASCII)
_MAX_VALUE = 255

_Identity = tuple[str, str]


def contact_of(contacts: Sequence[Any], *, number: Any, user_id: Any, is_sole_sender: bool) -> dict[str, Any]:
    """The entry of `contacts` that tells about this person, or an empty one.

    A number's two forms may differ between the message and the entry (Brazil's ninth digit): where the webhook names
    one person alone, the one entry is theirs.
    """
    known = [contact for contact in contacts if isinstance(contact, dict)]
    for key, value in (("user_id", user_id), ("wa_id", number)):
        for contact in known:
            if value and contact.get(key) == value:
                return contact
    return known[0] if is_sole_sender and len(known) == 1 else {}


def person(*, number: Any, user_id: Any, contact: dict[str, Any]) -> Person | None:
    """The person of a message, the BSUID before the phone number; None where the webhook does not say who it is."""
    profile = values.mapping(contact.get("profile"))
    username = values.text(profile.get("username")).removeprefix("@")
    names = [values.text(name) for name in (user_id, contact.get("user_id"), number, contact.get("wa_id"))]
    identities = [_identity(name) for name in names if name]
    if not any(identities) and username:
        identities.append(_opaque(f"username:{username}"))
    ranked = sorted(dict.fromkeys(identities), key=lambda identity: _RANK[identity[0]])
    recognized = [identity for identity in ranked if identity[0] != _OPAQUE]
    if not ranked:
        return None
    return Person(
        identities=tuple(recognized or ranked), name=values.text(profile.get("name")).strip(), username=username
    )


def group(group_id: str) -> Person:
    """A group as the one with whom a conversation is held."""
    return Person(identities=(_opaque(f"group:{group_id}"),))


def also_known_as(who: Person, names: Iterable[Any]) -> Person:
    """The same person, who has taken a new number or user id."""
    new = tuple(_identity(values.text(name)) for name in names if values.text(name))
    return Person(identities=tuple(dict.fromkeys(who.identities + new)), name=who.name, username=who.username)


def _identity(name: str) -> _Identity:
    """What kind of name this is: a phone number, a BSUID, or one that is neither."""
    if match := _PHONE_FORM.fullmatch(name):
        return (_PHONE, match.group(1))
    if _BSUID_FORM.fullmatch(name):
        return (_BSUID, name)
    return _opaque(name)


def _opaque(name: str) -> _Identity:
    if len(name) > _MAX_VALUE:
        name = "sha256:" + hashlib.sha256(name.encode()).hexdigest()
    return (_OPAQUE, name)
