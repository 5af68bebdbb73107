"""Expressions: what they give, what they refuse, and that hostile ones cost little."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from apps.core.expressions import MAX_SOURCE, Expression, ExpressionError
from apps.core.templating import TemplateError

VARIABLES: dict[str, Any] = {
    "nome": "Ana",
    "ação": "comprar",
    "idade": "30",
    "n": 2,
    "preço": 2.5,
    "vip": True,
    "nada": None,
    "vazio": "",
    "lista": ["a", "b", 3],
    "contact": {"name": "Ana Souza", "tags": ["vip"]},
    "order": {"items": [{"price": 10}, {"price": 12.5}]},
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("n * 2.5", 5),
        ("preço * 2", 5),
        ("preço * n + 0.25", 5.25),
        ("7 / 2", 3.5),
        ("6 / 2", 3),
        ("-7 // 2", -4),
        ("7 % 4", 3),
        ("2 ** 10", 1024),
        ("-n", -2),
        ("idade + 1", 31),
        ("idade - 1", 29),
        ("'1,5' * 2", 3),
        ("idade >= 18", True),
        ("18 <= idade < 30", False),
        ("idade == 30", True),
        ("nome == 'Ana' and n != 3", True),
        ("nome == 'Ana' && (n > 5 || vip)", True),
        ("!vip || !(n == 2)", False),
        ("not vip", False),
        ("n === 2 && n !== 3", True),
        ("'adulto' if idade >= 18 else 'menor'", "adulto"),
        ("true", True),
        ("null", None),
        ("nada or 'ninguém'", "ninguém"),
        ("'Total: ' + preço", "Total: 2.5"),
        ("nome + ' ' + 'Souza'", "Ana Souza"),
        ("'Sim: ' + vip + nada", "Sim: true"),
        ("'{{n}} && !'", "{{n}} && !"),
        ("{{n}} + 1", 3),
        ("{{ n }} + {{ preço }}", 4.5),
        ("{{ n + 1 }} * 2", 6),
        ("\n n\n+ 1 ", 3),
        ("ação", "comprar"),
        ("contact.name", "Ana Souza"),
        ("order.items[0].price + order.items[1].price", 22.5),
        ("contact['tags'][-1]", "vip"),
        ("order", {"items": [{"price": 10}, {"price": 12.5}]}),
        ("nome[0:2]", "An"),
        ("lista[1:]", ["b", 3]),
        ("lista + [n]", ["a", "b", 3, 2]),
        ("'3' in lista", True),
        ("'b' not in lista", False),
        ("'na' in nome", True),
        ("'name' in contact", True),
        ("len(lista) + len(nome)", 6),
        ("round(2.5)", 3),
        ("round(2.345, 2)", 2.35),
        ("round(1 / 3, 2)", 0.33),
        ("max(n, idade) - min([4, 5])", 26),
        ("sum([1, 2.5, '3'])", 6.5),
        ("abs(-3) + ceil(1.2) + floor(1.8) + int('2,9')", 8),
        ("upper(nome) + lower('X') + trim('  y ')", "ANAxy"),
        ("number('1,50') + 1", 2.5),
        ("str(n) + str(3)", "23"),
        ("join(lista, '-')", "a-b-3"),
        ("split('a b c')", ["a", "b", "c"]),
        ("contains(nome, 'A')", True),
        ("default(contador, 0) + 1", 1),
        ("default(contact.phone, 'sem')", "sem"),
        ("default(vazio, 'x') + default(nome, 'y')", "xAna"),
    ],
)
def test_an_expression_gives_a_plain_value(source: str, expected: Any) -> None:
    result = Expression(source).evaluate(VARIABLES)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "is empty"),
        ("{{}}", "'()' is nothing that an expression may hold"),
        ("1 +", "invalid syntax"),
        ("((", "'(' was never closed"),
        ("n = 3", "invalid syntax"),
        ("idade | plus: 1", "invalid syntax"),
        ("n > 1 ? 'a' : 'b'", "invalid syntax"),
        ("a; b", "invalid syntax"),
        ("nome.upper()", "'nome.upper()' is nothing that an expression may hold"),
        ("open('x')", "there is no function 'open'"),
        ("__import__('os')", "there is no function '__import__'"),
        ("upper()", "upper: missing a required argument"),
        ("upper(nome, 1)", "upper: too many positional arguments"),
        ("upper(value=nome)", "is nothing that an expression may hold"),
        ("max(*lista)", "is nothing that an expression may hold"),
        ("lambda: 1", "is nothing that an expression may hold"),
        ("[x for x in lista]", "is nothing that an expression may hold"),
        ("f'{n:>99999999}'", "is nothing that an expression may hold"),
        ("b'a'", "is nothing that an expression may hold"),
        ("1j", "is nothing that an expression may hold"),
        ("...", "is nothing that an expression may hold"),
        ("n is 2", "is nothing that an expression may hold"),
        ("n & 2", "is nothing that an expression may hold"),
        ("n << 2", "is nothing that an expression may hold"),
        ("(n := 2)", "is nothing that an expression may hold"),
        ("{'a': 1}", "is nothing that an expression may hold"),
        ("lista[::2]", "is nothing that an expression may hold"),
        ("1e999", "a number is too large"),
        ("9" * 900, "a value is too large"),
        ("1" + " + 1" * 100, "more than 60 operations"),
        ("-" * 900 + "1", "The expression cannot be read"),
        ("(" * 450 + "1" + ")" * 450, "The expression cannot be read"),
        ("[" * 90 + "]" * 90, "more than 60 operations"),
        ("n\0", "The expression cannot be read"),
        ("n + \ud800", "The expression cannot be read"),
        ("n" * (MAX_SOURCE + 1), "longer than 1000 characters"),
    ],
)
def test_what_is_no_expression_is_refused_when_it_is_read(source: str, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Expression(source)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("saldo + 1", "There is no variable 'saldo'."),
        ("contact.phone", "There is no variable 'contact.phone'."),
        ("nome.__class__", "There is no variable 'nome.__class__'."),
        ("order.items[2].price", "There is no variable 'order.items[2]'."),
        ("n - nome", "a number - a text cannot be calculated"),
        ("n * nada", "a number * nothing cannot be calculated"),
        ("nome * 1000000", "a text * a number cannot be calculated"),
        ("'%999999999d' % n", "a text % a number cannot be calculated"),
        ("vip + 1", "true or false + a number cannot be calculated"),
        ("nome > 5", "a number and a text cannot be compared"),
        ("lista < 5", "a list and a number cannot be compared"),
        ("1 / 0", "division by zero"),
        ("9 ** 9 ** 9", "a value is too large"),
        ("9.5 ** 999", "too large"),
        ("(-8) ** 0.5", "a negative number has no root"),
        ("round(n, -999999999)", "a number is rounded to 0 to 10 digits"),
        ("number(nome)", "'Ana' is no number"),
        ("len(n)", "has no len()"),
        ("join(n)", "a number cannot be joined"),
        ("max([])", "empty"),
    ],
)
def test_what_has_no_result_says_why(source: str, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Expression(source).evaluate(VARIABLES)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "[" + ",".join("l" * 490) + "]",
        "+".join("l" * 60),
        "+".join("s" * 60),
        "join([" + ",".join("s" * 400) + "])",
        "str([" + ",".join("l" * 400) + "])",
        "[" + ",".join(["9**300"] * 140) + "] == 0 and l + l",
        "[" + ",".join(["0 in l"] * 130) + "] + l",
        "[" + ",".join(["sum(l)"] * 130) + "] + l",
    ],
)
def test_a_result_beyond_the_limits_is_an_error_at_once(source: str) -> None:
    expression = Expression(source)
    began = time.monotonic()
    with pytest.raises(ExpressionError, match=r"too large|There is no variable|compared"):
        expression.evaluate({"l": list(range(1, 5_001)), "s": "x" * 20_000})
    assert time.monotonic() - began < 0.5


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["1", "1,5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=1), inner, max_size=3),
    max_leaves=6,
)


@given(st.text(alphabet="ab01.,+-*/%<>=!&|()[]{}'\" :ifnotelsr", max_size=40), _VALUES, _VALUES)
def test_any_text_either_gives_a_plain_value_or_is_an_expression_error(source: str, a: Any, b: Any) -> None:
    try:
        result = Expression(source).evaluate({"a": a, "b": b})
    except ExpressionError:
        return
    assert result is None or isinstance(result, bool | int | float | str | list | dict)


_OPERATIONS = ["a + b", "a - b", "a * b", "a / b", "a // b", "a % b", "a ** b", "a < b", "a == b", "a in b", "a[b]"]
_OPERATIONS += ["-a", "a[b:]", "round(a, b)", "join(a, b)", "split(a, b)", "max(a, b)", "sum(a)", "int(a)", "ceil(a)"]


@given(st.sampled_from([*_OPERATIONS, "str(a)", "upper(a)", "len(a)", "abs(a)", "default(a, b)"]), _VALUES, _VALUES)
def test_any_values_either_give_a_plain_value_or_are_an_expression_error(source: str, a: Any, b: Any) -> None:
    try:
        result = Expression(source).evaluate({"a": a, "b": b})
    except ExpressionError:
        return
    assert result is None or isinstance(result, bool | int | float | str | list | dict)


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_whole_numbers_are_calculated_exactly(a: int, b: int) -> None:
    assert Expression("a * b + a - b").evaluate({"a": a, "b": b}) == a * b + a - b


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("1 + 2", set()),
        ("price * qty + price", {"price", "qty"}),
        ("{{contact.name}} == 'a'", {"contact.name"}),
        ("order.items[i].price", {"order.items", "i"}),
        ("default(saldo, 0) if true else null", {"saldo"}),
        ("upper(nome) in [a, b.c]", {"nome", "a", "b.c"}),
    ],
)
def test_an_expression_knows_the_names_that_it_reads(source: str, names: set[str]) -> None:
    assert Expression(source).names() == names


def test_an_expression_is_a_pydantic_type() -> None:
    class Config(BaseModel):
        value: Expression

    assert Config.model_validate({"value": "n + 1"}).value.evaluate({"n": 1}) == 2
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({"value": "n +"})
    [problem] = caught.value.errors()
    assert problem["loc"] == ("value",)
    assert "The expression cannot be read" in problem["msg"]


def test_a_flow_may_treat_its_error_as_that_of_a_template() -> None:
    with pytest.raises(TemplateError):
        Expression("saldo").evaluate({})
