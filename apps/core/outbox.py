"""The event outbox: written with the change, numbered by one publisher, read by every process with listeners."""

import uuid
from collections.abc import Iterable
from datetime import timedelta

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import connection, transaction
from django.utils import timezone
from redis import RedisError

from apps.core import nudges
from apps.core.models import OutboxCounter, OutboxEvent

KEPT = timedelta(hours=48)
PUBLISH = "apps.core.tasks.publish_outbox"
_LOCK = 0x0B0C  # the publisher's advisory lock
_BATCH = 1_000

_NUMBER = """
WITH batch AS (
    SELECT id, organization_id, row_number() OVER (PARTITION BY organization_id ORDER BY id) AS place
    FROM (SELECT id, organization_id FROM core_outboxevent WHERE seq IS NULL ORDER BY id LIMIT %s) AS waiting
), counters AS (
    INSERT INTO core_outboxcounter (organization_id, seq)
    SELECT organization_id, count(*) FROM batch GROUP BY organization_id
    ON CONFLICT (organization_id) DO UPDATE SET seq = core_outboxcounter.seq + excluded.seq
    RETURNING organization_id, seq
), totals AS (
    SELECT organization_id, max(place) AS total FROM batch GROUP BY organization_id
)
UPDATE core_outboxevent AS event SET seq = counters.seq - totals.total + batch.place
FROM batch JOIN counters USING (organization_id) JOIN totals USING (organization_id)
WHERE event.id = batch.id
RETURNING event.organization_id
"""


def add(organization_id: uuid.UUID, type: str, subject_id: uuid.UUID) -> None:
    """Write one event into the caller's transaction, to be announced once it commits."""
    add_many([(organization_id, type, subject_id)])


def add_many(events: Iterable[tuple[uuid.UUID, str, uuid.UUID]]) -> None:
    """Write (organization id, type, subject id) events, in this order, into the caller's transaction."""
    rows = [
        OutboxEvent(organization_id=organization_id, type=type, subject_id=subject_id)
        for organization_id, type, subject_id in events
    ]
    if rows:
        OutboxEvent.objects.bulk_create(rows)
        nudges.on_commit(PUBLISH)


def publish() -> int:
    """Number what has committed and announce the organizations concerned; answer how many events that were.

    One publisher at a time, in any process: whoever finds the lock taken leaves the work to its holder.
    """
    published = 0
    while OutboxEvent.objects.filter(seq=None).exists():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return published
            cursor.execute(_NUMBER, [_BATCH])
            organizations = [row[0] for row in cursor.fetchall()]
        published += len(organizations)
        _announce(set(organizations))
    return published


def group(organization_id: uuid.UUID) -> str:
    """The channel-layer group of the processes that listen for an organization."""
    return f"outbox.{organization_id}"


@async_to_sync
async def _announce(organizations: set[uuid.UUID]) -> None:
    """Tell the listening processes to look; one that misses this looks again by itself."""
    layer = get_channel_layer()
    assert layer is not None
    for organization_id in organizations:
        try:
            await layer.group_send(group(organization_id), {"type": "outbox.grew"})
        except (RedisError, OSError):
            return


def since(organization_id: uuid.UUID, seq: int, limit: int) -> list[OutboxEvent]:
    """The numbered events after `seq`, oldest first."""
    return list(OutboxEvent.objects.filter(organization_id=organization_id, seq__gt=seq).order_by("seq")[:limit])


def last_seq(organization_id: uuid.UUID) -> int:
    """The last number given in an organization; 0 before the first."""
    return OutboxCounter.objects.filter(organization_id=organization_id).values_list("seq", flat=True).first() or 0


def first_kept_seq(organization_id: uuid.UUID) -> int:
    """The oldest number that can still be replayed; one past the last where nothing is kept."""
    oldest = (
        OutboxEvent.objects.filter(organization_id=organization_id, seq__isnull=False)
        .order_by("seq")
        .values_list("seq", flat=True)
        .first()
    )
    return oldest if oldest is not None else last_seq(organization_id) + 1


def prune() -> None:
    """Delete what is older than 48 hours."""
    OutboxEvent.objects.filter(created_at__lt=timezone.now() - KEPT).exclude(seq=None).delete()
