"""The door out, tried against servers that really listen: what is refused is never even connected to."""

import gzip
import re
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import LazySettings

from apps.core import http
from apps.core.addresses import AddressRefused, InvalidRequest
from apps.core.http import (
    CertificateRefused,
    ConnectionFailed,
    HostRefused,
    TimedOut,
    TooLarge,
    TooManyRedirects,
    Unresolvable,
)
from tests.support.wire import RawServer, Script, answer

Serve = Callable[..., RawServer]
OK = answer(b"ok")


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that give every request the same answer, or do with it what their script says."""
    servers: list[RawServer] = []

    def start(what: bytes | Script = OK, **where: Any) -> RawServer:
        script = what if callable(what) else lambda connection, _: connection.sendall(what)
        servers.append(RawServer(script, **where))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def allow(settings: LazySettings) -> Callable[..., None]:
    """Puts servers into EGRESS_ALLOW."""

    def into_setting(*servers: RawServer) -> None:
        settings.EGRESS_ALLOW = [f"{server.address}:{server.port}" for server in servers]

    return into_setting


@pytest.fixture
def allowed(serve: Serve, allow: Callable[..., None]) -> Serve:
    """Starts one server, and puts it into EGRESS_ALLOW."""

    def start(what: bytes | Script = OK, **where: Any) -> RawServer:
        server = serve(what, **where)
        allow(server)
        return server

    return start


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def deaf(listener: socket.socket, settings: LazySettings) -> str:
    """A server that takes connections, and neither reads nor answers."""
    host = f"127.0.0.1:{listener.getsockname()[1]}"
    settings.EGRESS_ALLOW = [host]
    return host


def get(url: str, **options: Any) -> http.Answer:
    return http.request(**{"method": "GET", "url": url, "timeout": 5, **options})


def sequence(*parts: bytes, pause: float = 0) -> Script:
    """Sends these pieces; the last one for ever."""

    def send(connection: socket.socket, _: bytes) -> None:
        with suppress(OSError):  # the client has had enough
            for part in parts:
                connection.sendall(part)
            while True:
                time.sleep(pause)
                connection.sendall(parts[-1])

    return send


def redirect(location: str, status: str = "302 Found") -> bytes:
    return answer(b"", status=status, headers=b"Location: %s\r\n" % location.encode())


def names(**known: list[str]) -> http.Resolver:
    """A resolver that knows these names, `_` standing for the dot, and no others."""

    def look_up(host: str, port: int) -> list[str]:
        try:
            return known[host.replace(".", "_")]
        except KeyError:
            raise socket.gaierror(socket.EAI_NONAME, "unknown") from None

    return look_up


# --- What is sent, and what is answered -----------------------------------------------------------------------------
def test_exempt_server_is_asked_and_its_answer_told(allowed: Serve) -> None:
    server = allowed(answer(b'{"a": 1}', status="201 Created", headers=b"Content-Type: application/json\r\nX-A: 1\r\n"))
    said = http.request(
        method="POST",
        url=f"{server.url}/orders?page=1",
        headers=[("Authorization", "Bearer tok"), ("Content-Type", "application/json"), ("X-Nome", "São")],
        params=[("q", "pão & sal"), ("q", "2")],
        body=b'{"x": 2}',
        timeout=5,
    )
    assert (said.status, said.body, said.url) == (
        201,
        b'{"a": 1}',
        f"{server.url}/orders?page=1&q=p%C3%A3o+%26+sal&q=2",
    )
    assert (said.headers["content-type"], said.headers["X-a"]) == ("application/json", "1")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert body == b'{"x": 2}'
    assert head.split(b"\r\n")[0] == b"POST /orders?page=1&q=p%C3%A3o+%26+sal&q=2 HTTP/1.1"
    assert sorted(head.split(b"\r\n")[1:]) == sorted(
        [
            f"Host: 127.0.0.1:{server.port}".encode(),
            b"Accept-Encoding: gzip, deflate",
            b"Connection: close",
            b"Content-Length: 8",
            b"Authorization: Bearer tok",
            b"Content-Type: application/json",
            "X-Nome: São".encode(),
            b"User-Agent: Recado",
        ]
    )


def test_headers_of_the_connection_are_ours_whatever_the_caller_says(allowed: Serve) -> None:
    server = allowed()
    theirs = [
        ("Host", "evil.example"),
        ("content-length", "99"),
        ("Transfer-Encoding", "chunked"),
        ("User-Agent", "Bot"),
    ]
    get(server.url, headers=theirs)
    head = server.requests[0].decode().lower()
    assert f"host: 127.0.0.1:{server.port}\r\n" in head
    assert "user-agent: bot" in head
    assert not re.search("evil|content-length|transfer-encoding", head)


@pytest.mark.parametrize("header", [("X-A", "a\r\nX-B: b"), ("X-A\r\nX-B", "b"), ("X A", "b"), ("", "b"), ("X", "\0")])
def test_header_that_would_be_two_is_refused(header: tuple[str, str], allowed: Serve) -> None:
    server = allowed()
    with pytest.raises(InvalidRequest):
        get(server.url, headers=[header])
    assert server.connections == 0


def test_unknown_method_is_refused(allowed: Serve) -> None:
    server = allowed()
    for method in ("CONNECT", "get", "GET / HTTP/1.1\r\nX: y", ""):
        with pytest.raises(InvalidRequest):
            get(server.url, method=method)
    assert server.connections == 0


def test_neither_proxies_nor_passwords_nor_cookies_of_the_environment_play_a_part(
    serve: Serve, allow: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    proxy = serve()
    server = serve(answer(b"", headers=b"Set-Cookie: a=b\r\n"))
    allow(server, proxy)
    netrc = tmp_path / "netrc"
    netrc.write_text("default login joana password segredo\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    get(server.url)
    get(server.url)
    assert proxy.connections == 0
    assert b"uthorization" not in server.requests[0]
    assert b"ookie" not in server.requests[1]


# --- Which addresses ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.0.0.1.", "127.1", "2130706433", "0x7f000001"),
        *("0177.0.0.1", "017700000001", "0x7f.1", "0.0.0.0", "0", "[::1]", "[::]", "[::ffff:127.0.0.1]"),
        *("[::ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"),
        *("user:secret@127.0.0.1", "1.1.1.1@127.0.0.1", "\uff11\uff12\uff17.0.0.1", "①27.0.0.1", "127。0。0。1"),
        *("metadata.google.internal", "169.254.169.254", "[fd00:ec2::254]", "[fe80::1]", "10.0.0.1", "100.64.0.1"),
    ],
    ids=ascii,
)
def test_no_way_to_write_an_inner_address_leads_to_it(host: str, serve: Serve) -> None:
    server = serve()
    inner = serve(address="0.0.0.0", port=0)
    for port in (server.port, inner.port):
        with pytest.raises((AddressRefused, InvalidRequest)) as refusal:
            get(f"http://{host}:{port}/")
        assert not re.search(r"127|\d\.\d|::", refusal.value.message)
        assert refusal.value.retryable is False
    assert (server.connections, inner.connections) == (0, 0)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::"],
)
def test_name_that_leads_to_an_inner_address_is_refused(address: str, serve: Serve) -> None:
    server = serve()
    with pytest.raises(AddressRefused) as refusal:
        get(f"http://shop.example:{server.port}/", resolver=names(shop_example=[address]))
    assert str(refusal.value) == "This address is not allowed."
    assert server.connections == 0


def test_name_is_looked_up_by_the_system_where_its_port_is_exempt(allowed: Serve) -> None:
    server = allowed()
    assert get(f"http://localhost:{server.port}/").body == b"ok"


def test_name_is_reached_at_an_exempt_address_and_told_its_own_name(allowed: Serve) -> None:
    server = allowed()
    said = get(f"http://model.example:{server.port}/v1", resolver=names(model_example=["127.0.0.1"]))
    assert said.body == b"ok"
    assert f"Host: model.example:{server.port}\r\n".encode() in server.requests[0]


def test_of_many_addresses_only_those_that_pass_are_connected_to(serve: Serve, allow: Callable[..., None]) -> None:
    server = serve()
    inner = serve(address="127.0.0.2", port=server.port)
    allow(server)
    found = names(model_example=["127.0.0.2", "::ffff:127.0.0.2", "127.0.0.1", "127.0.0.3"])
    assert get(f"http://model.example:{server.port}/", resolver=found).body == b"ok"
    assert (server.connections, inner.connections) == (1, 0)


def test_next_address_is_tried_where_one_does_not_answer(serve: Serve, settings: LazySettings) -> None:
    server = serve()
    settings.EGRESS_ALLOW = [f"model.example:{server.port}"]
    found = names(model_example=["127.0.0.9", "127.0.0.1"])
    assert get(f"http://model.example:{server.port}/", resolver=found).body == b"ok"


def test_name_whose_address_changes_after_the_check_is_connected_to_as_checked(
    serve: Serve, allow: Callable[..., None]
) -> None:
    server = serve()
    inner = serve(address="127.0.0.2", port=server.port)
    allow(server)
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    url = f"http://rebind.example:{server.port}/"
    assert get(url, resolver=rebinding).body == b"ok"
    assert asked == ["rebind.example"]
    with pytest.raises(AddressRefused):
        get(url, resolver=rebinding)
    assert (server.connections, inner.connections) == (1, 0)


def test_unknown_name_may_be_tried_again_later() -> None:
    with pytest.raises(Unresolvable) as failure:
        get("http://shop.example/", resolver=names())
    assert (failure.value.status, failure.value.code, failure.value.retryable) == (424, "unresolvable", True)


# --- Redirects ------------------------------------------------------------------------------------------------------
def test_redirect_to_an_inner_address_is_not_followed(serve: Serve, allow: Callable[..., None]) -> None:
    inner = serve()
    for location in (inner.url, f"//127.0.0.1:{inner.port}/", f"http://2130706433:{inner.port}/", "http://[::1]/"):
        server = serve(redirect(location))
        allow(server)
        with pytest.raises(AddressRefused):
            get(server.url)
    assert inner.connections == 0


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://u:p@a.example/", "http://[x"]
)
def test_redirect_to_what_is_no_url_is_not_followed(location: str, allowed: Serve) -> None:
    server = allowed(redirect(location))
    with pytest.raises(InvalidRequest):
        get(server.url)
    assert server.connections == 1


def test_redirect_is_looked_up_anew_at_every_hop(serve: Serve, allow: Callable[..., None]) -> None:
    server = serve(redirect("/again"))
    inner = serve(address="127.0.0.2", port=server.port)
    allow(server)
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    with pytest.raises(AddressRefused):
        get(f"http://rebind.example:{server.port}/", resolver=lambda host, port: next(answers))
    assert (server.connections, inner.connections) == (1, 0)


def test_another_origin_is_told_nothing_of_the_request_even_when_it_leads_back(
    serve: Serve, allow: Callable[..., None]
) -> None:
    def first(connection: socket.socket, request: bytes) -> None:
        connection.sendall(OK if request.startswith(b"GET /back") else redirect(f"{second.url}/"))

    server = serve(first)
    second = serve(redirect(f"{server.url}/back"))
    allow(server, second)
    headers = [("Authorization", "Bearer tok"), ("Cookie", "a=b"), ("X-API-Key", "k"), ("Accept", "text/plain")]
    said = get(server.url, headers=headers)
    assert (said.body, said.url) == (b"ok", f"{server.url}/back")
    assert all(secret in server.requests[0] for secret in (b"Bearer tok", b"a=b", b"X-API-Key: k"))
    for request in (second.requests[0], server.requests[1]):
        lines = request.decode().lower().split("\r\n")[1:]
        told = {line.partition(":")[0] for line in lines if line}
        assert told == {"host", "accept", "user-agent", "accept-encoding", "connection"}


def test_same_origin_is_told_everything_again(allowed: Serve) -> None:
    def move(connection: socket.socket, request: bytes) -> None:
        connection.sendall(OK if b" /new " in request else redirect("new", "308 Permanent Redirect"))

    server = allowed(move)
    get(server.url, method="PUT", headers=[("Authorization", "Bearer tok")], body=b"{}")
    assert [request.split(b" HTTP")[0] for request in server.requests] == [b"PUT /", b"PUT /new"]
    assert b"Authorization: Bearer tok" in server.requests[1]
    assert server.requests[1].endswith(b"\r\n\r\n{}")


@pytest.mark.parametrize("status", ["307 Temporary Redirect", "308 Permanent Redirect"])
def test_body_is_not_sent_on_to_another_origin(status: str, serve: Serve, allow: Callable[..., None]) -> None:
    second = serve()
    server = serve(redirect(second.url, status))
    allow(server, second)
    with pytest.raises(HostRefused):
        get(server.url, method="POST", body=b"card=1")
    assert second.connections == 0


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        ("301 Moved", "POST", "GET"),
        ("302 Found", "POST", "GET"),
        ("303 See Other", "POST", "GET"),
        ("303 See Other", "PUT", "GET"),
        ("303 See Other", "HEAD", "HEAD"),
        ("302 Found", "PUT", "PUT"),
        ("307 Temporary Redirect", "POST", "POST"),
    ],
)
def test_redirect_changes_the_method_as_browsers_do(status: str, method: str, then: str, allowed: Serve) -> None:
    def move(connection: socket.socket, request: bytes) -> None:
        connection.sendall(OK if b" /new " in request else redirect("/new", status))

    server = allowed(move)
    get(server.url, method=method, headers=[("Content-Type", "text/plain")], body=None if method == "HEAD" else b"x")
    assert server.requests[1].split(b" ")[0] == then.encode()
    assert server.requests[1].endswith(b"\r\n\r\nx") is (then in ("PUT", "POST"))
    assert (b"Content-Type" in server.requests[1]) is (then != "GET")


def test_request_that_is_bound_to_its_host_goes_nowhere_else(serve: Serve, allow: Callable[..., None]) -> None:
    second = serve()
    server = serve(redirect(second.url))
    allow(server, second)
    bound = {f"127.0.0.1:{server.port}"}
    with pytest.raises(HostRefused) as refusal:
        get(server.url, allowed_hosts=bound)
    assert (refusal.value.code, refusal.value.retryable) == ("host_refused", False)
    with pytest.raises(HostRefused):
        get(second.url, allowed_hosts=bound)
    assert (server.connections, second.connections) == (1, 0)


def test_bound_request_follows_its_own_host(allowed: Serve) -> None:
    def move(connection: socket.socket, request: bytes) -> None:
        connection.sendall(OK if b" /new " in request else redirect("/new"))

    server = allowed(move)
    assert get(server.url, allowed_hosts={f"127.0.0.1:{server.port}"}).body == b"ok"


@pytest.mark.parametrize("redirects", [1, 3])
def test_endless_redirects_end(redirects: int, allowed: Serve) -> None:
    server = allowed(redirect("/"))
    with pytest.raises(TooManyRedirects):
        get(server.url, redirects=redirects)
    assert server.connections == redirects + 1


def test_redirect_is_the_answer_where_none_is_to_be_followed(allowed: Serve) -> None:
    server = allowed(redirect("http://127.0.0.1/"))
    said = get(server.url, redirects=0)
    assert (said.status, said.headers["location"], server.connections) == (302, "http://127.0.0.1/", 1)


# --- Size -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [0, 1, 65536, 100_000])
def test_answer_may_be_as_large_as_the_caller_says_and_no_larger(size: int, allowed: Serve) -> None:
    server = allowed(answer(b"x" * size))
    assert get(server.url, max_bytes=size).body == b"x" * size
    server = allowed(answer(b"x" * (size + 1)))
    with pytest.raises(TooLarge):
        get(server.url, max_bytes=size)


@pytest.mark.parametrize(
    "start", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"]
)
def test_endless_answer_is_left_at_the_limit(start: bytes, allowed: Serve) -> None:
    server = allowed(sequence(start, b"x" * 65536))
    with pytest.raises(TooLarge) as failure:
        get(server.url, max_bytes=1_000_000)
    assert failure.value.message == "The answer is larger than 1000000 bytes."


def test_endless_chunks_are_left_at_the_limit(allowed: Serve) -> None:
    server = allowed(
        sequence(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1000\r\n%s\r\n" % (b"x" * 4096))
    )
    with pytest.raises(TooLarge):
        get(server.url, max_bytes=100_000)


@pytest.mark.parametrize("times", [1, 2])
def test_packed_answer_is_counted_unpacked_and_unpacked_no_further_than_the_limit(times: int, allowed: Serve) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    for _ in range(times - 1):
        bomb = gzip.compress(bomb)
    server = allowed(answer(bomb, headers=b"Content-Encoding: %s\r\n" % b", ".join([b"gzip"] * times)))
    tracemalloc.start()
    with pytest.raises(TooLarge):
        get(server.url, max_bytes=1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_packed_answer_is_unpacked(encoding: str, pack: Callable[[bytes], bytes], allowed: Serve) -> None:
    text = "olá, mundo ".encode() * 20_000
    server = allowed(answer(pack(text), headers=f"Content-Encoding: {encoding}\r\n".encode()))
    assert get(server.url).body == text


# --- Time -----------------------------------------------------------------------------------------------------------
@contextmanager
def timed_out_within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    with pytest.raises(TimedOut) as failure:
        yield
    assert (failure.value.code, failure.value.retryable) == ("timeout", True)
    assert time.monotonic() - began < seconds


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "script",
    [
        lambda connection, request: None,
        sequence(HEAD + b"Content-Length: 1000\r\n\r\n", b"x", pause=0.05),
        sequence(HEAD + b"\r\n", b"x", pause=0.05),
        sequence(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", pause=0.05),
        sequence(HEAD + b"X-A: ", b"x", pause=0.05),
        sequence(b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.05),
        sequence(b"H", b"T", pause=0.05),
    ],
    ids=["silence", "body", "body-to-the-end", "chunks", "headers", "continue", "status"],
)
def test_server_that_drips_is_cut_off_when_the_time_is_over(script: Script, allowed: Serve) -> None:
    server = allowed(script)
    with timed_out_within(2):
        get(server.url, timeout=0.3)


def test_server_that_reads_no_further_is_cut_off(deaf: str) -> None:
    with timed_out_within(2):
        get(f"http://{deaf}/", method="POST", body=b"x" * 20_000_000, timeout=0.3)


def test_handshake_that_never_ends_is_cut_off(deaf: str) -> None:
    with timed_out_within(2):
        get(f"https://{deaf}/", timeout=0.3)


def test_slow_resolver_is_not_waited_for() -> None:
    def slow(host: str, port: int) -> list[str]:
        time.sleep(3)
        return ["127.0.0.1"]

    with timed_out_within(2):
        get("http://shop.example/", timeout=0.2, resolver=slow)


def test_time_is_for_all_redirects_together(allowed: Serve) -> None:
    def move(connection: socket.socket, request: bytes) -> None:
        time.sleep(0.15)
        with suppress(OSError):  # cut off meanwhile
            connection.sendall(redirect("/"))

    server = allowed(move)
    with timed_out_within(2):
        get(server.url, timeout=0.4, redirects=20)


# --- Failure --------------------------------------------------------------------------------------------------------
def test_server_that_is_not_there_may_be_tried_again(deaf: str, listener: socket.socket) -> None:
    listener.close()
    with pytest.raises(ConnectionFailed) as failure:
        get(f"http://{deaf}/")
    assert failure.value.message == "The server could not be reached."
    assert failure.value.retryable is True


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x00" * 100,
        b"",
        HEAD + b"Content-Length: 10\r\n\r\nhalf",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\nnot gzip",
        HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
        HEAD + b"X: y\r\n" * 200 + b"\r\n",
    ],
    ids=["ssh", "zeros", "nothing", "half", "chunks", "gzip", "long-header", "many-headers"],
)
def test_what_is_no_http_is_a_broken_connection(garbage: bytes, allowed: Serve) -> None:
    def send(connection: socket.socket, request: bytes) -> None:
        with suppress(OSError):
            connection.sendall(garbage)
            connection.shutdown(socket.SHUT_RDWR)

    server = allowed(send)
    with pytest.raises(ConnectionFailed) as failure:
        get(server.url)
    assert failure.value.message == "The connection to the server broke."


# --- TLS ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of api.example.com and its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api.example.com")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("api.example.com")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


RESOLVER = names(api_example_com=["127.0.0.1"], other_example_com=["127.0.0.1"])


def test_certificate_and_name_are_those_of_the_url_at_the_checked_address(
    allowed: Serve, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []
    tls.sni_callback = lambda line, name, context: asked.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = allowed(tls=tls)
    assert get(f"https://api.example.com:{server.port}/", resolver=RESOLVER).body == b"ok"
    assert asked == ["api.example.com"]
    assert f"Host: api.example.com:{server.port}\r\n".encode() in server.requests[0]


@pytest.mark.parametrize("host", ["other.example.com", "127.0.0.1"])
def test_certificate_of_another_name_is_refused(
    host: str, allowed: Serve, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = allowed(tls=tls)
    with pytest.raises(CertificateRefused) as failure:
        get(f"https://{host}:{server.port}/", resolver=RESOLVER, headers=[("Authorization", "Bearer tok")])
    assert (failure.value.code, failure.value.retryable) == ("certificate_refused", False)
    assert server.requests == []


def test_certificate_that_nobody_vouches_for_is_refused(allowed: Serve, tls: ssl.SSLContext) -> None:
    server = allowed(tls=tls)
    with pytest.raises(CertificateRefused):
        get(f"https://api.example.com:{server.port}/", resolver=RESOLVER)
    assert server.requests == []


def test_server_without_tls_is_a_broken_connection(deaf: str, listener: socket.socket) -> None:
    threading.Thread(target=lambda: listener.accept()[0].close()).start()
    with pytest.raises(ConnectionFailed):
        get(f"https://{deaf}/")
