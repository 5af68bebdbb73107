"""What became of each node on a customer's way: written with the turn, kept by the month."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.flows.engine import Visited
from apps.flows.models import FlowSession, FlowVisit

logger = structlog.get_logger(__name__)

TABLE = FlowVisit._meta.db_table
DEFAULT = f"{TABLE}_default"
"""The part that takes what no month does, so that no turn fails for want of one."""
AHEAD = 2
"""Months that have their parts before they begin."""

_PARTS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1"


def record(turns: Iterable[Sequence[tuple[FlowSession, Visited]]]) -> None:
    """Write the nodes that sessions left, each turn's in their order, in the caller's transaction."""
    FlowVisit.objects.bulk_create(
        _row(session, visited, place) for left in turns for place, (session, visited) in enumerate(left)
    )


def _row(session: FlowSession, visited: Visited, place: int) -> FlowVisit:
    flow = uuid.UUID(visited.flow) if visited.flow else session.flow_id
    version = session.versions.get(visited.flow) or session.version_id
    return FlowVisit(
        organization_id=session.organization_id,
        session_id=session.pk,
        flow_id=flow,
        version_id=version,
        node=visited.node,
        exit=visited.exit[:255],
        entered_at=visited.entered_at,
        place=place,
        seconds=visited.seconds,
        error=visited.error.replace("\0", "")[:500],
    )


def keep_partitions() -> None:
    """Make the parts for this month and those ahead; drop what is older than FLOW_VISITS_DAYS."""
    now = timezone.now()
    oldest = now - timedelta(days=settings.FLOW_VISITS_DAYS)
    known = set(parts())
    for start, end in _months(now):
        if name(start) not in known:
            _make(start, end)
    for part in known - {DEFAULT}:
        if _end(part) <= oldest:
            _run(f"DROP TABLE {part}")
    _run(f"DELETE FROM {DEFAULT} WHERE entered_at < %s", oldest)


def parts() -> list[str]:
    """The tables of which the table consists."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTS, [TABLE])
        return [row[0] for row in cursor.fetchall()]


def name(start: datetime) -> str:
    """What the part for a month is called."""
    return f"{TABLE}_{start:%Y%m}"


def _make(start: datetime, end: datetime) -> None:
    """A month that has begun to fill the default part stays there: its rows would have to move."""
    bounds = f"FROM ('{start.isoformat()}') TO ('{end.isoformat()}')"
    try:
        _run(f"CREATE TABLE {name(start)} PARTITION OF {TABLE} FOR VALUES {bounds}")
    except IntegrityError:
        logger.info("month_in_default_part", part=name(start))


def _run(sql: str, *parameters: datetime) -> None:
    """One statement in a transaction of its own, that turns do not queue behind: it gives up after two seconds."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute(sql, parameters or None)


def _months(now: datetime) -> Iterator[tuple[datetime, datetime]]:
    start = _first(now.year, now.month)
    for _ in range(AHEAD + 1):
        end = _next(start)
        yield start, end
        start = end


def _end(part: str) -> datetime:
    month = part.rpartition("_")[2]
    return _next(_first(int(month[:4]), int(month[4:])))


def _next(start: datetime) -> datetime:
    return _first(start.year + start.month // 12, start.month % 12 + 1)


def _first(year: int, month: int) -> datetime:
    return datetime(year, month, 1, tzinfo=UTC)
