"""SQL that an author writes with variables in it: each becomes a parameter that is bound, none is ever pasted."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from apps.core.templating import Template
from apps.flows.nodes import filling

MAX_STATEMENT = 20_000  # characters

_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*|/\*(?:[^*/]|\*(?!/)|/(?!\*))*+\*/)
    | (?P<text>[eE]'(?:[^'\\]|''|\\.)*+'|'(?:[^']|'')*+')
    | (?P<name>"(?:[^"]|"")*+")
    | (?P<dollar>\$(?:[^\W\d]\w*)?\$)
    | (?P<place>\{\{[^{}]*\}\})
    | (?P<cast>::|:=)
    | (?P<word>:[^\W\d]\w*)
    | (?P<number>\$[1-9]\d{0,3})
    | (?P<mark>\?)
    | (?P<end>;)
    | (?P<open>'|"|/\*|\{\{|\{%)
    | (?P<plain>\w[\w$]*|\s+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_WHOLE = re.compile(r"'(\{\{[^{}']*\}\})'")
_OPEN = {"'": "a quote", '"': "a double quote", "/*": "a comment", "{{": "a placeholder", "{%": "a tag"}
_READS = frozenset(["select", "with", "values", "table"])


class Statement(BaseModel):
    """A statement in which `%(p1)s` and so on stand for values that are bound; without any, a `%` is but a `%`."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    text: str
    places: dict[str, Any]
    """What each of them is: a Template, or plain JSON."""

    def parameters(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The values to bind; an unknown variable is NULL."""
        return {name: _bindable(place, variables) for name, place in self.places.items()}


@dataclass(frozen=True)
class _Places:
    """The parameters so far, by what they stand for."""

    found: dict[Any, str]
    values: dict[str, Any]

    def bind(self, key: Any, value: Any) -> str:
        if key not in self.found:
            self.found[key] = f"p{len(self.found) + 1}"
            self.values[self.found[key]] = value
        return f"%({self.found[key]})s"


def read(source: str, given: Mapping[str, Any] | Sequence[Any]) -> Statement:
    """The statement, with the parameters that are given by name or in their order; ValueError says what is wrong."""
    if len(source) > MAX_STATEMENT:
        raise ValueError(f"a statement has {MAX_STATEMENT:,} characters at most")
    tokens = list(_tokens(source))
    if next((words.lower() for _, words in tokens if words[0].isalpha()), "") not in _READS:
        raise ValueError("a statement that reads begins with SELECT, WITH, VALUES or TABLE")
    places = _Places({}, {})
    text = "".join(_rewrite(tokens, given, places)).strip()
    return Statement(text=text if places.values else text.replace("%%", "%"), places=places.values)


def _tokens(source: str) -> Iterator[tuple[str | None, str]]:
    """The kinds and words of the statement; ValueError where it opens something that it does not close."""
    position = 0
    while token := _TOKEN.match(source, position):
        kind, position = token.lastgroup, token.end()
        if kind == "open":
            raise ValueError(f"{_OPEN[token[0]]} is opened that cannot be, or is never closed")
        if kind == "dollar":
            close = source.find(token[0], position)
            if close < 0:
                raise ValueError(f"the quote {token[0][:20]} is never closed")
            position = close + len(token[0])
        yield kind, source[token.start() : position]


def _rewrite(
    tokens: Sequence[tuple[str | None, str]], given: Mapping[str, Any] | Sequence[Any], places: _Places
) -> Iterator[str]:
    named = given if isinstance(given, Mapping) else {}
    listed = () if isinstance(given, Mapping) else given
    numbered = any(kind == "number" for kind, _ in tokens)
    marks, ended = 0, False
    for kind, words in tokens:
        if ended and kind != "comment" and words.strip():
            raise ValueError("one statement at a time: something follows the semicolon")
        match kind:
            case "text" if whole := _WHOLE.fullmatch(words):
                yield _place(whole[1], places)
            case "text" | "name" | "dollar":
                yield _literal(words)
            case "place":
                yield _place(words, places)
            case "word" if words[1:] in named:
                yield places.bind(words[1:], named[words[1:]])
            case "number" if listed:
                yield _nth(int(words[1:]), listed, places)
            case "mark" if listed and not numbered:
                marks += 1
                yield _nth(marks, listed, places)
            case "end":
                ended = True
            case _:
                yield words.replace("%", "%%")


def _literal(words: str) -> str:
    if "{{" in words or "{%" in words:
        raise ValueError("a placeholder cannot stand inside quotes: write it outside the quotes, as in '%' || {{x}}")
    return words.replace("%", "%%")


def _place(words: str, places: _Places) -> str:
    return places.bind(("{{", words.strip("{}").strip()), Template(words))


def _nth(number: int, listed: Sequence[Any], places: _Places) -> str:
    if number > len(listed):
        raise ValueError(f"there is no parameter number {number}")
    return places.bind(number, listed[number - 1])


def _bindable(place: Any, variables: Mapping[str, Any]) -> Any:
    return filling.look_up(place, variables, None) if isinstance(place, Template) else filling.fill(place, variables)
