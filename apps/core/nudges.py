"""Nudges: coalesced Celery tasks that say "look at your rows". They may be lost; the beat sweep looks anyway."""

import functools
import threading
import time

import redis
import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = structlog.get_logger(__name__)

OUTSTANDING_SECONDS = 2  # a nudge whose task never ran is forgotten after this long
PAUSE_SECONDS = 0.01  # after a nudge: those that come thick and fast go together


class Nudger:
    """One thread a process that hands nudges to the broker, so that no caller ever waits for it.

    While a task's nudge is outstanding (sent, its task not begun) no second one is sent, from any process.
    """

    def __init__(self) -> None:
        self._pending: set[str] = set()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def nudge(self, task: str) -> None:
        """Ask for a run of the task soon; returns at once."""
        with self._lock:
            self._pending.add(task)
            if self._thread is None or not self._thread.is_alive():  # first use, or after a fork
                self._thread = threading.Thread(target=self._run, name="nudger", daemon=True)
                self._thread.start()
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            with self._lock:
                tasks, self._pending = self._pending, set()
            for task in tasks:
                try:
                    if _client().set(_key(task), 1, nx=True, ex=OUTSTANDING_SECONDS):
                        current_app.send_task(task, retry=False)
                except (redis.RedisError, OperationalError) as error:
                    logger.warning("nudge_lost", task=task, reason=type(error).__name__)
            time.sleep(PAUSE_SECONDS)


_nudger = Nudger()


def nudge(task: str) -> None:
    """Nudge a task (by its full name) now; for callers without a transaction."""
    _nudger.nudge(task)


def on_commit(task: str) -> None:
    """Nudge a task once the running transaction commits."""
    transaction.on_commit(functools.partial(nudge, task), robust=True)


def begun(task: str) -> None:
    """Called by a task as it begins: rows written from now on deserve a nudge of their own."""
    try:
        _client().delete(_key(task))
    except redis.RedisError:
        logger.warning("nudge_not_cleared", task=task)


def _key(task: str) -> str:
    return f"recado:nudge:{task}"


@functools.cache
def _client() -> redis.Redis:
    """The process's Redis client (safe for threads and forks): a time-out of a second, no retry."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
    )
