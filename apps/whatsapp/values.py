"""Values as webhooks carry them: whatever comes, these answer something of the expected type and never raise."""

import time
from datetime import UTC, datetime
from typing import Any

_MILLISECONDS = 100_000_000_000  # more than this counts milliseconds: in seconds it would be the year 5138
_DAY = 86_400


def text(value: Any) -> str:
    """Text as it is, a number as its digits, anything else as nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def mapping(value: Any) -> dict[str, Any]:
    """An object, or an empty one."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[dict[str, Any]]:
    """The objects in a list, or none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def moment(value: Any) -> datetime | None:
    """A Unix time (seconds or milliseconds, number or text) in the past; None if it is broken."""
    try:
        seconds = float(text(value))
        if seconds > _MILLISECONDS:
            seconds /= 1000
        # a time to come would hold the customer service window open
        if not 0 < seconds < time.time() + _DAY:
            return None
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError):
        return None
