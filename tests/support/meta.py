"""Meta for tests: the sandbox on a free port, in a thread of the test process, spoken to over HTTP alone."""

import socket
import threading
import time
from dataclasses import dataclass
from typing import Any

import requests
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from apps.sandbox.app import create_app
from apps.sandbox.settings import DEFAULT_NUMBER, SandboxSettings

START_SECONDS = 10
NOBODY = "http://127.0.0.1:9/"  # the discard port: nobody listens


@dataclass(frozen=True)
class Said:
    """A customer's message: its wamid, and the HTTP statuses that its webhook got."""

    wamid: str
    answers: list[int]


class SandboxServer:
    """A running sandbox, at `path` if given. Statuses come without delay unless a test sets delays."""

    phone_number_id = DEFAULT_NUMBER.phone_number_id
    waba_id = DEFAULT_NUMBER.waba_id

    def __init__(self, *, app_secret: str = "test-app-secret", webhook_url: str = NOBODY, path: str = "") -> None:
        self.settings = SandboxSettings(
            webhook_url=webhook_url,
            app_secret=app_secret,
            sent_delay=0,
            delivered_delay=0,
            read_delay=0,
            retry_pause=0.02,
            retry_period=2,
        )
        self._path = path
        self._session = requests.Session()
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where the sandbox is."""
        assert self._socket is not None, "the sandbox has not been started"
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}{self._path}"

    @property
    def graph_url(self) -> str:
        """What stands in for https://graph.facebook.com."""
        return f"{self.url}/graph"

    def start(self) -> "SandboxServer":
        """Serve; returns when requests are taken."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        app = create_app(self.settings)
        if self._path:
            app = Starlette(routes=[Mount(self._path, app=app)], lifespan=app.router.lifespan_context)
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="sandbox", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            assert self._thread.is_alive(), "the sandbox fell over at its start"
            assert time.monotonic() < deadline, "the sandbox did not start"
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Stop serving."""
        assert self._server is not None
        assert self._thread is not None
        assert self._socket is not None
        self._server.should_exit = True
        self._thread.join(START_SECONDS)
        self._session.close()
        self._socket.close()

    def reset(self) -> None:
        """Forget everything: messages, faults, settings, and what is still on its way."""
        self._call("DELETE", "state")

    def configure(self, **changes: Any) -> None:
        """Change settings (see `SandboxSettings`), such as `webhook_url`."""
        self._call("PUT", "settings", changes)

    def faults(self, **faults: dict[str, Any]) -> None:
        """Switch on exactly these faults (see `FaultSet`): `meta.faults(duplicate={"copies": 4})`; none: all off."""
        self._call("PUT", "faults", faults)

    def say(self, text: str | None = None, *, customer: str = "5511999990001", **rest: Any) -> Said:
        """A customer writes, and the webhook has been answered when this returns (see `receiving.Say` for the rest)."""
        said = self._call("POST", "say", {"from": customer, **({} if text is None else {"text": text}), **rest})
        return Said(said["id"], said["answers"])

    def webhook(self, payload: dict[str, Any]) -> list[int]:
        """Sign this body and send it as it is; the HTTP statuses it got, several where a fault duplicates it."""
        answers: list[int] = self._call("POST", "webhook", payload)["answers"]
        return answers

    def sent(self, since: int = 0) -> list[dict[str, Any]]:
        """What the business has sent and Graph accepted, in order, after the first `since`."""
        messages: list[dict[str, Any]] = self._call("GET", f"sent?since={since}")
        return messages

    def texts(self, customer: str | None = None) -> list[str]:
        """The texts that the business has sent, to one customer or to all."""
        return [
            message["body"]["text"]["body"]
            for message in self.sent()
            if "text" in message["body"] and customer in (None, message["to"])
        ]

    def wait_for_sent(self, count: int, timeout: float = 5) -> list[dict[str, Any]]:
        """All that the business has sent, once it is `count` messages; fails when they do not come in time."""
        messages: list[dict[str, Any]] = self._call("GET", f"sent?at_least={count}&timeout={timeout}")
        assert len(messages) >= count, f"{len(messages)} of {count} messages sent within {timeout} s"
        return messages

    def wait_idle(self, timeout: float = 5) -> None:
        """Return once no webhook is scheduled, held back, on its way or to be tried again; fails after the time-out."""
        pending = self._call("GET", f"state?timeout={timeout}")["pending"]
        assert not pending, f"{pending} webhooks still pending after {timeout} s"

    def chat(self, customer: str) -> list[dict[str, Any]]:
        """Both directions of a customer's chat."""
        entries: list[dict[str, Any]] = self._call("GET", f"chats/{customer}")
        return entries

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        response = self._session.request(method, f"{self.url}/api/{path}", json=body, timeout=60)
        assert response.ok, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None
