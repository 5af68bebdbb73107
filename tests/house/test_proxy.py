"""The front proxy's own file, run by the nginx that is installed here."""

import http.client
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from config.launch import places

TEMPLATE = places.ROOT / "docker" / "nginx.conf.template"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


class Named(ThreadingHTTPServer):
    """A server behind the proxy: answers with its name and with what reached it."""

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), Echo)
        self.name = name
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Echo(BaseHTTPRequestHandler):
    """Answers every request with the server's name; keeps connections open."""

    protocol_version = "HTTP/1.1"
    server: Named

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        for name in ("Host", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Proto"):
            self.send_header(f"Got-{name}", self.headers.get(name, ""))
        self.send_header("Got-Bytes", str(len(body)))
        self.send_header("Content-Length", str(len(self.server.name)))
        self.end_headers()
        self.wfile.write(self.server.name.encode())

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def _start(folder: Path, *, intake: int, api: int) -> tuple[subprocess.Popen[bytes], int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {
        "INTAKE_SERVERS": f"server 127.0.0.1:{intake};",
        "API_SERVERS": f"server 127.0.0.1:{api};",
        "PROXY_LISTEN": f"127.0.0.1:{port}",
    }
    # as the nginx image does it: only these variables, nginx's own ($host and the like) stay
    (folder / "site.conf").write_text(re.sub(r"\$\{([A-Z_]+)\}", lambda name: variables[name[1]], TEMPLATE.read_text()))
    folders = "".join(
        f"{name}_temp_path {folder / name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    account = "user root;" if os.geteuid() == 0 else ""  # the folder is ours alone
    (folder / "nginx.conf").write_text(
        f"{account} daemon off; pid {folder / 'pid'}; error_log {folder / 'error.log'}; events {{}}\n"
        f"http {{ access_log off; {folders} include {folder / 'site.conf'}; }}\n"
    )
    process = subprocess.Popen([str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")])
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process, port
        time.sleep(0.02)
    raise AssertionError((folder / "error.log").read_text())


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a proxy before an intake and an API."""
    with Named("intake") as intake, Named("api") as api:
        process, port = _start(
            tmp_path_factory.mktemp("nginx"), intake=intake.server_address[1], api=api.server_address[1]
        )
        yield port
        process.terminate()
        process.wait(10)
        intake.shutdown()
        api.shutdown()


def _ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "server"),
    [
        ("/api/v1/whatsapp/webhook", "intake"),
        ("/api/v1/whatsapp/webhook/", "intake"),
        ("/api/v1/instagram/webhook?hub.mode=subscribe", "intake"),
        ("/api/v1/messenger/webhook", "intake"),
        ("/ws/inbox/", "intake"),
        ("/api/v1/whatsapp/", "api"),
        ("/api/v1/whatsapp/webhooks", "api"),
        ("/api/v1/webhook-events/", "api"),
        ("/api/v1/telegram/webhook", "api"),
        ("/admin/", "api"),
        ("/", "api"),
    ],
)
def test_each_path_reaches_the_server_that_serves_it(proxy: int, path: str, server: str) -> None:
    assert _ask(proxy, "GET", path)[:2] == (200, server)


@pytest.mark.parametrize(
    ("path", "megabytes", "status"),
    [
        ("/api/v1/whatsapp/webhook", 3, 200),
        ("/api/v1/whatsapp/webhook/", 5, 413),
        ("/api/v1/conversations/1/messages", 5, 200),
    ],
)
def test_a_webhook_body_is_limited_apart_from_uploads(proxy: int, path: str, megabytes: int, status: int) -> None:
    code, _, headers = _ask(proxy, "POST", path, bytes(megabytes * 1024 * 1024))

    assert code == status
    assert headers.get("Got-Bytes") == (str(megabytes * 1024 * 1024) if status == 200 else None)


def test_the_server_behind_learns_who_asked_and_for_which_host(proxy: int) -> None:
    headers = _ask(proxy, "GET", "/api/v1/auth/me", Host="recado.example", X_Forwarded_For="203.0.113.9")[2]

    assert headers["Got-Host"] == "recado.example"
    assert headers["Got-X-Real-IP"] == "127.0.0.1"
    assert headers["Got-X-Forwarded-For"] == "203.0.113.9, 127.0.0.1"
    assert headers["Got-X-Forwarded-Proto"] == "http"


def test_a_proxy_further_out_says_which_scheme_was_used(proxy: int) -> None:
    headers = _ask(proxy, "GET", "/admin/", X_Forwarded_Proto="https")[2]

    assert headers["Got-X-Forwarded-Proto"] == "https"


def test_a_socket_passes_through_with_its_protocol(tmp_path: Path) -> None:
    def answer(socket: ServerConnection) -> None:
        for message in socket:
            socket.send(f"heard {message!s}")

    with serve(answer, "127.0.0.1", 0, subprotocols=[Subprotocol("bearer")]) as intake, Named("api") as api:
        threading.Thread(target=intake.serve_forever, daemon=True).start()
        process, port = _start(tmp_path, intake=intake.socket.getsockname()[1], api=api.server_address[1])
        with connect(
            f"ws://127.0.0.1:{port}/ws/inbox/", subprotocols=[Subprotocol("bearer"), Subprotocol("token")]
        ) as socket:
            socket.send("ping")
            assert socket.recv(5) == "heard ping"
            assert socket.subprotocol == "bearer"
        process.terminate()
        process.wait(10)
        api.shutdown()
