"""What the world answered, made plain: JSON that PostgreSQL stores and templates read."""

import datetime
import decimal
import ipaddress
import math
import uuid
from collections.abc import Mapping
from typing import Any

DEPTH = 64
"""Levels of lists and objects within each other that are kept."""
TOO_DEEP = f"The value has more than {DEPTH} levels within each other."


class NotPlain(ValueError):
    """There is something in the value that JSON cannot say; the words are for the flow's author."""


def value(raw: Any, *, depth: int = DEPTH) -> Any:
    """The value as JSON that every reader understands, in 64 bits and without what PostgreSQL refuses.

    Dates are ISO 8601, decimals numbers, longer integers texts.
    """
    match raw:
        case None | bool():
            return raw
        case int():
            return raw if raw.bit_length() < 64 else str(raw)
        case float():
            return raw if math.isfinite(raw) else None
        case str():
            return text(raw)
        case decimal.Decimal():
            if not raw.is_finite():
                return None
            if raw == raw.to_integral_value():
                return int(raw) if raw.adjusted() < 18 else f"{raw:f}"
            return value(float(raw))
        case datetime.datetime() | datetime.date() | datetime.time():
            return raw.isoformat()
        case uuid.UUID() | datetime.timedelta() | ipaddress.IPv4Address() | ipaddress.IPv6Address():
            return str(raw)
        case Mapping() | list() | tuple() if depth == 0:
            raise NotPlain(TOO_DEEP)
        case Mapping():
            return {text(str(key)): value(item, depth=depth - 1) for key, item in raw.items()}
        case list() | tuple():
            return [value(item, depth=depth - 1) for item in raw]
    raise NotPlain(f"A value of the type {type(raw).__name__} cannot be kept.")


def text(raw: str) -> str:
    """The text without NUL and without halves of characters, neither of which PostgreSQL stores."""
    return raw.replace("\0", "").encode("utf-8", "replace").decode()
