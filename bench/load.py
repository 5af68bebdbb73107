"""A load generator that costs little: keep-alive connections on asyncio's protocols, one request at a time on each."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import cast

Answered = Callable[[int, float], None]


class Connection(asyncio.Protocol):
    """One kept connection; `send` may be called again once the last request is answered."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._answered: Answered | None = None
        self._started = 0.0
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio has connected it."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by name
        self.is_open = True

    def send(self, request: bytes, answered: Answered) -> None:
        """Send a whole request; `answered` gets the HTTP status (0: the connection broke) and the seconds it took."""
        assert self._transport is not None
        self._answered = answered
        self._started = perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Asyncio has read something."""
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._buffer = b""
        self._answer(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio has lost the connection, perhaps because it was idle for long."""
        self.is_open = False
        self._answer(0)

    def close(self) -> None:
        """Close it."""
        assert self._transport is not None
        self._transport.close()

    def _answer(self, status: int) -> None:
        answered, self._answered = self._answered, None
        if answered:
            answered(status, perf_counter() - self._started)


async def connect(port: int, count: int) -> list[Connection]:
    """Open connections to a port of this machine."""
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(Connection, "127.0.0.1", port) for _ in range(count)]
    return [protocol for _, protocol in made]


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def _length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.index(b"content-length:") + len(b"content-length:")
    return int(lowered[start:].split(b"\r\n", 1)[0])
