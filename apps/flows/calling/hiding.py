"""Keeps secrets out of what is told: an API may well repeat the one that it was sent."""

import base64
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "[secret]"


def forms(secrets: Iterable[str]) -> tuple[str, ...]:
    """The secrets, and the texts that they are written as on their way; the longest first, for it may hold others."""
    written = {
        form
        for secret in secrets
        for form in (
            secret,
            quote(secret, safe=""),
            quote_plus(secret),
            json.dumps(secret)[1:-1],
            base64.b64encode(secret.encode()).decode(),
        )
        if form
    }
    return tuple(sorted(written, key=lambda form: (-len(form), form)))


def hide(value: Any, hidden: tuple[str, ...]) -> Any:
    """The JSON value without those texts, in names and numbers as well."""
    match value:
        case str():
            for text in hidden:
                value = value.replace(text, HIDDEN)
            return value
        case dict():
            return {hide(name, hidden): hide(item, hidden) for name, item in value.items()}
        case list():
            return [hide(item, hidden) for item in value]
        case bool() | None:
            return value
    return HIDDEN if str(value) in hidden else value
