"""The hot path: an ASGI handler ahead of Django that checks a webhook's signature, hands it over, answers 200.

What could not be stored is answered 503, and Meta sends it again (docs/decisions/0003).
"""

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError

from apps.conversations import accounts, bodies
from apps.conversations.accepting import NotStored, Store
from apps.conversations.channels import channels
from apps.core import encryption, metrics
from apps.meta import signatures

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PREFIX, SUFFIX = "/api/v1/", "/webhook"
MAX_BODY = 3 * 1024 * 1024  # Meta's own limit
MAX_SECRETS = 5  # accounts' secrets tried for one body
KNOWN_SECONDS, UNKNOWN_SECONDS = 30.0, 1.0


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

    @contextlib.asynccontextmanager
    async def lifespan(self, _: object) -> AsyncIterator[None]:
        """As long as the process serves; then the store's connection is given back."""
        yield
        await self._store.close()

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
            addresses = channels.get(channel).addresses(bodies.decode(body))
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
