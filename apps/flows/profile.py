"""What flows learn about contacts, written with the turn."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.contacts.models import Contact
from apps.core import bulk
from apps.flows import values

_FIELDS = {"name": 255, "email": 254, "company": 255, "job_title": 255, "notes": 10_000}
_ALIASES = {
    "nome": "name",
    "full_name": "name",
    "e-mail": "email",
    "empresa": "company",
    "position": "job_title",
    "cargo": "job_title",
}
MAX_NAME = 100
MAX_VALUE = 2_000
MAX_ATTRIBUTES = 200


def save(learnt: Mapping[uuid.UUID, Mapping[str, Any]]) -> None:
    """Keep the fields by contact id, in two statements; what is no field of a contact is an attribute of theirs.

    What does not fit is left as it was: an e-mail address that is none, or more attributes than a contact may have.
    """
    if not learnt:
        return
    contacts = list(Contact.objects.select_for_update().filter(pk__in=learnt).order_by("pk"))
    for contact in contacts:
        learn(contact, learnt[contact.pk])
    bulk.update(Contact, contacts, [*_FIELDS, "attributes"])


def learn(contact: Contact, learnt: Mapping[str, Any]) -> None:
    """Set what fits on a contact; nothing is written."""
    for field, value in learnt.items():
        _learn(contact, field.strip(), value)


def _learn(contact: Contact, field: str, value: Any) -> None:
    name = _ALIASES.get(field.casefold(), field.casefold())
    if name in _FIELDS:
        words = values.text(value).strip()
        if len(words) <= _FIELDS[name] and (name != "email" or not words or _is_email(words)):
            setattr(contact, name, words)
    elif field and (field in contact.attributes or len(contact.attributes) < MAX_ATTRIBUTES):
        kept = value if len(values.text(value)) <= MAX_VALUE else values.text(value)[:MAX_VALUE]
        contact.attributes = {**contact.attributes, field[:MAX_NAME]: kept}


def _is_email(words: str) -> bool:
    try:
        validate_email(words)
    except ValidationError:
        return False
    return True
