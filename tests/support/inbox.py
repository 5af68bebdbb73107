"""Contacts, numbers, conversations and messages for tests, as if the line had written them."""

import itertools
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.contacts.models import Contact, ContactIdentity
from apps.conversations.models import Conversation, Message
from apps.organizations.models import Organization, User
from apps.whatsapp.models import WhatsAppAccount

_number = itertools.count(1)


def make_account(organization: Organization, **fields: Any) -> WhatsAppAccount:
    """A number that can send."""
    number = next(_number)
    return WhatsAppAccount.objects.create(
        organization=organization,
        **{
            "channel": "whatsapp",
            "name": "Padaria Sol",
            "phone_number": f"+55113{number:07}",
            "phone_number_id": f"10{number:08}",
            "access_token": "token",
            **fields,
        },
    )


def make_contact(organization: Organization, *, phone: str = "", **fields: Any) -> Contact:
    """Someone who is known by a phone number."""
    contact = Contact.objects.create(organization=organization, **{"name": "Maria", **fields})
    ContactIdentity.objects.create(
        organization=organization,
        contact=contact,
        kind=ContactIdentity.Kind.PHONE,
        value=phone or f"55119{next(_number):08}",
    )
    return contact


def make_conversation(organization: Organization, **fields: Any) -> Conversation:
    """An open conversation that a bot holds; the customer wrote a minute ago."""
    now = timezone.now() - timedelta(minutes=1)
    fields.setdefault("account", None)
    account = fields.pop("account") or make_account(organization)
    contact = fields.pop("contact", None) or make_contact(organization)
    times = {"last_message_at": now, "last_inbound_at": now, "first_message_at": now}
    return Conversation.objects.create(
        organization=organization, account=account, contact=contact, **{**times, **fields}
    )


def make_messages(conversation: Conversation, texts: Sequence[str], **fields: Any) -> list[Message]:
    """What the customer wrote, in order; the last of it is the conversation's last message."""
    messages = [
        Message(
            organization_id=conversation.organization_id,
            conversation=conversation,
            account_id=conversation.account_id,
            seq=conversation.last_seq + place,
            **{
                "direction": Message.Direction.INBOUND,
                "author": Message.Author.CONTACT,
                "type": "text",
                "text": text,
                "content": {"text": text},
                "external_id": f"wamid.{uuid.uuid4().hex}",
                "status": Message.Status.RECEIVED,
                **fields,
            },
        )
        for place, text in enumerate(texts, 1)
    ]
    Message.objects.bulk_create(messages)
    conversation.last_seq += len(messages)
    conversation.last_message = messages[-1]
    if messages[-1].direction == Message.Direction.INBOUND:
        conversation.inbound_count += len(messages)
        conversation.last_inbound_seq = conversation.last_seq
    conversation.save()
    return messages


def held_by(user: User | None) -> dict[str, Any]:
    """The fields of a conversation that a person has, or (None) that waits for one."""
    return {
        "holder": Conversation.Holder.HUMAN,
        "holder_epoch": 1,
        "assignee": user,
        "status": Conversation.Status.ACTIVE if user else Conversation.Status.QUEUED,
    }
