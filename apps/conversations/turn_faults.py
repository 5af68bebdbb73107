"""Turns that broke by a fault of ours: tried again with back-off, then a dead letter that can be replayed."""

import traceback
import uuid
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from apps.conversations import nudging
from apps.conversations.models import Conversation, WebhookItem
from apps.conversations.responders import Turn
from apps.core import bulk, databases, metrics, outbox

logger = structlog.get_logger(__name__)

MAX_FAILURES = 5
LEASE_FIELDS = ["turn_due_at", "turn_lease", "turn_lease_until", "turn_failures"]


def release(row: Conversation, due_at: datetime | None) -> None:
    """Let go of a locked conversation whose turn is due again at that time, or not at all; the caller writes it."""
    row.turn_due_at, row.turn_lease, row.turn_lease_until = due_at, None, None


def broke(turn: Turn, error: Exception) -> None:
    """Note a fault in one turn; PostgreSQL's absence is none: it is raised, and the turn is taken again later."""
    if databases.is_passing(error):
        raise error
    logger.error("turn_broke", conversation=str(turn.conversation.pk), exc_info=error)
    _failed(turn, error)


@transaction.atomic
def _failed(turn: Turn, error: Exception) -> None:
    """A turn broke by a fault of ours: again with back-off, and after five times a dead letter that can be replayed."""
    row = Conversation.objects.select_for_update().get(pk=turn.conversation.pk)
    if row.turn_lease != turn.conversation.turn_lease:
        return
    row.turn_failures += 1
    if row.turn_failures < MAX_FAILURES:
        release(row, timezone.now() + timedelta(seconds=2**row.turn_failures))
    else:
        WebhookItem.objects.create(
            organization_id=row.organization_id,
            account_id=row.account_id,
            channel=turn.conversation.account.channel,
            kind="turn",
            state=WebhookItem.State.DEAD,
            reason=f"The bot's turn broke {MAX_FAILURES} times.",
            payload={"conversation_id": str(row.pk)},
            traceback="".join(traceback.format_exception(error)),
        )
        metrics.TURNS.labels("dead").inc()
        row.handled_seq, row.turn_failures = row.last_inbound_seq, 0
        release(row, None)
        row.save(update_fields=["handled_seq"])
        outbox.add(row.organization_id, "conversation.updated", row.pk)
    bulk.update(Conversation, [row], LEASE_FIELDS)


def again(conversation_id: uuid.UUID) -> None:
    """Ask for a turn that was given up once more: the customer's last message is owed an answer again."""
    Conversation.objects.filter(pk=conversation_id, closed_at=None, holder=Conversation.Holder.BOT).update(
        turn_due_at=timezone.now(), handled_seq=Greatest(F("last_inbound_seq") - 1, 0)
    )
    nudging.turns()
