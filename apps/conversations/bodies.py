"""The bytes of a webhook as JSON that the database can keep."""

import json
from typing import Any

import orjson


def decode(body: bytes) -> Any:
    """The JSON of a webhook, without what PostgreSQL's jsonb cannot keep (NUL, lone surrogates); ValueError if none."""
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            payload = json.loads(body.decode("utf-8", "replace"))
        except RecursionError:
            raise ValueError("nested too deep") from None
    return _scrub(payload) if b"\\u0000" in body or b"\\ud" in body.lower() else payload


def _scrub(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_scrub(item) for item in value]
    if isinstance(value, dict):
        return {_scrub(key): _scrub(item) for key, item in value.items()}
    return value
