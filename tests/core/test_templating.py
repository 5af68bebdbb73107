"""Texts with variables: what they render, and that hostile ones cost little."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from apps.core.templating import MAX_OUTPUT, MAX_SOURCE, Path, Template, TemplateError

VARIABLES: dict[str, Any] = {
    "nome": "Ana",
    "contact": {"name": "Ana Souza", "tags": ["vip"]},
    "order": {"items": [{"price": 10}, {"price": 12.5}]},
    "user-name": "ana",
    "ação": "comprar",
    "self": "eu",
    "yes": True,
    "nothing": None,
}


@pytest.mark.parametrize(
    ("source", "rendered"),
    [
        ("Olá", "Olá"),
        ("Olá {{nome}}", "Olá Ana"),
        ("Olá {{  nome }}!", "Olá Ana!"),
        ("{{ contact.name }}", "Ana Souza"),
        ("{{contact.tags[0]}}", "vip"),
        ("{{order.items[1].price}} {{order.items.0.price}}", "12.5 10"),
        ("{{user-name}} {{ação}} {{self}}", "ana comprar eu"),
        ("[{{unknown}}] [{{unknown.x[3].y}}] [{{nothing}}]", "[] [] []"),
        ("{{yes}}", "true"),
        ("100% {x} } {", "100% {x} } {"),
        ("{{ nome | upcase }} {{ missing | default: 'amigo' }}", "ANA amigo"),
        ("{{ '2026-12-25' | date: '%d/%m/%Y' }}", "25/12/2026"),
        ("{% if nome == 'Ana' %}oi{% else %}quem?{% endif %}", "oi"),
        ("{% for item in order.items %}{{ item.price }};{% endfor %}", "10;12.5;"),
        ("{{ nome.__class__ }}{{ contact.keys }}", ""),
    ],
)
def test_a_template_renders(source: str, rendered: str) -> None:
    assert Template(source).render(VARIABLES) == rendered


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ nome", "expected '}}', found end of file"),
        ("{{ }}", "expected a primitive expression"),
        ("{{#each x}}{{/each}}", "unexpected '#'"),
        ("{{ nome | shout }}", "unknown filter 'shout'"),
        ("{{ 'a' | base64_encode }}", "unknown filter 'base64_encode'"),
        ("{% render 'x' %}", "unexpected tag 'render'"),
        ("{% include 'x' %}", "unexpected tag 'include'"),
        ("{% capture x %}{% endcapture %}", "unexpected tag 'capture'"),
        ("{% if nome %}", "expected tag"),
        ("{{ " + "a[" * 1000 + "1" + "]" * 1000 + " }}", "unexpected liquid parsing error"),
        ("a" * (MAX_SOURCE + 1), "longer than 8000 characters"),
    ],
)
def test_a_bad_template_says_what_is_wrong_when_it_is_read(source: str, words: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Template(source)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..30000000) %}x{% endfor %}",
        "{% for i in (1..150) %}{% for j in (1..150) %}x{% endfor %}{% endfor %}",
        "{{ (1..30000000) | join: ',' }}",
        "{% assign r = (1..30000000) %}{{ r | join: ',' | size }}",
        "{% assign a = 'aaaaaaaaaaaaaaaa' %}" + "{% assign a = a | append: a %}" * 40 + "{{ a }}",
        "{% assign a = 99 %}" + "{% assign a = a | times: a %}" * 40 + "{{ a }}",
        "{% for i in (1..200) %}" + "x" * (MAX_OUTPUT // 200 + 1) + "{% endfor %}",
        "{{ 1 | divided_by: 0 }}",
        "{% if 'a' < 1 %}{% endif %}",
        "{% if contact contains order.items %}{% endif %}",
    ],
)
def test_a_render_beyond_its_limits_is_an_error_at_once(source: str) -> None:
    began = time.monotonic()
    with pytest.raises(TemplateError, match="The text cannot be rendered"):
        Template(source).render(VARIABLES)
    assert time.monotonic() - began < 0.5


def test_the_costliest_template_within_the_limits_takes_less_than_two_seconds() -> None:
    filters = " | abs" * ((MAX_SOURCE - 60) // 6)
    template = Template("{% for i in (1..200) %}{{ n" + filters + " }}{% endfor %}")
    began = time.monotonic()
    assert template.render({"n": -1}) == "1" * 200
    assert time.monotonic() - began < 2


@given(st.text(alphabet="{}%| abn.[]0'\":,-#", max_size=60))
def test_any_text_either_renders_or_is_a_template_error(source: str) -> None:
    try:
        rendered = Template(source).render({"a": {"b": [1, "n"]}, "b": "x", "n": None})
    except TemplateError:
        return
    assert isinstance(rendered, str)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=1), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from(
        [
            "{{ a.b }}",
            "{{ a | size }}",
            "{{ a | plus: b | times: b }}",
            "{{ a | join: b }}",
            "{{ a | slice: b, b }}",
            "{{ a | date: b }}",
            "{{ a | truncate: b }}",
            "{{ a[b] }}",
            "{% for x in a %}{{ x }}{% endfor %}",
            "{% if a > b %}{% endif %}",
            "{% if a contains b %}{% endif %}",
            "{% case a %}{% when b %}x{% endcase %}",
        ]
    ),
    _JSON,
    _JSON,
)
def test_any_values_either_render_or_are_a_template_error(source: str, a: Any, b: Any) -> None:
    try:
        rendered = Template(source).render({"a": a, "b": b})
    except TemplateError:
        return
    assert isinstance(rendered, str)


def test_a_template_is_a_pydantic_type() -> None:
    class Config(BaseModel):
        text: Template

    assert Config.model_validate({"text": "Oi {{nome}}"}).text.render({"nome": "Ana"}) == "Oi Ana"
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({"text": "Oi {{nome"})
    [problem] = caught.value.errors()
    assert problem["loc"] == ("text",)
    assert "expected '}}'" in problem["msg"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nome", "Ana"),
        ("{{ nome }}", "Ana"),
        ("{{nome}}", "Ana"),
        ("contact.name", "Ana Souza"),
        ("order.items[1].price", 12.5),
        ("order.items.0.price", 10),
        ("user-name", "ana"),
        ("nothing", None),
    ],
)
def test_a_path_finds_a_value(name: str, value: Any) -> None:
    assert Path(name).find(VARIABLES) == value


@pytest.mark.parametrize("name", ["unknown", "nome.x", "order.items[2]", "order.items.price", "contact.name[0]"])
def test_a_path_to_nothing_is_a_lookup_error(name: str) -> None:
    with pytest.raises(LookupError):
        Path(name).find(VARIABLES)


@pytest.mark.parametrize("name", ["", "{{}}", "a b", "a | upcase", "1a", "a..b", "a[b]", "a.", "a['b']"])
def test_what_is_no_name_of_a_variable_is_refused(name: str) -> None:
    with pytest.raises(TemplateError, match="is not the name of a variable"):
        Path(name)
