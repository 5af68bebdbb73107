"""A server of raw answers, for failures that no well-behaved server makes."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Script = Callable[[socket.socket, bytes], None]


def answer(body: bytes, *, status: str = "200 OK", headers: bytes = b"") -> bytes:
    """A whole HTTP answer."""
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status.encode(), len(body), headers, body)


@dataclass
class RawServer:
    """Reads one request at a time and lets `script` do with the connection what it likes."""

    script: Script
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    address: str = "127.0.0.1"
    port: int = 0
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self._socket = socket.create_server((self.address, self.port))
        self.port = self._socket.getsockname()[1]
        if self.tls:
            self._socket = self.tls.wrap_socket(self._socket, server_side=True)
        self._connection = socket.socket()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://{self.address}:{self.port}"

    def close(self) -> None:
        """Stop listening, and end the connection that is open."""
        self._socket.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._connection = connection
            with connection:
                connection.settimeout(5)
                while request := _read_request(connection):
                    self.requests.append(request)
                    self.script(connection, request)


def _read_request(connection: socket.socket) -> bytes:
    """One request with its body; nothing once the connection is closed by either side."""
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
        )
        while len(body) < length:
            body += connection.recv(65536)
    except OSError:
        return b""
    return head + b"\r\n\r\n" + body


@contextmanager
def raw_server(script: Script) -> Iterator[RawServer]:
    """A server for the time of a test."""
    server = RawServer(script)
    try:
        yield server
    finally:
        server.close()
