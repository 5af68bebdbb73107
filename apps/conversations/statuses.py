"""What became of our messages: statuses only climb, each step keeps its time, early ones are parked."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.conversations import nudging
from apps.conversations.items import StatusItem
from apps.conversations.models import Conversation, Message, WebhookItem
from apps.core import bulk, nudges, outbox

logger = structlog.get_logger(__name__)

JOIN = "apps.conversations.tasks.join_parked"
RANK = {
    status: rank
    for rank, status in enumerate(
        [
            Message.Status.QUEUED,
            Message.Status.SENDING,
            Message.Status.UNKNOWN,
            Message.Status.SENT,
            Message.Status.FAILED,
            Message.Status.DELIVERED,
            Message.Status.READ,
            Message.Status.PLAYED,
        ]
    )
}
_TIMES = {
    Message.Status.SENT: "sent_at",
    Message.Status.FAILED: "failed_at",
    Message.Status.DELIVERED: "delivered_at",
    Message.Status.READ: "read_at",
    Message.Status.PLAYED: "played_at",
}
_FIELDS = [
    "status", "external_id", "error_code", "error_title", "error_details", "updated_at", *_TIMES.values()
]  # fmt: skip


def climb(message: Message, status: str, at: datetime) -> bool:
    """Note the step's time, and take its status if that is higher; answers whether anything changed.

    Of two times for one step the earlier is kept, so that any order of statuses ends in the same state.
    """
    field = _TIMES[Message.Status(status)]
    known = getattr(message, field)
    if known is None or at < known:
        setattr(message, field, at)
    higher = RANK[Message.Status(status)] > RANK.get(Message.Status(message.status), -1)
    if higher:
        message.status = status
    return higher or known is None or at < known


def apply(arrivals: Sequence[tuple[uuid.UUID, StatusItem]], now: datetime) -> list[int]:
    """Apply (account id, status) pairs, and answer the places of those whose message is not known yet."""
    references = {reference for _, item in arrivals if (reference := _uuid(item.reference))}
    accounts = {account for account, _ in arrivals}
    ids = {item.external_id for _, item in arrivals}
    found = Message.objects.filter(account_id__in=accounts, direction=Message.Direction.OUTBOUND)
    keys = set(found.filter(pk__in=references).values_list("pk", flat=True))
    keys.update(found.filter(external_id__in=ids - {""}).values_list("pk", flat=True))
    rows = Message.objects.select_for_update().filter(pk__in=keys).defer("text", "content", "reactions")
    messages = {row.pk: row for row in rows.order_by("pk")}
    by_external_id = {(row.account_id, row.external_id): row for row in messages.values()}
    early, changed, freed = [], {}, set()
    for place, (account, item) in enumerate(arrivals):
        reference = _uuid(item.reference)
        message = messages.get(reference) if reference else None
        if message is None or message.account_id != account:
            message = by_external_id.get((account, item.external_id))
        if message is None:
            early.append(place)
            continue
        if message.status in (Message.Status.SENDING, Message.Status.UNKNOWN):
            freed.add(message.conversation_id)
        if not message.external_id:
            message.external_id = item.external_id
            by_external_id[account, item.external_id] = message
        if climb(message, item.step.status, item.step.at or now):
            changed[message.pk] = message
        if item.step.error_code and not message.error_code:
            message.error_code, message.error_title = item.step.error_code[:50], item.step.error_title[:255]
            message.error_details = item.step.error_details
            changed[message.pk] = message
        message.updated_at = now
    bulk.update(Message, [changed[pk] for pk in sorted(changed)], _FIELDS)
    outbox.add_many((row.organization_id, "message.updated", row.pk) for row in changed.values())
    if freed:  # after the commit, so that no conversation is locked behind its messages
        transaction.on_commit(lambda: _free(freed))
    return early


def _free(conversations: set[uuid.UUID]) -> None:
    """An outcome that held up its conversation is known now: the next message may go."""
    now = timezone.now()
    held = Conversation.objects.filter(pk__in=conversations, delivery_due_at__gt=now, delivery_lease=None)
    if held.update(delivery_due_at=now):
        nudging.deliver()
    if WebhookItem.objects.filter(state=WebhookItem.State.PARKED, target__in=map(waiting_for, conversations)).exists():
        nudges.nudge(JOIN)


def waiting_for(conversation_id: uuid.UUID) -> str:
    """The `target` of an echo that is parked until its conversation has no unsettled message."""
    return f"conversation:{conversation_id}"


def arrived(messages: Iterable[Message]) -> None:
    """Messages have got their external ids, or their outcome: what was parked for them may be joined."""
    targets = {message.external_id for message in messages} | {waiting_for(row.conversation_id) for row in messages}
    targets.discard("")
    if WebhookItem.objects.filter(state=WebhookItem.State.PARKED, target__in=targets).exists():
        nudges.on_commit(JOIN)


@transaction.atomic
def settle_unknown() -> None:
    """Judge messages whose outcome stayed unknown: send again on evidence, give up without it.

    Evidence is that for a while after the attempt the account's other statuses came and this message's did not.
    """
    now = timezone.now()
    evidence = timedelta(seconds=settings.UNKNOWN_EVIDENCE_SECONDS)
    unknown = Message.objects.filter(status=Message.Status.UNKNOWN, sending_at__lt=now - evidence)
    conversations = Conversation.objects.filter(pk__in=unknown.values("conversation_id")).order_by("pk")[:500]
    locked = {row.pk: row for row in conversations.select_for_update(of=("self",))}
    messages = list(
        unknown.filter(conversation_id__in=locked)
        .annotate(last_status_at=F("account__last_status_at"))
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    again = set()
    for message in messages:
        conversation = locked[message.conversation_id]
        assert message.sending_at is not None
        message.updated_at = now
        if message.last_status_at and message.last_status_at >= message.sending_at + evidence:
            stale = message.author != Message.Author.PERSON and message.epoch < conversation.holder_epoch
            message.status = Message.Status.CANCELLED if stale else Message.Status.QUEUED
            again.add(conversation.pk)
        elif now - message.sending_at > timedelta(minutes=settings.RETRY_MINUTES):
            climb(message, Message.Status.FAILED, now)
            message.error_code, message.error_title = "unknown_outcome", "Nobody knows whether this was sent."
        else:
            continue
        logger.info("unknown_settled", message=str(message.pk), status=message.status)
        outbox.add(message.organization_id, "message.updated", message.pk)
    bulk.update(Message, messages, _FIELDS)
    if again:
        Conversation.objects.filter(pk__in=again).update(delivery_due_at=now)
        nudging.deliver()


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
