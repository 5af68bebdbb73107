"""What the contacts list can be narrowed to."""

import re

import django_filters
from django.db.models import QuerySet

from apps.contacts.models import Contact, ContactQuerySet
from apps.core.filters import TolerantFilterSet

_PHONE = re.compile(r"\+?[\d\s().-]{4,}")


class ContactFilter(TolerantFilterSet):
    """The contacts list's filters."""

    query = django_filters.CharFilter(method="described", help_text="In the name, phone number, e-mail and company.")
    is_blocked = django_filters.BooleanFilter()
    assigned_agent_id = django_filters.UUIDFilter()

    class Meta:
        model = Contact
        fields: list[str] = []

    def described(self, contacts: ContactQuerySet, name: str, value: str) -> QuerySet[Contact]:
        """Whom the words describe."""
        return matching(contacts, value)


def matching(contacts: ContactQuerySet, words: str) -> QuerySet[Contact]:
    """Contacts whom the words describe; what is written like a phone number is looked for as its digits."""
    if _PHONE.fullmatch(words.strip()):
        words = re.sub(r"\D", "", words)
    return contacts.matching(words)
