"""Whether the work gets done: what /readyz looks at."""

import time
from dataclasses import dataclass

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection

from apps.core import backlog
from apps.core.tasks import BEAT_KEY

SILENCE_SECONDS = 30.0  # beat leaves its trace every five


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, and what was seen."""

    name: str
    is_ok: bool
    detail: str


def checks() -> list[Check]:
    """The database, the broker, the workers, and the oldest event that waits."""
    return [_database(), *_broker_and_workers(), _oldest_event()]


def _database() -> Check:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return Check("database", is_ok=False, detail=f"PostgreSQL does not answer: {type(error).__name__}")
    return Check("database", is_ok=True, detail="answers")


def _broker_and_workers() -> list[Check]:
    try:
        beat_at = cache.get(BEAT_KEY)
    except redis.RedisError as error:
        broker = Check("broker", is_ok=False, detail=f"Redis does not answer: {type(error).__name__}")
        return [broker, Check("workers", is_ok=False, detail="unknown while the broker is away")]
    broker = Check("broker", is_ok=True, detail="answers")
    if beat_at is None:
        return [broker, Check("workers", is_ok=False, detail="beat and workers have left no trace")]
    silence = time.time() - beat_at
    detail = f"last trace {silence:.0f} s ago"
    return [broker, Check("workers", is_ok=silence < SILENCE_SECONDS, detail=detail)]


def _oldest_event() -> Check:
    try:
        figures = backlog.figures()
    except DatabaseError:
        return Check("oldest_event", is_ok=False, detail="unknown while the database is away")
    oldest = max((figure.values[""] for figure in figures if figure.name == backlog.OLDEST_EVENT), default=0.0)
    detail = f"waits for {oldest:.0f} s" if oldest else "nothing waits"
    return Check("oldest_event", is_ok=oldest < settings.READY_OLDEST_SECONDS, detail=detail)
