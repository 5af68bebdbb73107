"""The hot path: an ASGI handler ahead of Django that checks a webhook's signature, stores it durably, answers 200.

Nothing waits on a timer: one flusher takes whatever has queued while the previous commit ran, and writes it in one
INSERT (docs/decisions/0003). What could not be stored is answered 503, and Meta sends it again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import psycopg
import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, connections

from apps.conversations import accounts, inbound, nudging
from apps.conversations.channels import channels
from apps.core import encryption, metrics
from apps.meta import signatures

logger = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PREFIX, SUFFIX = "/api/v1/", "/webhook"
MAX_BODY = 3 * 1024 * 1024  # Meta's own limit
MAX_SECRETS = 5  # accounts' secrets tried for one body
STORE_TIMEOUT = 5.0  # seconds; PostgreSQL that does not answer counts as away
BATCH = 500
KNOWN_SECONDS, UNKNOWN_SECONDS = 30.0, 1.0

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
                await self._hang_up()
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

    async def _hang_up(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


async def _connect() -> psycopg.AsyncConnection[Any]:
    database = connections["default"].settings_dict
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    parameters = {key: database[name] for key, name in named.items() if database[name]}
    return await psycopg.AsyncConnection.connect(**parameters, autocommit=True, connect_timeout=2)


class Secrets:
    """The accounts' own application secrets by address: known ones for 30 seconds, unknown ones for one."""

    def __init__(self) -> None:
        self._cache: dict[tuple[str, str], tuple[float, list[str]]] = {}

    async def of(self, channel: str, addresses: list[str]) -> list[str]:
        """The secrets of the accounts that a body names, five at most."""
        now = time.monotonic()
        missing = []
        for address in addresses:
            until, _ = self._cache.get((channel, address), (0.0, []))
            if until < now:
                missing.append(address)
        if missing:
            found = await sync_to_async(accounts.secrets, thread_sensitive=False)(channel, missing)
            if len(self._cache) > 10_000:
                self._cache.clear()
            for address in missing:
                secrets = found.get(address, [])
                self._cache[channel, address] = (now + (KNOWN_SECONDS if secrets else UNKNOWN_SECONDS), secrets)
        every = [secret for address in addresses for secret in self._cache[channel, address][1]]
        return list(dict.fromkeys(every))[:MAX_SECRETS]


class Intake:
    """`POST /api/v1/{channel}/webhook`, for every registered channel; everything else goes on to `app`."""

    def __init__(self, app: Callable[[Any, Any, Any], Awaitable[None]]) -> None:
        self._app = app
        self._store = Store(settings.INTAKE_QUEUE_SIZE)
        self._secrets = Secrets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a webhook: 200 stored, 403 not signed by one we know, 413 too large, 503 not stored."""
        channel = _channel(scope)
        if channel is None:
            await self._app(scope, receive, send)
            return
        body = await _body(scope, receive)
        if body is None:
            return
        if len(body) > MAX_BODY:
            await _refuse(send, channel, 413, "too_large", "A webhook may have 3 MB at most.")
            return
        try:
            signed_by = await self._signer(channel, body, _signature(scope))
            if not signed_by:
                await _refuse(send, channel, 403, "bad_signature", "This body is not signed with a secret known here.")
                return
            with metrics.STORE_SECONDS.time():
                await self._store.put(channel, body, signed_by)
        except (NotStored, DatabaseError):
            await _refuse(send, channel, 503, "not_stored", "Could not be stored now; please send it again.")
            return
        metrics.ACKNOWLEDGED.labels(channel).inc()
        await _answer(send, 200, {"status": "ok"})

    async def _signer(self, channel: str, body: bytes, header: str) -> str:
        """The fingerprint of the secret that signed the body; empty if none that we know did."""
        for secret in channels.get(channel).application_secrets():
            if signatures.matches(body, header, secret):
                return encryption.fingerprint(secret)
        if not header:
            return ""
        try:
            addresses = channels.get(channel).addresses(inbound.decode(body))
        except ValueError:
            return ""
        for secret in await self._secrets.of(channel, addresses):
            if signatures.matches(body, header, secret):
                return encryption.fingerprint(secret)
        return ""


def _channel(scope: Scope) -> str | None:
    """The channel whose webhook this is."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    path: str = scope["path"].rstrip("/")
    if not (path.startswith(PREFIX) and path.endswith(SUFFIX)):
        return None
    key = path[len(PREFIX) : -len(SUFFIX)]
    return key if key in channels else None


def _signature(scope: Scope) -> str:
    name = signatures.HEADER.lower().encode()
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """The raw body, read no further than one byte past the limit; None if the sender hung up."""
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY or not message.get("more_body"):
            return b"".join(chunks)


async def _refuse(send: Send, channel: str, status: int, code: str, words: str) -> None:
    metrics.REFUSED.labels(channel, code).inc()
    await _answer(send, status, {"detail": words, "error": {"code": code, "message": words, "details": None}})


async def _answer(send: Send, status: int, body: dict[str, Any]) -> None:
    content = orjson.dumps(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
