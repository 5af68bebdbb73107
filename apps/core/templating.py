"""Texts with `{{ variables }}` that people write: Liquid, with limits, and without any way to the host.

Values come from customers and texts from authors, so both are hostile: only the filters and tags below exist (others
build gigabytes out of thirty characters), and what a filter and a render give is capped: half a second at worst.
"""

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

from liquid import BoundTemplate, Environment
from liquid.exceptions import FilterArgumentError, LiquidError
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

MAX_SOURCE = 8_000  # characters
MAX_OUTPUT = 20_000  # bytes
MAX_LOOPS = 200  # in one render, loops in loops multiplied
MAX_BITS = 1_024  # of a whole number

_TAGS = frozenset(
    ["output", "content", "illegal", "#", "comment", "if", "unless", "case", "for", "break", "continue", "assign"]
)
_FILTERS = frozenset(
    [
        "abs",
        "append",
        "at_least",
        "at_most",
        "capitalize",
        "ceil",
        "date",
        "default",
        "divided_by",
        "downcase",
        "first",
        "floor",
        "join",
        "last",
        "lstrip",
        "minus",
        "modulo",
        "plus",
        "prepend",
        "remove",
        "round",
        "rstrip",
        "size",
        "slice",
        "split",
        "squish",
        "strip",
        "times",
        "truncate",
        "truncatewords",
        "upcase",
        "url_encode",
    ]
)
_PATH = re.compile(r"[^\W\d][\w-]*(?:\.[\w-]+|\[\d{1,6}\])*")


class TemplateError(ValueError):
    """A template cannot be read, or cannot be rendered within its limits."""


class _Environment(Environment):
    loop_iteration_limit = MAX_LOOPS
    output_stream_limit = MAX_OUTPUT
    local_namespace_limit = MAX_OUTPUT
    shorthand_indexes = True

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        self.tags = {name: tag for name, tag in self.tags.items() if name in _TAGS}
        self.filters = {name: _capped(filter) for name, filter in self.filters.items() if name in _FILTERS}


def _capped(filter: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(filter)
    def capped(value: Any, *args: Any, **keywords: Any) -> Any:
        if isinstance(value, range):  # thirty characters that make a list of millions
            raise FilterArgumentError("a range takes no filters", token=None)
        result = filter(value, *args, **keywords)
        if (isinstance(result, str | list) and len(result) > MAX_OUTPUT) or (
            isinstance(result, int) and result.bit_length() > MAX_BITS
        ):
            raise FilterArgumentError("a filter gives too much", token=None)
        return result

    return capped


_environment = _Environment()


class Template:
    """A text that is read once and rendered often; a pydantic type too."""

    __slots__ = ("_bound", "source")

    def __init__(self, source: str) -> None:
        """Read the source; TemplateError says where it is wrong."""
        self.source = source
        if len(source) > MAX_SOURCE:
            raise TemplateError(f"The text is longer than {MAX_SOURCE} characters.")
        self._bound = _read(source) if "{{" in source or "{%" in source else None

    def render(self, variables: Mapping[str, Any]) -> str:
        """The text with the variables in it; unknown names are empty. TemplateError where a limit is passed."""
        if self._bound is None:
            return self.source
        try:
            return self._bound.render(variables)
        except (LiquidError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise TemplateError(f"The text cannot be rendered: {_first_line(error)}.") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"Template({self.source!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source_type: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


class Path:
    """A variable's name with dots and indexes, `order.items[0].price`, with or without braces; a pydantic type too."""

    __slots__ = ("_steps", "source")

    def __init__(self, source: str) -> None:
        """Read the name; TemplateError if it is none."""
        self.source = source.strip().removeprefix("{{").removesuffix("}}").strip()
        if not _PATH.fullmatch(self.source):
            raise TemplateError(f"{source[:50]!r} is not the name of a variable.")
        self._steps = re.split(r"[.\[\]]+", self.source.rstrip("]"))

    def find(self, variables: Mapping[str, Any]) -> Any:
        """The value; LookupError if there is none."""
        return functools.reduce(_step, self._steps, variables)

    @classmethod
    def __get_pydantic_core_schema__(cls, source_type: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


def _step(value: Any, step: str) -> Any:
    if isinstance(value, Mapping):
        return value[step]
    if isinstance(value, list) and step.isdecimal():
        return value[int(step)]
    raise LookupError(step)


def _read(source: str) -> BoundTemplate:
    try:
        bound = _environment.from_string(source)
        unknown = set(bound.filter_names()) - _FILTERS
    except (LiquidError, RecursionError) as error:
        raise TemplateError(f"The text cannot be read: {_first_line(error)}.") from None
    if unknown:
        raise TemplateError(f"The text cannot be read: unknown filter {min(unknown)!r}.")
    return bound


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0].rstrip(".") or type(error).__name__
