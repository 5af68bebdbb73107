"""Texts with `{{ variables }}` that people write: Liquid and the blocks of Handlebars, with limits, and without any
way to the host.

Values come from customers and texts from authors, so both are hostile: only the filters and tags below exist (others
build gigabytes out of thirty characters), and what a filter and a render give is capped: half a second at worst.
"""

import functools
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from babel import numbers
from liquid import BoundTemplate, Environment
from liquid.context import RenderContext
from liquid.exceptions import FilterArgumentError, LiquidError
from liquid.token import Token
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from apps.core import handlebars, operations

MAX_SOURCE = 8_000  # characters
MAX_PARTS = 300  # outputs and tags
MAX_OUTPUT = 20_000  # bytes
MAX_LOOPS = 200  # in one render, loops in loops multiplied
MAX_BITS = 1_024  # of a whole number
MAX_BLANKS = 100  # where a part begins: the lexer's time grows with their square
MAX_WORK = 5_000_000  # characters and items that the filters of one render may be given, each as if it had 250 more

_TAGS = frozenset(
    ["output", "content", "illegal", "#", "comment", "if", "unless", "case", "for", "break", "continue", "assign"]
)
_LOCALES = frozenset(["pt_BR", "pt_PT", "en_US", "en_GB", "es_ES", "es_MX", "es_AR", "es_CO"])
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
_WORD = re.compile(r"[^\W\d][\w-]*")
_BLANKS = re.compile(rf"\{{(?:\{{|%-?\s*\w*)-?\s{{{MAX_BLANKS + 1}}}")
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
        filters: dict[str, Callable[..., Any]] = {name: self.filters[name] for name in _FILTERS}
        filters |= {"currency": _currency, "lower": filters["downcase"], "number": _number, "upper": filters["upcase"]}
        self.filters = {name: _capped(filter) for name, filter in filters.items()}
        for tag in handlebars.TAGS:
            self.add_tag(tag)

    def tokenizer(self) -> Callable[[str], Iterator[Token]]:
        """Liquid's lexer, whose outputs may be blocks."""
        lexer = super().tokenizer()
        return lambda source: handlebars.read_blocks(lexer(source))


def _number(value: Any, digits: int | None = None, locale: str = "pt-BR") -> Any:
    """A number as people write it there, 1.234,50; a whole one without cents unless digits are asked for."""
    number = operations.as_number(value)
    if not operations.is_number(number):
        return value
    if digits not in (None, *range(11)):
        raise FilterArgumentError("a number has 0 to 10 digits", token=None)
    shown = digits if digits is not None else 0 if isinstance(number, int) else 2
    pattern = "#,##0." + "0" * shown if shown else "#,##0"
    return numbers.format_decimal(_rounded(number, shown), format=pattern, locale=_locale(locale))


def _currency(value: Any, code: str = "BRL", locale: str = "pt-BR") -> Any:
    """An amount of money as people write it there: R$ 1.234,50."""
    number = operations.as_number(value)
    if not operations.is_number(number):
        return value
    if not (isinstance(code, str) and re.fullmatch(r"[A-Z]{3}", code)):
        raise FilterArgumentError("a currency has three letters, as BRL", token=None)
    return numbers.format_currency(_rounded(number, 2), code, locale=_locale(locale))


def _rounded(number: float, digits: int) -> Decimal:
    exact = Decimal(str(number))
    return exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP) if abs(exact) < 10**15 else exact


def _locale(name: str) -> str:
    locale = str(name).replace("-", "_")
    if locale not in _LOCALES:
        raise FilterArgumentError(f"there is no locale {locale[:10]!r}; there are {sorted(_LOCALES)}", token=None)
    return locale


def _capped(filter: Callable[..., Any]) -> Callable[..., Any]:
    takes_context = getattr(filter, "with_context", False)

    @functools.wraps(filter)
    def capped(value: Any, *args: Any, context: RenderContext, **keywords: Any) -> Any:
        if isinstance(value, range):  # thirty characters that make a list of millions
            raise FilterArgumentError("a range takes no filters", token=None)
        work = context.tag_namespace.get("work", 0) + 250 + (len(value) if isinstance(value, str | list) else 0)
        context.tag_namespace["work"] = work
        if work > MAX_WORK:
            raise FilterArgumentError("the filters have too much to do", token=None)
        if takes_context:
            keywords["context"] = context
        result = filter(value, *args, **keywords)
        if (isinstance(result, str | list) and len(result) > MAX_OUTPUT) or (
            isinstance(result, int) and result.bit_length() > MAX_BITS
        ):
            raise FilterArgumentError("a filter gives too much", token=None)
        return result

    capped.with_context = True  # type: ignore[attr-defined]  # Liquid's way to ask for it
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

    def names(self) -> frozenset[str]:
        """The names that it reads, with their dots, up to the first index: `order.items` of `order.items[0].price`.

        Without those that it sets itself, and those in an each block, which may be keys of the items.
        """
        if self._bound is None:
            return frozenset()
        found = self._bound.analyze(include_partials=False).globals
        return frozenset(_dotted(variable.segments) for variables in found.values() for variable in variables) - {""}

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
    if source.count("{{") + source.count("{%") > MAX_PARTS:
        raise TemplateError(f"The text cannot be read: it has more than {MAX_PARTS} parts in braces.")
    if _BLANKS.search(source):
        raise TemplateError(f"The text cannot be read: a part begins with more than {MAX_BLANKS} blanks.")
    try:
        bound = _environment.from_string(source)
        unknown = set(bound.filter_names()) - _environment.filters.keys()
    except (LiquidError, RecursionError) as error:
        raise TemplateError(f"The text cannot be read: {_first_line(error)}.") from None
    if unknown:
        raise TemplateError(f"The text cannot be read: unknown filter {min(unknown)!r}.")
    return bound


def _dotted(segments: Sequence[Any]) -> str:
    words = itertools.takewhile(lambda segment: isinstance(segment, str) and _WORD.fullmatch(segment), segments)
    return ".".join(words)


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0].rstrip(".") or type(error).__name__
