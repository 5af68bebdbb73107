"""A webhook is on disk before it is acknowledged: group commit, many in one durable INSERT.

Nothing waits on a timer: one flusher takes whatever has queued while the previous commit ran (docs/decisions/0003).
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
import structlog
from django.db import connections

from apps.conversations import nudging

logger = structlog.get_logger(__name__)

STORE_TIMEOUT = 5.0  # seconds; PostgreSQL that does not answer counts as away
BATCH = 500

_INSERT = """
INSERT INTO conversations_webhookevent (channel, body, signed_by, received_at, correlation_id, state)
SELECT channel, body, signed_by, received_at, gen_random_uuid(), 'pending'
FROM unnest(%b::text[], %b::bytea[], %b::text[], %b::timestamptz[]) AS row(channel, body, signed_by, received_at)
"""


class NotStored(Exception):
    """The event is not on disk: PostgreSQL is away, or more waits than fits."""


@dataclass(frozen=True)
class Row:
    """A webhook to be stored, and whoever waits for that."""

    channel: str
    body: bytes
    signed_by: str
    received_at: datetime
    stored: asyncio.Future[None] = field(repr=False, compare=False)


class Store:
    """Group commit: many waiting webhooks in one durable INSERT, one batch after the other."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: list[Row] = []
        self._flusher: asyncio.Task[None] | None = None
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def put(self, channel: str, body: bytes, signed_by: str) -> None:
        """Return once the webhook is durable; NotStored if it is not."""
        if len(self._waiting) >= self._limit:
            raise NotStored("The queue is full.")
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append(Row(channel, body, signed_by, datetime.now(UTC), stored))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        await stored

    async def _flush(self) -> None:
        """Write batches until nothing waits."""
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            try:
                async with asyncio.timeout(STORE_TIMEOUT):
                    await self._write(batch)
            except (psycopg.Error, OSError, TimeoutError) as error:
                logger.warning("not_stored", events=len(batch), reason=type(error).__name__)
                await self.close()
                self._tell(batch, NotStored(str(error)))
            else:
                self._tell(batch, None)
                nudging.drain()

    async def _write(self, batch: list[Row]) -> None:
        """One INSERT; a batch that PostgreSQL refuses is written row by row, so that a bad row fails alone."""
        if self._connection is None or self._connection.closed:
            self._connection = await _connect()
        try:
            await self._insert(batch)
        except (psycopg.DataError, psycopg.IntegrityError):
            for row in batch:
                try:
                    await self._insert([row])
                except (psycopg.DataError, psycopg.IntegrityError) as error:
                    self._tell([row], NotStored(str(error)))

    async def _insert(self, batch: list[Row]) -> None:
        assert self._connection is not None
        columns = zip(*((row.channel, row.body, row.signed_by, row.received_at) for row in batch), strict=True)
        await self._connection.execute(_INSERT, [list(column) for column in columns])

    def _tell(self, batch: list[Row], error: NotStored | None) -> None:
        for row in batch:
            if row.stored.done():
                continue
            if error:
                row.stored.set_exception(error)
            else:
                row.stored.set_result(None)

    async def close(self) -> None:
        """Give back the connection; the next batch makes a new one."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


async def _connect() -> psycopg.AsyncConnection[Any]:
    database = connections["default"].settings_dict
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    parameters = {key: database[name] for key, name in named.items() if database[name]}
    return await psycopg.AsyncConnection.connect(**parameters, autocommit=True, connect_timeout=2)
