"""By what failed sign-ins are counted: the e-mail and the caller's address, as neither can be dressed up."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def name_of(request: HttpRequest, credentials: dict[str, str] | None = None) -> str:
    """The e-mail as it is stored: spelling it otherwise wins no new attempts."""
    source = credentials or request.POST
    return str(source.get("username", "")).strip().lower()


def address_of(request: HttpRequest) -> str | None:
    """The address that the outermost of our PROXY_COUNT proxies saw; without proxies, the connection's.

    Only the last PROXY_COUNT entries of X-Forwarded-For were written by our proxies: all before is the caller's word.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    connection = request.META.get("REMOTE_ADDR", "")
    seen = forwarded[-settings.PROXY_COUNT] if 0 < settings.PROXY_COUNT <= len(forwarded) else connection
    return _parsed(seen) or _parsed(connection)


def _parsed(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text.strip().partition("%")[0]))
    except ValueError:
        return None
