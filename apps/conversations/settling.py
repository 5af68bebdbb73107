"""What came of sends is written down, and their conversations are free for the next message."""

import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.conversations import statuses
from apps.conversations.channels import Remedy, SendError
from apps.conversations.models import ChannelAccount, Conversation, Message
from apps.core import bulk, metrics, outbox

logger = structlog.get_logger(__name__)

FIELDS = [
    "status", "external_id", "sent_at", "failed_at", "error_code", "error_title", "error_details", "updated_at"
]  # fmt: skip

_READ = ["organization", "conversation", "account", "attempts", "first_attempt_at", "correlation_id"]


@dataclass(frozen=True)
class Answer:
    """What came of one send."""

    message: Message
    external_id: str = ""
    error: SendError | None = None


@transaction.atomic
def settle(answers: list[Answer]) -> None:
    """Write what came of sends, and free their conversations for the next message."""
    now = timezone.now()
    by_message = {answer.message.pk: answer for answer in answers}
    conversations = {
        row.pk: row
        for row in Conversation.objects.select_for_update()
        .filter(pk__in={answer.message.conversation_id for answer in answers})
        .only("delivery_due_at", "delivery_lease", "delivery_lease_until")
        .order_by("pk")
    }
    messages = list(Message.objects.select_for_update().filter(pk__in=by_message).only(*FIELDS, *_READ).order_by("pk"))
    freed: list[Conversation] = []
    pauses: dict[uuid.UUID, tuple[datetime, str]] = {}
    for message in messages:
        answer = by_message[message.pk]
        conversation = conversations[message.conversation_id]
        if answer.error is None:
            statuses.climb(message, Message.Status.SENT, now)
            message.error_code = message.error_title = message.error_details = ""  # of an earlier attempt
            message.external_id, due = message.external_id or answer.external_id, now
        elif message.attempts == answer.message.attempts:
            due = _refused(message, answer.error, now, pauses)
        else:
            continue  # what was said of an earlier attempt says nothing of the one under way
        message.updated_at = now
        if conversation.delivery_lease == answer.message.conversation.delivery_lease:
            release(conversation, due)
            freed.append(conversation)
        _log(message, answer.error)
    bulk.update(Message, messages, FIELDS)
    save(freed)
    for account_id, (until, reason) in pauses.items():
        ChannelAccount.objects.filter(pk=account_id).update(paused_until=until, pause_reason=reason)
    outbox.add_many((message.organization_id, "message.updated", message.pk) for message in messages)
    statuses.arrived(messages)


def _refused(
    message: Message, error: SendError, now: datetime, pauses: dict[uuid.UUID, tuple[datetime, str]]
) -> datetime:
    """Decide about a refused message; answers when its conversation may send again."""
    if message.status not in (Message.Status.SENDING, Message.Status.UNKNOWN):
        return now  # a status overtook the answer: it was sent after all
    message.error_code, message.error_title = error.code[:50], error.title[:255]
    message.error_details = error.details
    if error.remedy == Remedy.UNKNOWN:
        message.status = Message.Status.UNKNOWN
        return now + timedelta(seconds=settings.UNKNOWN_HOLD_SECONDS)
    backoff = now + timedelta(seconds=min(2**message.attempts, 60) * random.uniform(0.75, 1.25))
    given_up = now - (message.first_attempt_at or now) > timedelta(minutes=settings.RETRY_MINUTES)
    if not error.retryable or given_up:
        statuses.climb(message, Message.Status.FAILED, now)
        return now
    message.status = Message.Status.QUEUED
    if error.remedy in (Remedy.THROTTLE, Remedy.PAUSE):
        pauses[message.account_id] = (backoff, f"{error.code}: {error.title}")
    return backoff


def release(conversation: Conversation, due_at: datetime | None) -> None:
    """Let go of a conversation whose delivery is due again at that time, or not at all; `save` writes it."""
    conversation.delivery_due_at = due_at
    conversation.delivery_lease = conversation.delivery_lease_until = None


def save(freed: list[Conversation]) -> None:
    """Write conversations that were let go of."""
    unique = {conversation.pk: conversation for conversation in freed}
    bulk.update(Conversation, unique.values(), ["delivery_due_at", "delivery_lease", "delivery_lease_until"])


def _log(message: Message, error: SendError | None) -> None:
    metrics.SENDS.labels(message.status).inc()
    logger.info(
        "message_sent" if error is None else "message_refused",
        correlation_id=str(message.correlation_id) if message.correlation_id else None,
        message=str(message.pk),
        status=message.status,
        code=error.code if error else None,
    )
