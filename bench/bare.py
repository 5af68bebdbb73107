"""The yardstick of the intake: a signature check and the same group commit, in as little Python as can be."""

import asyncio
import hashlib
import hmac
import os
from datetime import UTC, datetime
from typing import Any

import psycopg

SECRET = os.environ["META_APP_SECRET"].encode()
INSERT = """
INSERT INTO conversations_webhookevent (channel, body, signed_by, received_at, correlation_id, state)
SELECT channel, body, signed_by, received_at, gen_random_uuid(), 'pending'
FROM unnest(%b::text[], %b::bytea[], %b::text[], %b::timestamptz[]) AS row(channel, body, signed_by, received_at)
"""
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"15")]
FINGERPRINT = hashlib.sha256(SECRET).hexdigest()

_waiting: list[tuple[bytes, datetime, asyncio.Future[None]]] = []
_flusher: asyncio.Task[None] | None = None
_connection: psycopg.AsyncConnection[Any] | None = None


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Check, store, answer."""
    global _flusher
    body = (await receive())["body"]
    given = next(value for key, value in scope["headers"] if key == b"x-hub-signature-256")
    expected = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(given, expected.encode()):
        await send({"type": "http.response.start", "status": 403, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        return
    stored = asyncio.get_running_loop().create_future()
    _waiting.append((body, datetime.now(UTC), stored))
    if _flusher is None or _flusher.done():
        _flusher = asyncio.create_task(_flush())
    await stored
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b'{"status":"ok"}'})


async def _flush() -> None:
    global _connection
    if _connection is None:
        _connection = await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"], autocommit=True)
    while _waiting:
        batch = _waiting[:500]
        del _waiting[:500]
        columns = [
            ["whatsapp"] * len(batch),
            [body for body, _, _ in batch],
            [FINGERPRINT] * len(batch),
            [received_at for _, received_at, _ in batch],
        ]
        await _connection.execute(INSERT, columns)
        for _, _, stored in batch:
            stored.set_result(None)
