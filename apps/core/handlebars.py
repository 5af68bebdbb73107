"""The blocks of Handlebars, `{{#each}}`, `{{#if}}` and `{{#unless}}`, for Liquid.

They are read where Liquid's lexer has found an output, `{{ ... }}`, so that what looks like a block within a text, a
comment or a value is none. The tags that they become bear names that no Liquid tag can have: `#each`, `/each`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

from liquid import TokenStream
from liquid.ast import BlockNode, ConditionalBlockNode, Node
from liquid.builtin.expressions import BooleanExpression, FilteredExpression
from liquid.builtin.tags.for_tag import ForLoop
from liquid.builtin.tags.if_tag import IfNode
from liquid.context import RenderContext
from liquid.exceptions import BreakLoop, ContinueLoop, LiquidSyntaxError
from liquid.expression import Expression
from liquid.parser import get_parser
from liquid.tag import Tag
from liquid.token import TOKEN_CONTENT, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG, Token
from liquid.undefined import is_undefined

_BLOCK = re.compile(r"([#/])\s*([^\s(]*)\s*(.*)", re.DOTALL)
_ELSE = re.compile(r"else(?:\s+if\s+(.+))?", re.DOTALL)
_LOOP_NAME = re.compile(r"(@(?:index|first|last|key))\b")
_REST_OF_LINE = re.compile(r"[ \t]*(?:\r?\n|\Z)")
_START_OF_LINE = re.compile(r"(?:\A|\n)[ \t]*\Z")


def read_blocks(tokens: Iterable[Token]) -> Iterator[Token]:
    """The tokens of Liquid's lexer, those of blocks made tags; a line that holds nothing but one is no line."""
    given = list(tokens)
    blocks = _find_blocks(given)
    alone = {at for at in blocks if _stands_alone(given, at)}
    for at, token in enumerate(given):
        if token.kind == TOKEN_CONTENT:
            value = _REST_OF_LINE.sub("", token.value, count=1) if at - 1 in alone else token.value
            value = value.rstrip(" \t") if at + 2 in alone else value
            if value:
                yield token._replace(value=value)
        elif at in blocks:
            yield from blocks[at]
        elif token.kind != TOKEN_OUTPUT or at + 1 not in blocks:
            yield _named(token, token.value) if token.kind == TOKEN_EXPRESSION else token


def _find_blocks(given: list[Token]) -> dict[int, list[Token]]:
    """The tags of each expression that opens, parts or closes a block; those that do not match are an error."""
    blocks: dict[int, list[Token]] = {}
    opened: list[Token] = []
    for at, token in enumerate(given):
        if not (at and given[at - 1].kind == TOKEN_OUTPUT):
            continue
        if found := _BLOCK.fullmatch(token.value):
            sign, name, argument = found.groups()
            if name not in _NAMES:
                known = ", ".join(sorted(_NAMES))
                raise LiquidSyntaxError(f"there is no block {name!r}; there are {known}", token=token)
            if sign == "#":
                opened.append(token._replace(value=name))
            elif not opened or opened.pop().value != name:
                raise LiquidSyntaxError(f"{{{{/{name}}}}} closes nothing here", token=token)
            blocks[at] = _tags(token, f"{sign}{name}", argument if sign == "#" else None)
        elif opened and (found := _ELSE.fullmatch(token.value)):
            blocks[at] = _tags(token, "elsif" if found[1] else "else", found[1])
    if opened:
        name = opened[-1].value
        raise LiquidSyntaxError(f"{{{{#{name}}}}} is not closed by {{{{/{name}}}}}", token=opened[-1])
    return blocks


def _tags(token: Token, name: str, argument: str | None) -> list[Token]:
    tag = token._replace(kind=TOKEN_TAG, value=name)
    return [tag, _named(token, argument)] if argument else [tag]


def _named(token: Token, value: str) -> Token:
    """`@index` and its like in the only spelling that Liquid has for such a name."""
    return token._replace(value=_LOOP_NAME.sub(r'["\1"]', value, count=1) if value.startswith("@") else value)


def _stands_alone(given: list[Token], at: int) -> bool:
    before, after = at - 2, at + 1
    starts = before < 0 or (
        given[before].kind == TOKEN_CONTENT
        and (found := _START_OF_LINE.search(given[before].value)) is not None
        and (found[0].startswith("\n") or before == 0)
    )
    ends = after == len(given) or (
        given[after].kind == TOKEN_CONTENT
        and (found := _REST_OF_LINE.match(given[after].value)) is not None
        and (found[0].endswith("\n") or after == len(given) - 1)
    )
    return starts and ends


class _Item(Mapping[str, Any]):
    """The names within an each block: `this`, the item's own keys, `index` from 1, `@index` from 0."""

    __slots__ = ("key", "loop", "value")

    def __init__(self, loop: ForLoop) -> None:
        self.loop = loop
        self.key: Any = None
        self.value: Any = None

    def __getitem__(self, name: str) -> Any:
        match name:
            case "this":
                return self.value
            case "@index":
                return self.loop.index0
            case "@first":
                return self.loop.first
            case "@last":
                return self.loop.last
            case "@key":
                return self.key
        if isinstance(self.value, Mapping) and name in self.value:
            return self.value[name]
        if name == "index":
            return self.loop.index
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(["this", "index", *(self.value if isinstance(self.value, Mapping) else ())])

    def __len__(self) -> int:
        return len(list(iter(self)))


class EachNode(Node):
    """An each block."""

    __slots__ = ("block", "default", "expression")

    def __init__(self, token: Token, expression: Expression, block: BlockNode, default: BlockNode | None) -> None:
        super().__init__(token)
        self.expression, self.block, self.default = expression, block, default
        self.blank = block.blank and (default is None or default.blank)

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Render the block for each item of a list, or each value of an object."""
        values = self.expression.evaluate(context)
        if not values or isinstance(values, str) or not isinstance(values, Mapping | Sequence):
            return self.default.render(context, buffer) if self.default else 0
        written = 0
        pairs = values.items() if isinstance(values, Mapping) else enumerate(values)
        loop = ForLoop("each", iter(pairs), len(values), context.parentloop())
        item = _Item(loop)
        with context.loop(item, loop):
            for pair in loop:
                item.key, item.value = pair
                try:
                    written += self.block.render(context, buffer)
                except ContinueLoop:
                    continue
                except BreakLoop:
                    break
        return written

    def children(self, static_context: RenderContext, *, include_partials: bool = True) -> Iterable[Node]:
        """The blocks; what is repeated counts as a partial, since its names come first from items yet unknown."""
        if include_partials:
            yield self.block
        if self.default:
            yield self.default

    def expressions(self) -> Iterable[Expression]:
        """What the block is repeated for."""
        yield self.expression


class Each(Tag):
    """`{{#each items}} ... {{else}} ... {{/each}}`."""

    name, end = "#each", "/each"

    def parse(self, stream: TokenStream) -> Node:
        """Read the block."""
        token = stream.eat(TOKEN_TAG)
        expression = FilteredExpression.parse(self.env, stream.into_inner(tag=token))
        block = get_parser(self.env).parse_block(stream, frozenset(["else", self.end]))
        return EachNode(token, expression, block, _parse_default(self, stream))


class _Truth(Expression):
    """Whether a value is neither missing, false, zero nor empty; an expression of Liquid counts as what it gives."""

    __slots__ = ("expression", "negated")

    def __init__(self, token: Token, expression: Expression, *, negated: bool) -> None:
        super().__init__(token)
        self.expression, self.negated = expression, negated

    def evaluate(self, context: RenderContext) -> bool:
        value = self.expression.evaluate(context)
        return (not is_undefined(value) and bool(value)) is not self.negated

    def children(self) -> list[Expression]:
        return [self.expression]


class If(Tag):
    """`{{#if x}} ... {{else if y}} ... {{else}} ... {{/if}}`."""

    name, end = "#if", "/if"
    negated = False

    def parse(self, stream: TokenStream) -> Node:
        """Read the block."""
        token = stream.eat(TOKEN_TAG)
        condition = self._parse_condition(stream, token, negated=self.negated)
        parse_block = get_parser(self.env).parse_block
        consequence = parse_block(stream, frozenset(["elsif", "else", self.end]))
        alternatives = []
        while stream.current.is_tag("elsif"):
            other = stream.eat(TOKEN_TAG)
            test = self._parse_condition(stream, other, negated=False)
            block = parse_block(stream, frozenset(["elsif", "else", self.end]))
            alternatives.append(ConditionalBlockNode(other, expression=test, block=block))
        default = _parse_default(self, stream)
        return IfNode(token, condition, consequence, alternatives, default)

    def _parse_condition(self, stream: TokenStream, tag: Token, *, negated: bool) -> Expression:
        condition = BooleanExpression.parse(self.env, stream.into_inner(tag=tag))
        return _Truth(tag, condition.expression, negated=negated)


class Unless(If):
    """`{{#unless x}} ... {{else}} ... {{/unless}}`."""

    name, end = "#unless", "/unless"
    negated = True


def _parse_default(tag: Tag, stream: TokenStream) -> BlockNode | None:
    default = None
    if stream.current.is_tag("else"):
        stream.next()
        default = get_parser(tag.env).parse_block(stream, frozenset([tag.end]))
    stream.expect(TOKEN_TAG, value=tag.end)
    return default


TAGS = (Each, If, Unless)
_NAMES = frozenset(tag.name.removeprefix("#") for tag in TAGS)
