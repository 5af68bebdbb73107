"""Words on their way to the customer: checked, put in line, and from there sent by delivery.py."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from apps.contacts.models import Contact
from apps.conversations import holding, nudging
from apps.conversations.authors import Author
from apps.conversations.channels import Content, channels
from apps.conversations.models import ChannelAccount, Conversation, ConversationParticipant, Message
from apps.core import outbox
from apps.core.errors import Conflict, DomainError, Unprocessable
from apps.organizations.models import Organization


class ConversationClosed(Conflict):
    """A closed conversation takes no words."""

    code = "conversation_closed"


class WindowClosed(DomainError):
    """The customer wrote too long ago for free text."""

    code = "window_closed"


class AccountInactive(DomainError):
    """The number or Page is switched off."""

    code = "account_inactive"


class IdempotencyMismatch(Unprocessable):
    """The same idempotency key came with another body."""

    code = "idempotency_mismatch"


@dataclass(frozen=True)
class Draft:
    """Something to say in a conversation whose row the caller has locked."""

    conversation: Conversation
    content: Content
    author: Author
    reply_to: str = ""
    correlation_id: uuid.UUID | None = None
    request_id: str = ""
    request_digest: str = ""


@transaction.atomic
def send(
    *, conversation: Conversation, content: Content, author: Author, reply_to: str = "", request_id: str = ""
) -> Message:
    """Queue a message of a person (or of a program in their name); it leaves once the transaction commits.

    A person's words take the conversation. A repeated `request_id` answers the message that it made the first time.
    """
    digest = _digest(content, reply_to)
    conversation = holding.lock(conversation.pk)
    if request_id and (earlier := _earlier(conversation, author, request_id)):
        if earlier.request_digest != digest:
            raise IdempotencyMismatch("This idempotency key was used for another message.")
        return earlier
    if conversation.closed_at:
        raise ConversationClosed("This conversation is closed; open a new one to write.")
    if not conversation.account.is_active:
        raise AccountInactive("This number is switched off.")
    channels.get(conversation.account.channel).check(content)
    if not is_window_open(conversation, content):
        raise WindowClosed("24-hour window expired. You must use a template message to re-engage.")
    if author.is_person:
        conversation = holding.replied(conversation=conversation, by=author)
    [message] = queue(
        [Draft(conversation, content, author, reply_to=reply_to, request_id=request_id, request_digest=digest)]
    )
    if author.is_person:
        conversation.first_response_at = conversation.first_response_at or timezone.now()
        if author.user:
            holding.took_part([(conversation, ConversationParticipant.Kind.PERSON, author.user.pk)])
    conversation.save()
    return message


@transaction.atomic
def open_conversation(*, organization: Organization, account: ChannelAccount, contact: Contact) -> Conversation:
    """The open direct conversation of a contact with an account; a new one if there is none."""
    conversation, created = Conversation.objects.get_or_create(
        organization=organization,
        account=account,
        contact=contact,
        kind=Conversation.Kind.DIRECT,
        thread="",
        closed_at=None,
        defaults={"last_message_at": timezone.now()},
    )
    if created:
        outbox.add(organization.pk, "conversation.created", conversation.pk)
    return conversation


def queue(drafts: Sequence[Draft]) -> list[Message]:
    """Put messages in line, in this order; the caller holds the conversations' locks and saves them afterwards."""
    now = timezone.now()
    messages = []
    for draft in drafts:
        conversation = draft.conversation
        conversation.last_seq += 1
        message = Message(
            organization_id=conversation.organization_id,
            conversation=conversation,
            account_id=conversation.account_id,
            seq=conversation.last_seq,
            direction=Message.Direction.OUTBOUND,
            author=draft.author.kind,
            user=draft.author.user,
            bot_id=draft.author.bot_id,
            type=draft.content.type,
            text=draft.content.text,
            content=draft.content.body,
            reply_to=draft.reply_to,
            status=Message.Status.QUEUED,
            epoch=conversation.holder_epoch,
            correlation_id=draft.correlation_id,
            client_request_id=draft.request_id,
            request_digest=draft.request_digest,
        )
        messages.append(message)
        conversation.last_message = message
        conversation.first_message_at = conversation.first_message_at or now
        conversation.last_message_at = conversation.last_outbound_at = now
        conversation.delivery_due_at = conversation.delivery_due_at or now
    Message.objects.bulk_create(messages)
    outbox.add_many((message.organization_id, "message.created", message.pk) for message in messages)
    touched = {message.conversation_id: message.organization_id for message in messages}
    outbox.add_many((organization, "conversation.updated", pk) for pk, organization in touched.items())
    if messages:
        nudging.deliver()
    return messages


def is_window_open(conversation: Conversation, content: Content, at: datetime | None = None) -> bool:
    """Whether the platform lets this content go: always for templates, else some hours from the customer's last word.

    It counts from the platform's own time of that word.
    """
    capabilities = channels.get(conversation.account.channel).capabilities
    if content.type == "template" and capabilities.templates:
        return True
    closes_at = window_closes_at(conversation)
    return closes_at is not None and (at or timezone.now()) < closes_at


def window_closes_at(conversation: Conversation) -> datetime | None:
    """When the customer-service window closes, or closed; None if the customer never wrote."""
    if conversation.last_inbound_at is None:
        return None
    hours = channels.get(conversation.account.channel).capabilities.window_hours
    return conversation.last_inbound_at + timedelta(hours=hours)


def _earlier(conversation: Conversation, author: Author, request_id: str) -> Message | None:
    return Message.objects.filter(conversation=conversation, user=author.user, client_request_id=request_id).first()


def _digest(content: Content, reply_to: str) -> str:
    said = json.dumps([content.type, content.body, reply_to], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()
