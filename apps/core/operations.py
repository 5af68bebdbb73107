"""What the operators and functions of expressions do with values.

A number and a text that reads as a number are both numbers where they meet. What does not fit is a TypeError or
ValueError in words for the author, and so is a value beyond the limits.
"""

import json
import math
import operator
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

MAX_TEXT = 20_000  # characters
MAX_ITEMS = 5_000  # of a list
MAX_BITS = 1_024  # of a whole number

_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,15}(?:[.,][0-9]{1,15})?\s*")
_KINDS = {str: "a text", bool: "true or false", list: "a list", dict: "an object", type(None): "nothing"}


def limit(value: Any) -> Any:
    """The value, if it is within the limits; a whole number without its point."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a number is too large")
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if (
        (isinstance(value, str) and len(value) > MAX_TEXT)
        or (isinstance(value, list) and len(value) > MAX_ITEMS)
        or (isinstance(value, int) and value.bit_length() > MAX_BITS)
    ):
        raise ValueError("a value is too large")
    return value


def weigh(value: Any, most: int) -> None:
    """Refuse a value of more characters and items than that, and one that is no JSON."""
    rest = [value]
    while rest:
        match rest.pop():
            case str(text):
                most -= len(text)
            case list(items):
                most -= len(items)
                rest.extend(items)
            case dict(items):
                most -= len(items)
                rest.extend(items.values())
            case None | bool() | int() | float():
                pass
            case other:
                raise TypeError(f"{type(other).__name__} is no plain value")
        if most < 0:
            raise ValueError("a value is too large")


def equal(left: Any, right: Any) -> bool:
    """Whether both are the same."""
    left, right = _meet(left, right)
    return bool(left == right)


def less(left: Any, right: Any) -> bool:
    """Whether the number, or the text, comes first."""
    left, right = _meet(left, right)
    if (is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
        return bool(left < right)
    raise TypeError(f"{_kind(left)} and {_kind(right)} cannot be compared")


def contained(item: Any, container: Any) -> bool:
    """Whether it is an item of a list, a key of an object or a part of a text."""
    if isinstance(container, list):
        return any(equal(item, other) for other in limit(container))
    if isinstance(container, dict):
        return _text(item) in container
    return _text(item) in _text(container)


def add(left: Any, right: Any) -> Any:
    """The sum of numbers; one list after another; anything written behind a text, or a text behind anything."""
    left, right = _meet(left, right)
    if isinstance(left, list) and isinstance(right, list):
        return limit(left + right)
    if isinstance(left, str) or isinstance(right, str):
        return limit(_text(left) + _text(right))
    return _calculate(operator.add, "+", left, right)


def negate(value: Any) -> Any:
    """The number below zero."""
    return _calculate(operator.sub, "-", 0, value)


def subtract(left: Any, right: Any) -> Any:
    """The difference."""
    return _calculate(operator.sub, "-", left, right)


def multiply(left: Any, right: Any) -> Any:
    """The product."""
    return _calculate(operator.mul, "*", left, right)


def divide(left: Any, right: Any) -> Any:
    """The quotient, with what follows the point."""
    return _calculate(operator.truediv, "/", left, right)


def divide_down(left: Any, right: Any) -> Any:
    """The whole quotient."""
    return _calculate(operator.floordiv, "//", left, right)


def remainder(left: Any, right: Any) -> Any:
    """What is left of a division."""
    return _calculate(operator.mod, "%", left, right)


def power(left: Any, right: Any) -> Any:
    """The power."""
    return _calculate(_power, "**", left, right)


def _calculate(function: Callable[[Any, Any], Any], sign: str, left: Any, right: Any) -> Any:
    left, right = as_number(left), as_number(right)
    if not (is_number(left) and is_number(right)):
        raise TypeError(f"{_kind(left)} {sign} {_kind(right)} cannot be calculated")
    return limit(function(left, right))


def _power(base: Any, exponent: Any) -> Any:
    if abs(exponent) > MAX_BITS or (isinstance(base, int) and base.bit_length() * exponent > MAX_BITS):
        raise ValueError("a value is too large")
    if base < 0 and not isinstance(exponent, int):
        raise ValueError("a negative number has no root")
    try:
        return base**exponent
    except OverflowError:
        raise ValueError("a number is too large") from None


def is_number(value: Any) -> bool:
    """Whether it is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_number(value: Any) -> Any:
    """The number that a text reads as; what is no such text, as it is."""
    return limit(float(value.replace(",", "."))) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


def _meet(left: Any, right: Any) -> tuple[Any, Any]:
    """Both as numbers if one is and the other reads as one."""
    if is_number(left):
        return left, as_number(right)
    return (as_number(left), right) if is_number(right) else (left, right)


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "a number")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    weigh(value, MAX_TEXT)
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _to_number(value: Any) -> Any:
    number = as_number(value)
    if not is_number(number):
        raise ValueError(f"{_text(value)[:50]!r} is no number")
    return number


def _round(value: Any, digits: int = 0) -> Any:
    """Halves go up, as at school; Python's own go to the even neighbour."""
    if digits not in range(11):
        raise ValueError("a number is rounded to 0 to 10 digits")
    number = _to_number(value)
    if isinstance(number, int) or abs(number) >= 2**53:
        return number
    return limit(float(Decimal(str(number)).quantize(Decimal(1).scaleb(-int(digits)), ROUND_HALF_UP)))


def _numbers(values: tuple[Any, ...]) -> list[Any]:
    """Numbers given one by one, or as one list."""
    given = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
    return [_to_number(value) for value in limit(given)]


def _join(items: list[Any], separator: str = ", ") -> str:
    if not isinstance(items, list):
        raise TypeError(f"{_kind(items)} cannot be joined")
    return limit(_text(separator).join(_text(item) for item in limit(items)))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": lambda value: abs(_to_number(value)),
    "ceil": lambda value: math.ceil(_to_number(value)),
    "contains": lambda container, item: contained(item, container),
    "floor": lambda value: math.floor(_to_number(value)),
    "int": lambda value: int(_to_number(value)),
    "join": _join,
    "len": len,
    "lower": lambda value: _text(value).lower(),
    "max": lambda *values: max(_numbers(values)),
    "min": lambda *values: min(_numbers(values)),
    "number": _to_number,
    "round": _round,
    "split": lambda value, separator=None: limit(_text(value).split(separator)),
    "str": _text,
    "sum": lambda *values: limit(sum(_numbers(values))),
    "trim": lambda value: _text(value).strip(),
    "upper": lambda value: _text(value).upper(),
}
