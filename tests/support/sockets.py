"""The inbox socket for tests: really served, and a client that reads it."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest
import uvicorn
from channels.routing import ProtocolTypeRouter
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from apps.conversations import feed, routing
from apps.organizations.models import User
from tests.support import factories

PATIENCE = 5.0


class InboxSocket:
    """A client of /ws/inbox/."""

    def __init__(self, url: str, **options: Any) -> None:
        # without a bound the client reads on, and so sees the end, while nobody takes its frames
        self._context = connect(url, **{"max_queue": None, "close_timeout": 1, **options})
        self._connection = self._context.__enter__()

    @classmethod
    def of(cls, url: str, token: str) -> Self:
        """Signed in by sub-protocol."""
        return cls(url, subprotocols=["bearer", token])

    @property
    def subprotocol(self) -> str | None:
        """What the server chose."""
        return self._connection.subprotocol

    def send(self, frame: Any) -> None:
        """Say something; texts and bytes go as they are."""
        self._connection.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    def receive(self, timeout: float = PATIENCE) -> dict[str, Any]:
        """The next frame."""
        frame: dict[str, Any] = json.loads(self._connection.recv(timeout=timeout))
        return frame

    def receive_of_type(self, type: str) -> dict[str, Any]:
        """The next frame of this type; others are passed over."""
        while (frame := self.receive())["type"] != type:
            pass
        return frame

    def events(self, count: int) -> list[dict[str, Any]]:
        """The next frames that have a seq."""
        events: list[dict[str, Any]] = []
        while len(events) < count:
            frame = self.receive()
            events += [frame] if frame.get("seq") and frame["type"] != "ready" else []
        return events

    def is_silent(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes for a while."""
        try:
            self._connection.recv(timeout=seconds)
        except TimeoutError:
            return True
        return False

    def close_code(self) -> int | None:
        """The code with which the server closes; what it says before is passed over."""
        until = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < until:
                self._connection.recv(timeout=PATIENCE)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None
        raise AssertionError("The socket stays open.")

    def close(self) -> None:
        """Leave."""
        self._context.__exit__(None, None, None)


class SocketServer:
    """Serves the sockets, as the ASGI service does, in a thread."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._socket.getsockname()[1]}/ws/inbox/"
        application: Any = ProtocolTypeRouter({"websocket": routing.application})
        config = uvicorn.Config(application, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="sockets", daemon=True)

    def start(self) -> Self:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the socket server did not start"
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        self._socket.close()


@pytest.fixture(scope="session")
def socket_server() -> Iterator[SocketServer]:
    server = SocketServer().start()
    yield server
    server.stop()


@pytest.fixture
def listen(
    socket_server: SocketServer, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., InboxSocket]]:
    """A signed-in socket that has heard `ready`: `listen(user)`, or `listen(token=...)`."""
    monkeypatch.setattr(feed, "RESUME_SECONDS", 0.05)
    opened: list[InboxSocket] = []

    def open_socket(user: User | None = None, *, token: str = "") -> InboxSocket:
        if user is not None:
            token = factories.make_tokens(user).access
        opened.append(InboxSocket.of(socket_server.url, token))
        assert opened[-1].receive()["type"] == "ready"
        return opened[-1]

    yield open_socket
    for client in opened:
        client.close()
