"""What every flow knows without setting it: the contact, the conversation, the time, the globals of its chatbot."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings

from apps.contacts.models import Contact, ContactIdentity
from apps.conversations.models import Conversation
from apps.flows.models import Chatbot

NAMES = frozenset(["contact", "conversation", "current_date", "current_time", "secrets"])
"""What every flow knows; secrets only where a request is made, and nodes say which of them they name."""


def known(
    chatbot: Chatbot, conversation: Conversation, now: datetime, variables: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """What is not a session's own: the globals, the flow's variables before them, and before both what is so."""
    return {
        **chatbot.global_variables,
        **variables,
        **time(chatbot, now),
        "contact": _contact(conversation.contact),
        "conversation": {"id": str(conversation.pk), "channel": conversation.account.channel},
    }


def time(chatbot: Chatbot, now: datetime) -> dict[str, str]:
    """The date and the time where the chatbot lives: `settings.timezone`, else the server's."""
    try:
        zone = ZoneInfo(str(chatbot.settings.get("timezone") or settings.TIME_ZONE))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = ZoneInfo(settings.TIME_ZONE)
    local = now.astimezone(zone)
    return {"current_date": local.strftime("%d/%m/%Y"), "current_time": local.strftime("%H:%M")}


def _contact(contact: Contact) -> dict[str, Any]:
    identities = {identity.kind: identity.value for identity in contact.identities.all()}
    return {
        "id": str(contact.pk),
        "name": contact.name or contact.username,
        "phone": identities.get(ContactIdentity.Kind.PHONE, ""),
        "email": contact.email,
        "company": contact.company,
        "tags": contact.tags,
        "attributes": contact.attributes,
    }
