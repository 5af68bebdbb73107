"""Where a URL leads, and whether a tenant's request may go there: to the public internet, or as EGRESS_ALLOW says."""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote

from django.conf import settings
from rest_framework import status

from apps.core.errors import DomainError

DEFAULT_PORTS = {"http": 80, "https": 443}

Address = IPv4Address | IPv6Address

_URL = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.IGNORECASE | re.ASCII)
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DOTTED = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

# Names that only ever mean something inside, metadata services among them.
_INSIDE = (
    *("localhost", "local", "internal", "intranet", "lan", "home.arpa"),
    *("metadata", "metadata.goog", "instance-data"),
)
_REFUSED_IPV4 = [
    ipaddress.IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # a cloud's own service to its machines, at a public address
    )
]
# Of IPv6 only the addresses that networks were given pass; every form that carries an IPv4 address lies outside them.
_GIVEN_IPV6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_IPV6 = [ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]


class EgressError(DomainError):
    """A request did not go out, or its answer did not come in; the words are fit for a tenant.

    `retryable`: the same request may fare better later. One that timed out or broke may have been taken, unless it
    `is_unsent`: then no server was told anything of it.
    """

    status: int = status.HTTP_424_FAILED_DEPENDENCY
    code = "request_failed"
    retryable = False
    is_unsent = False


class InvalidRequest(EgressError):
    """It can never be sent as it is."""

    status = status.HTTP_400_BAD_REQUEST
    code = "invalid_request"


class AddressRefused(EgressError):
    """The address is not one of the public internet, nor in EGRESS_ALLOW. Which address it is, is not told."""

    status = status.HTTP_400_BAD_REQUEST
    code = "address_refused"

    def __init__(self) -> None:
        super().__init__("This address is not allowed.")


@dataclass(frozen=True)
class Origin:
    """Where a URL leads; `host` is lower case, an IPv6 address without its brackets."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def is_among(self, hosts: Collection[str]) -> bool:
        """Whether it is one of these, each `host:port`, or `host` for the port that the scheme stands for."""
        return str(self) in hosts or _pair(self.host, self.port) in hosts


def parse(url: str) -> tuple[Origin, str]:
    """Where a URL leads, and what is asked for there: what is parsed here is what is connected to.

    InvalidRequest if it is no URL of ours, AddressRefused for an odd way to write an address.
    """
    parts = None if _CONTROL.search(url) else _URL.fullmatch(url.strip())
    authority = _AUTHORITY.fullmatch(parts[2].lower()) if parts and parts[2].isascii() else None
    if not parts or not authority:
        raise InvalidRequest("This is not the address of a web server: http or https, and no password in it.")
    scheme = parts[1].lower()
    port = int(authority[2] or DEFAULT_PORTS[scheme])
    if not 0 < port < 65536:
        raise InvalidRequest("There is no such port.")
    path = quote(parts[3] or "/", safe="!$%&'()*+,/:;=@", errors="replace")
    query = quote(parts[4] or "", safe="!$%&'()*+,/:;=@?[]", errors="replace")
    return Origin(scheme, _host(authority[1]), port), path + query


def check(url: str) -> None:
    """Refuse a URL that can never be asked, at no look-up: what its name leads to is checked when it is asked."""
    check_name(parse(url)[0])


def check_name(origin: Origin) -> None:
    """AddressRefused if whatever the name leads to is refused."""
    address = literal(origin.host)
    if address is not None:
        if not permits(origin, address):
            raise AddressRefused
    elif _is_inside(origin.host) and not any(entry.endswith(f":{origin.port}") for entry in _exempt()):
        raise AddressRefused


def permits(origin: Origin, address: Address) -> bool:
    """Whether a request to that host may connect to this address."""
    if is_exempt(origin) or _pair(str(address), origin.port) in _exempt():
        return True
    return _is_public(address) and not _is_inside(origin.host)


def is_exempt(origin: Origin) -> bool:
    """Whether the operator names this very host and port in EGRESS_ALLOW."""
    return _pair(origin.host, origin.port) in _exempt()


def literal(host: str) -> Address | None:
    """The address that a host is, if it is one and not a name."""
    if ":" not in host and not _DOTTED.fullmatch(host):
        return None
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _host(written: str) -> str:
    if written.startswith("["):
        try:
            return str(IPv6Address(written[1:-1]))
        except ValueError:
            raise InvalidRequest("This is not an IPv6 address.") from None
    labels = written.split(".")
    if len(written) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidRequest("This is not the name of a server.")
    if _NUMBER.fullmatch(labels[-1]) and literal(written) is None:
        raise AddressRefused  # decimal, octal, hexadecimal or short: systems disagree on what it means
    return written


def _pair(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _exempt() -> set[str]:
    return {entry.strip().lower() for entry in settings.EGRESS_ALLOW}


def _is_inside(host: str) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in _INSIDE)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _REFUSED_IPV4)
    return address in _GIVEN_IPV6 and not any(address in network for network in _REFUSED_IPV6)
