"""What log lines hold: ids, never words or numbers of people."""

import traceback
from typing import Any

import orjson


def frames(exc_info: Any) -> str:
    """Where an error arose, and the types of it and its causes, without their words: PostgreSQL quotes whole rows."""
    error, parts = exc_info[1], []
    while error is not None:
        parts.append("".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nwhich came of\n".join(parts)


def dumps(entry: dict[str, Any], **_: object) -> str:
    """One log line as JSON; what JSON does not know is written as its text."""
    return orjson.dumps(entry, default=str).decode()
