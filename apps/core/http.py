"""The one door out: every HTTP request to an address that a user can set.

Nothing is looked up between the check and the connection: the address that was checked is the one that is connected
to, at every hop. Proxies, cookies and passwords of the environment play no part.
"""

import functools
import ipaddress
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from http.client import HTTPException
from urllib.parse import urlencode, urljoin

import certifi
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from apps.core import addresses
from apps.core.addresses import AddressRefused, EgressError, InvalidRequest, Origin

MAX_BYTES = 1024 * 1024
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})

Headers = Iterable[tuple[str, str]]
Resolver = Callable[[str, int], Sequence[str]]
"""The addresses of a name and a port; OSError if there are none."""

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

# The connection and its framing are ours to say.
_OURS = frozenset(
    {
        *("host", "connection", "content-length", "transfer-encoding", "accept-encoding", "te", "trailer", "upgrade"),
        *("expect", "keep-alive", "proxy-authorization", "proxy-connection"),
    }
)
_TELLS_NOTHING = frozenset({"accept", "accept-language", "user-agent"})


class HostRefused(EgressError):
    """A request that carries something for some hosts only was on its way to another."""

    code = "host_refused"

    def __init__(self) -> None:
        super().__init__("This request may not go to another host.")


class Unresolvable(EgressError):
    code, retryable, is_unsent = "unresolvable", True, True


class TimedOut(EgressError):
    code, retryable = "timeout", True


class ConnectionFailed(EgressError):
    code, retryable = "connection_failed", True


class Unreachable(ConnectionFailed):
    is_unsent = True


class CertificateRefused(EgressError):
    code = "certificate_refused"


class TooLarge(EgressError):
    code = "too_large"


class TooManyRedirects(EgressError):
    code = "too_many_redirects"


@dataclass(frozen=True)
class Answer:
    """What a server said; `headers` are found in any case, `url` is where the last redirect led."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


def resolve(host: str, port: int) -> list[str]:
    """The addresses that the system knows for a name."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def request(
    *,
    method: str,
    url: str,
    headers: Headers = (),
    params: Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
    timeout: float,
    max_bytes: int = MAX_BYTES,
    redirects: int = 5,
    allowed_hosts: Collection[str] | None = None,
    resolver: Resolver = resolve,
) -> Answer:
    """Ask a server, within `timeout` seconds for everything, and follow its redirects; EgressError says what failed.

    Another origin than the first is told neither headers nor body. A request that carries a secret names its
    `allowed_hosts` (as in `Origin.is_among`): going anywhere else is HostRefused. The answer may have `max_bytes`,
    unpacked. With `redirects=0` a redirect is itself the answer.
    """
    clock = _Clock(timeout)
    hop = _first_hop(method, url, headers, params, body)
    for left in range(redirects, -1, -1):
        if allowed_hosts is not None and not hop.origin.is_among(allowed_hosts):
            raise HostRefused
        try:
            answer = _exchange(hop, clock, max_bytes=max_bytes, resolver=resolver)
        except EgressError as error:
            error.is_unsent = error.is_unsent and left == redirects  # not if a server has redirected it
            raise
        location = answer.headers.get("location") if answer.status in HTTPResponse.REDIRECT_STATUSES else None
        if location is None or not redirects:
            return answer
        if left:
            hop = _follow(hop, answer.status, location)
    raise TooManyRedirects("The server redirects too often.")


@dataclass(frozen=True)
class _Hop:
    origin: Origin
    target: str
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None

    @property
    def url(self) -> str:
        return f"{self.origin.scheme}://{self.origin}{self.target}"


class _Clock:
    """The time that one request has, all hops together."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise TimedOut("The server did not answer in time.")
        return seconds

    @contextmanager
    def cutting(self, line: socket.socket) -> Iterator[None]:
        """End the line when the time is over, whatever it is busy with: a server may drip a byte a second for ever."""
        watched = line.dup()  # TLS takes the socket itself over
        timer = threading.Timer(self.left(), _end, [watched])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            watched.close()


def _end(line: socket.socket) -> None:
    with suppress(OSError):  # the other side was faster
        line.shutdown(socket.SHUT_RDWR)


def _first_hop(method: str, url: str, headers: Headers, params: Iterable[tuple[str, str]], body: bytes | None) -> _Hop:
    if method not in METHODS:
        raise InvalidRequest("There is no such HTTP method.")
    start, target = addresses.parse(url)
    if query := urlencode(list(params), errors="replace"):
        target += f"{'&' if '?' in target else '?'}{query}"
    return _Hop(start, target, method, tuple(_sendable(headers)), body or None)


def _sendable(headers: Headers) -> Iterator[tuple[str, str]]:
    named = False
    for name, value in headers:
        if not _HEADER_NAME.fullmatch(name) or _CONTROL.search(value.replace("\t", " ")):
            raise InvalidRequest("A header's name or value holds what no header may.")
        if name.lower() not in _OURS:
            named = named or name.lower() == "user-agent"
            yield name, value.strip().encode(errors="replace").decode("latin-1")  # on the wire it is UTF-8
    if not named:
        yield "User-Agent", "Recado"


def _addresses(origin: Origin, resolver: Resolver, clock: _Clock) -> list[str]:
    """The addresses of a host that may be connected to; AddressRefused if there is none."""
    addresses.check_name(origin)
    found = [origin.host] if addresses.literal(origin.host) else _look_up(origin, resolver, clock)
    allowed = [address for address in found if addresses.permits(origin, ipaddress.ip_address(address))]
    if not allowed:
        raise AddressRefused
    return allowed


def _look_up(origin: Origin, resolver: Resolver, clock: _Clock) -> Sequence[str]:
    """Ask the resolver in a thread of its own: it keeps to no time, and cannot be stopped."""
    found: Future[Sequence[str]] = Future()

    def look_up() -> None:
        try:
            found.set_result(resolver(origin.host, origin.port))
        except OSError as error:
            found.set_exception(error)

    threading.Thread(target=look_up, daemon=True).start()
    try:
        return found.result(timeout=clock.left())
    except TimeoutError:
        raise TimedOut("The server's name was not found in time.") from None
    except OSError:
        raise Unresolvable("There is no server of this name.") from None


def _dial(origin: Origin, resolver: Resolver, clock: _Clock) -> socket.socket:
    found = _addresses(origin, resolver, clock)
    for index, address in enumerate(found):
        with suppress(OSError):  # the next one may answer
            line = socket.create_connection((address, origin.port), timeout=clock.left() / (len(found) - index))
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.settimeout(clock.left())
            return line
    clock.left()
    raise Unreachable("The server could not be reached.")


@functools.cache
def _tls(authorities: str | None) -> ssl.SSLContext:
    """Whose certificates are believed: the public authorities', and those of a file of the operator's."""
    context = ssl.create_default_context(cafile=certifi.where())
    if authorities:
        context.load_verify_locations(authorities)
    return context


def _exchange(hop: _Hop, clock: _Clock, *, max_bytes: int, resolver: Resolver) -> Answer:
    with (
        _dial(hop.origin, resolver, clock) as line,
        clock.cutting(line),
        closing(HTTPConnection(hop.origin.host, hop.origin.port, timeout=clock.left())) as connection,
    ):
        try:
            connection.sock = line
            if hop.origin.scheme == "https":
                tls = _tls(os.environ.get("SSL_CERT_FILE"))
                connection.sock = tls.wrap_socket(line, server_hostname=hop.origin.host)
            answer = _converse(connection, hop, max_bytes)
        except ssl.SSLCertVerificationError as error:
            raise CertificateRefused("The server's certificate is not valid for this name.") from error
        except (OSError, HTTPException, HTTPError) as error:
            clock.left()
            raise ConnectionFailed("The connection to the server broke.") from error
    clock.left()  # cut off, an answer that ends with its connection looks complete
    return answer


def _converse(connection: HTTPConnection, hop: _Hop, max_bytes: int) -> Answer:
    headers = {"Host": str(hop.origin), "Accept-Encoding": "gzip, deflate", "Connection": "close", **dict(hop.headers)}
    connection.request(hop.method, hop.target, body=hop.body, headers=headers, preload_content=False)
    with closing(connection.getresponse()) as response:
        body = bytearray()
        while chunk := response.read(min(65536, max_bytes + 1 - len(body)), decode_content=True):
            body += chunk
            if len(body) > max_bytes:
                raise TooLarge(f"The answer is larger than {max_bytes} bytes.")
        return Answer(response.status, response.headers, bytes(body), hop.url)


def _follow(hop: _Hop, status: int, location: str) -> _Hop:
    """The next request of a redirect, as browsers make it, but for what it tells another origin."""
    try:
        start, target = addresses.parse(urljoin(hop.url, location.encode("latin-1").decode(errors="replace")))
    except ValueError:  # of urljoin: no address at all
        raise InvalidRequest("The server redirects to what is no address.") from None
    if (status == 303 and hop.method != "HEAD") or (status in (301, 302) and hop.method == "POST"):
        kept = tuple(header for header in hop.headers if not header[0].lower().startswith("content-"))
        hop = replace(hop, method="GET", headers=kept, body=None)
    if start != hop.origin:
        if hop.body is not None:
            raise HostRefused
        hop = replace(hop, headers=tuple(header for header in hop.headers if header[0].lower() in _TELLS_NOTHING))
    return replace(hop, origin=start, target=target)
