"""How the values of a flow read: as numbers, as yes or no, as text."""

import json
import math
import re
import unicodedata
from typing import Any

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:[.,][0-9]{1,15})?")
YES = frozenset(["yes", "y", "true", "sim", "s", "sí", "si"])
NO = frozenset(["no", "n", "false", "não", "nao"])


def number(value: Any) -> int | float | None:
    """The value as a number, with point or comma; None if it is none."""
    if isinstance(value, str):
        value = float(value.strip().replace(",", ".")) if _NUMBER.fullmatch(value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() else value
    return value


def truth(value: Any) -> bool | None:
    """The value as yes or no, in English, Portuguese or Spanish; None if it is neither."""
    word = fold(value)
    return True if word in YES else False if word in NO else None


def text(value: Any) -> str:
    """The value in words."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False)


def fold(value: Any) -> str:
    """The value in words that compare equal whatever their case and the blanks around them."""
    return text(value).strip().casefold()


def is_empty(value: Any) -> bool:
    """Whether there is nothing in the value: no words, no items."""
    return value is None or (isinstance(value, str | list | dict) and not value) or not text(value).strip()


def plain(value: Any) -> str:
    """The value's words without case, accents, punctuation at the ends and double blanks, to be compared."""
    words = " ".join(text(value).casefold().split()).strip(" .,;:!?¡¿…")
    letters = unicodedata.normalize("NFKD", words)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
