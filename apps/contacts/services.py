"""Verbs of contacts: who is it that writes?"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.contacts.models import Contact, ContactIdentity
from apps.core.errors import Conflict
from apps.organizations.models import Organization


@dataclass(frozen=True)
class Person:
    """Someone as a webhook names them: identities (kind, value), the surest first, and what they call themselves."""

    identities: tuple[tuple[str, str], ...]
    name: str = ""
    username: str = ""


@transaction.atomic
def resolve(people: Sequence[tuple[uuid.UUID, Person]]) -> list[Contact]:
    """The contacts of (organization id, person) pairs, in their order; the unknown ones are created.

    The first identity that is known decides (BSUID before phone), and the contact is then known by the others too.
    Two callers may create the same person at once: the identity's constraint decides, and both get the one contact.
    """
    wanted = {(organization, *identity) for organization, person in people for identity in person.identities}
    known = _known(wanted)
    created: dict[uuid.UUID, Contact] = {}
    identities: list[ContactIdentity] = []
    for organization_id, person in people:
        keys = [(organization_id, *identity) for identity in person.identities]
        contact = next((known[key] for key in keys if key in known), None)
        if contact is None:
            contact = Contact(organization_id=organization_id, name=person.name[:255], username=person.username[:255])
            created[contact.id] = contact
        for key in keys:
            if key not in known:
                known[key] = contact
                identities.append(
                    ContactIdentity(organization_id=organization_id, contact=contact, kind=key[1], value=key[2])
                )
    if identities:
        Contact.objects.bulk_create(created.values())
        ContactIdentity.objects.bulk_create(identities, ignore_conflicts=True)
        known = _known(wanted)
        orphans = created.keys() - {contact.id for contact in known.values()}
        Contact.objects.filter(id__in=orphans).delete()
    contacts = [
        next(known[key] for key in ((organization_id, *identity) for identity in person.identities) if key in known)
        for organization_id, person in people
    ]
    _learn_names(contacts, [person for _, person in people])
    return contacts


def _known(wanted: set[tuple[uuid.UUID, str, str]]) -> dict[tuple[uuid.UUID, str, str], Contact]:
    rows = ContactIdentity.objects.filter(
        organization_id__in={key[0] for key in wanted}, value__in={key[2] for key in wanted}
    ).select_related("contact")
    return {(row.organization_id, row.kind, row.value): row.contact for row in rows}


def _learn_names(contacts: Sequence[Contact], people: Sequence[Person]) -> None:
    """Fill in names that we lacked; one that people have given is never overwritten."""
    named: dict[uuid.UUID, Contact] = {}
    for contact, person in zip(contacts, people, strict=True):
        if (person.name and not contact.name) or (person.username and contact.username != person.username[:255]):
            contact.name = contact.name or person.name[:255]
            contact.username = person.username[:255] or contact.username
            named[contact.id] = contact
    if named:
        Contact.objects.bulk_update(named.values(), ["name", "username"])


class ContactExists(Conflict):
    """Another contact of the organization is known by this phone number."""

    code = "contact_exists"

    def __init__(self) -> None:
        super().__init__("There is a contact with this phone number already.")


@transaction.atomic
def create(*, organization: Organization, phone: str, **fields: Any) -> Contact:
    """A new contact, known by a phone number (digits with the country code)."""
    contact = Contact.objects.create(organization=organization, **fields)
    _identify(contact, phone)
    return contact


@transaction.atomic
def update(*, contact: Contact, phone: str = "", **fields: Any) -> Contact:
    """Change the given fields. A new number becomes the one that is written to; the old ones still find the contact."""
    for name, value in fields.items():
        setattr(contact, name, value)
    contact.save(update_fields=[*fields, "updated_at"])
    if phone:
        _identify(contact, phone)
    return contact


def _identify(contact: Contact, phone: str) -> None:
    """Make this the contact's newest phone number."""
    identity, created = ContactIdentity.objects.get_or_create(
        organization_id=contact.organization_id,
        kind=ContactIdentity.Kind.PHONE,
        value=phone,
        defaults={"contact": contact},
    )
    if identity.contact_id != contact.pk:
        raise ContactExists
    if not created:
        ContactIdentity.objects.filter(pk=identity.pk).update(created_at=timezone.now())
