"""The TCP connection under a request, to be broken."""

import asyncio
import socket
import struct

from starlette.types import Receive

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


async def close(receive: Receive) -> None:
    """Close the connection without an answer; returns when it is gone."""
    _transport(receive).close()
    await _gone(receive)


async def reset(receive: Receive) -> None:
    """Reset the connection (TCP RST); returns when it is gone."""
    transport = _transport(receive)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    transport.abort()
    await _gone(receive)


async def hang(receive: Receive, seconds: float) -> None:
    """Keep the connection open without an answer until the client leaves, or close it after some seconds."""
    try:
        await asyncio.wait_for(_gone(receive), seconds)
    except TimeoutError:
        await close(receive)


def _transport(receive: Receive) -> asyncio.Transport:
    """The connection's transport. ASGI does not show it; uvicorn's `receive` is a method of the object that has it."""
    transport: asyncio.Transport | None = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise RuntimeError("Connections can be broken only under uvicorn.")
    return transport


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
