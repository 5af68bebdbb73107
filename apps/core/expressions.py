"""Expressions that people write: `price * 2 + fee`, `age >= 18 and vip`, `"Total: " + total`.

Python's own parser reads them, and only the few constructions below are turned into functions, so that there is no way
to the host: no methods, no loops, no repeated texts. All of it is refused or accepted when an expression is read, and
since each construction gives a capped value once, the worst expression takes a fifth of a second.
"""

import ast
import functools
import inspect
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from apps.core import operations
from apps.core.templating import TemplateError

MAX_SOURCE = 1_000  # characters
MAX_DEPTH = 60  # of operations in operations
MAX_RESULT = 100_000  # characters and items in all

_SPELLINGS = {"{{": "(", "}}": ")", "&&": " and ", "||": " or ", "===": "==", "!==": "!=", "!": "~"}
_SCAN = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(\{\{|\}\}|&&|\|\||===|!==|!(?!=))|\s+""", re.DOTALL)
_WORDS = {"true": True, "false": False, "null": None}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operations.add,
    ast.Sub: operations.subtract,
    ast.Mult: operations.multiply,
    ast.Div: operations.divide,
    ast.FloorDiv: operations.divide_down,
    ast.Mod: operations.remainder,
    ast.Pow: operations.power,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operations.equal,
    ast.NotEq: lambda left, right: not operations.equal(left, right),
    ast.Lt: operations.less,
    ast.GtE: lambda left, right: not operations.less(left, right),
    ast.Gt: lambda left, right: operations.less(right, left),
    ast.LtE: lambda left, right: not operations.less(right, left),
    ast.In: operations.contained,
    ast.NotIn: lambda item, container: not operations.contained(item, container),
}

_Evaluator = Callable[[Mapping[str, Any]], Any]


class ExpressionError(TemplateError):
    """An expression cannot be read, or has no result."""


class _Missing(ExpressionError):
    """A name in an expression has no value."""


class Expression:
    """An expression that is read once and evaluated often; a pydantic type too.

    A number and a text that reads as a number are both numbers where they meet; texts joined to anything make a text.
    """

    __slots__ = ("_evaluator", "_names", "source")

    def __init__(self, source: str) -> None:
        """Read the source; ExpressionError says where it is wrong."""
        self.source = source
        if len(source) > MAX_SOURCE:
            raise ExpressionError(f"The expression is longer than {MAX_SOURCE} characters.")
        tree = _parse(source)
        self._evaluator = _read(tree, MAX_DEPTH)
        self._names = frozenset(_names(tree))

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """The value, as plain as JSON; ExpressionError where a name is unknown or the values do not fit."""
        try:
            result = self._evaluator(variables)
            operations.weigh(result, MAX_RESULT)
        except ExpressionError:
            raise
        except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise ExpressionError(f"The expression has no result: {error}.") from None
        return result

    def names(self) -> frozenset[str]:
        """The names that it reads, with their dots, up to the first index: `order.items` of `order.items[0].price`."""
        return self._names

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source_type: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


def _parse(source: str) -> ast.expr:
    """The tree; braces around names, and the operators of other languages, are read as Python's."""
    spelled = _SCAN.sub(lambda found: found[1] or _SPELLINGS.get(found[2], " "), source).strip()
    if not spelled:
        raise ExpressionError("The expression is empty.")
    try:
        return ast.parse(spelled, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is too deep or not text"
        raise ExpressionError(f"The expression cannot be read: {reason}.") from None


def _refuse(what: str) -> NoReturn:
    raise ExpressionError(f"The expression cannot be read: {what}.")


def _read(node: ast.expr, depth: int) -> _Evaluator:
    if depth == 0:
        _refuse(f"it has more than {MAX_DEPTH} operations in one another")
    read = functools.partial(_read, depth=depth - 1)
    match node:
        case ast.Constant(value=None | bool() | int() | float() | str() as value):
            return _constant(value)
        case ast.Name(id=name):
            return _name(name)
        case ast.Attribute(value=value, attr=name):
            return _attribute(read(value), name, ast.unparse(node))
        case ast.Subscript(value=value, slice=ast.Slice(lower=lower, upper=upper, step=None)):
            return _slice(read(value), *(read(edge) if edge else (lambda _: None) for edge in (lower, upper)))
        case ast.Subscript(value=value, slice=key):
            return _item(read(value), read(key), ast.unparse(node))
        case ast.List(elts=items):
            return _all([read(item) for item in items])
        case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
            return _apply(operator.not_, read(operand))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _apply(operations.negate, read(operand))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return _apply(_ARITHMETIC[type(op)], read(left), read(right))
        case ast.BoolOp(op=op, values=values):
            return _either([read(value) for value in values], until=isinstance(op, ast.Or))
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARISONS for op in ops):
            return _compare([read(value) for value in (left, *others)], [_COMPARISONS[type(op)] for op in ops])
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _choose(read(test), read(body), read(orelse))
        case ast.Call(func=ast.Name(id="default"), args=[value, fallback], keywords=[]):
            return _default(read(value), read(fallback))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return _call(name, [read(argument) for argument in args])
    return _refuse(f"{ast.unparse(node)[:50]!r} is nothing that an expression may hold")


def _names(node: ast.AST) -> Iterator[str]:
    path = node
    while isinstance(path, ast.Attribute):
        path = path.value
    if isinstance(path, ast.Name) and isinstance(node, ast.expr):
        if path.id not in _WORDS:
            yield ast.unparse(node)
        return
    children = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
    for child in children:
        yield from _names(child)


def _constant(value: Any) -> _Evaluator:
    try:
        operations.limit(value)
    except ValueError as error:
        _refuse(str(error))
    return lambda _: value


def _name(name: str) -> _Evaluator:
    def find(variables: Mapping[str, Any]) -> Any:
        if name in variables:
            return variables[name]
        raise _Missing(f"There is no variable {name!r}.")

    return find if name not in _WORDS else lambda _: _WORDS[name]


def _attribute(value: _Evaluator, name: str, path: str) -> _Evaluator:
    def find(variables: Mapping[str, Any]) -> Any:
        owner = value(variables)
        if isinstance(owner, Mapping) and name in owner:
            return owner[name]
        raise _Missing(f"There is no variable {path!r}.")

    return find


def _item(value: _Evaluator, key: _Evaluator, path: str) -> _Evaluator:
    def find(variables: Mapping[str, Any]) -> Any:
        try:
            return value(variables)[key(variables)]
        except LookupError:
            raise _Missing(f"There is no variable {path!r}.") from None

    return find


def _slice(value: _Evaluator, lower: _Evaluator, upper: _Evaluator) -> _Evaluator:
    return lambda variables: value(variables)[lower(variables) : upper(variables)]


def _all(items: list[_Evaluator]) -> _Evaluator:
    return lambda variables: [item(variables) for item in items]


def _apply(function: Callable[..., Any], *operands: _Evaluator) -> _Evaluator:
    return lambda variables: function(*(operand(variables) for operand in operands))


def _either(values: list[_Evaluator], *, until: bool) -> _Evaluator:
    def decide(variables: Mapping[str, Any]) -> Any:
        for value in values:
            result = value(variables)
            if bool(result) is until:
                break
        return result

    return decide


def _compare(values: list[_Evaluator], comparisons: list[Callable[[Any, Any], bool]]) -> _Evaluator:
    def holds(variables: Mapping[str, Any]) -> bool:
        left = values[0](variables)
        for value, comparison in zip(values[1:], comparisons, strict=True):
            right = value(variables)
            if not comparison(left, right):
                return False
            left = right
        return True

    return holds


def _call(name: str, arguments: list[_Evaluator]) -> _Evaluator:
    function = operations.FUNCTIONS.get(name)
    if function is None:
        _refuse(f"there is no function {name!r}; there are default, {', '.join(operations.FUNCTIONS)}")
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        _refuse(f"{name}: {error}")
    return _apply(function, *arguments)


def _choose(test: _Evaluator, body: _Evaluator, orelse: _Evaluator) -> _Evaluator:
    return lambda variables: body(variables) if test(variables) else orelse(variables)


def _default(value: _Evaluator, fallback: _Evaluator) -> _Evaluator:
    def find(variables: Mapping[str, Any]) -> Any:
        try:
            result = value(variables)
        except _Missing:
            result = None
        return fallback(variables) if result is None or result == "" else result

    return find
