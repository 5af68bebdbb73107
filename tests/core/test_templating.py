"""Texts with variables: what they render, and that hostile ones cost little."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from apps.core.templating import MAX_OUTPUT, MAX_PARTS, MAX_SOURCE, Path, Template, TemplateError

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
        ("{{ nome | upper }} {{ nome | lower }}", "ANA ana"),
        ("{{ 1234.5 | number }} {{ 1234 | number }} {{ '1234,567' | number: 1 }}", "1.234,50 1.234 1.234,6"),
        ("{{ 1234567.891 | number: 2, 'en-US' }} {{ 2.345 | number }}", "1,234,567.89 2,35"),
        ("{{ nome | number }}{{ nothing | number }}{{ unknown | number }}", "Ana"),
        ("{{ 1234.5 | currency }} {{ 5 | currency: 'USD', 'en_US' }}", "R$\N{NO-BREAK SPACE}1.234,50 $5.00"),
        ("{{ nome | currency }}", "Ana"),
    ],
)
def test_a_template_renders(source: str, rendered: str) -> None:
    assert Template(source).render(VARIABLES) == rendered


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ nome", "expected '}}', found end of file"),
        ("{{ }}", "expected a primitive expression"),
        ("{{ else }}", "expected a primitive expression"),
        ("oi {{#each x}}", "{{#each}} is not closed by {{/each}}"),
        ("{{#if a}}{{#each x}}{{/each}}", "{{#if}} is not closed by {{/if}}"),
        ("{{/each}}", "{{/each}} closes nothing here"),
        ("{{#each x}}{{/if}}", "{{/if}} closes nothing here"),
        ("{{#each x}}{{#if y}}{{/each}}{{/if}}", "{{/each}} closes nothing here"),
        ("{{#each x}}{% if y %}{{/each}}{% endif %}", "expected tag"),
        ("{{#each x}}a{{else}}b{{else}}c{{/each}}", "unexpected tag 'else'"),
        ("{{#each}}{{/each}}", "missing expression"),
        ("{{#each x y}}{{/each}}", "expected end of expression"),
        ("{{#with x}}{{/with}}", "there is no block 'with'; there are each, if, unless"),
        ("{{#if (eq a b)}}{{/if}}", "disallowed parentheses"),
        ("{{#each b}}" * 31 + "{{/each}}" * 31, "block nesting limit reached"),
        ("{{a}}" * (MAX_PARTS + 1), "more than 300 parts"),
        ("{{" + " " * 7000 + "}}", "begins with more than 100 blanks"),
        ("{{" * 250 + " " * 7000, "begins with more than 100 blanks"),
        ("{% if" + " " * 7000 + "%}", "begins with more than 100 blanks"),
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


BLOCKS: dict[str, Any] = {
    "nome": "Ana",
    "index": "fora",
    "slots": [
        {"date": "01/12", "time": "09:00", "professional": "Dra. Bia"},
        {"date": "02/12", "time": "10:30", "professional": "Dr. Leo"},
    ],
    "cores": ["azul", "verde"],
    "vazia": [],
    "zero": 0,
    "pontos": {"x": 1, "y": 2},
    "pedidos": [{"n": "A", "items": [1, 2]}, {"n": "B", "items": []}],
    "posts": [{"index": 7, "this": "x"}],
    "hostile": "{{#each cores}}{{nome}}{{/each}}",
}


@pytest.mark.parametrize(
    ("source", "rendered"),
    [
        (
            "*Horários:*\n\n{{#each slots}}\n{{index}}. {{date}} às {{time}} - {{professional}}\n{{/each}}\n\nQual?",
            "*Horários:*\n\n1. 01/12 às 09:00 - Dra. Bia\n2. 02/12 às 10:30 - Dr. Leo\n\nQual?",
        ),
        ("{{#each cores}}{{@index}}{{index}}{{ this }}{{#unless @last}}, {{/unless}}{{/each}}", "01azul, 12verde"),
        ("{{#each cores}}{{#if @first}}>{{/if}}{{ @index | plus: 10 }}{{/each}}", ">1011"),
        ("{{#each slots}}{{this.time}} {{this['date']}} {{nome}};{{/each}}", "09:00 01/12 Ana;10:30 02/12 Ana;"),
        ("{{#each vazia}}x{{/each}}{{#each unknown.x}}x{{/each}}{{#each nome}}x{{/each}}{{#each zero}}x{{/each}}", ""),
        ("{{#each vazia}}x{{else}}nada{{/each}}", "nada"),
        ("{{#each pontos}}{{@key}}={{this}};{{/each}}", "x=1;y=2;"),
        (
            "{{#each pedidos}}{{n}}:{{#each items}}{{this}}{{@index}} {{else}}-{{/each}}{{@index}};{{/each}}",
            "A:10 21 0;B:-1;",
        ),
        ("{{#each posts}}{{index}} {{this.this}}{{/each}} {{index}}", "7 x fora"),
        ("{{#each cores | slice: 1}}{{this}}{{/each}}", "verde"),
        ("{{# each cores }}{% if index == 2 %}{{this}}{{else}}-{% endif %}{{/ each }}", "-verde"),
        ("{{#each cores}}{{this}}{% break %}{{/each}}", "azul"),
        ("{% for cor in cores %}{{#if cor == 'azul'}}A{{else}}V{{/if}}{% endfor %}", "AV"),
        ("{{#if nome}}sim{{/if}}{{#if vazia}}x{{/if}}{{#if zero}}x{{/if}}{{#if unknown}}x{{else}}não{{/if}}", "simnão"),
        ("{{#if vazia}}a{{else if nome == 'Ana'}}b{{else}}c{{/if}}", "b"),
        ("{{#unless vazia}}a{{else}}b{{/unless}}{{#unless nome}}a{{else}}b{{/unless}}", "ab"),
        ("  {{#if nome}}  \n  oi\n  {{else}}\n  quem?\n  {{/if}}\nfim", "  oi\nfim"),
        ("a {{#if nome}}\noi{{/if}}\nfim", "a \noi\nfim"),
        ("{{hostile}}", "{{#each cores}}{{nome}}{{/each}}"),
        ("{{#each cores}}{{hostile}}{{/each}}", "{{#each cores}}{{nome}}{{/each}}" * 2),
        ("{% comment %}{{#each}}{% endcomment %}{{ '#each' }}", "#each"),
        ("{{@index}}", ""),
    ],
)
def test_blocks_of_handlebars_render(source: str, rendered: str) -> None:
    assert Template(source).render(BLOCKS) == rendered


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("Oi", set()),
        ("{{nome}} {{ contact.name | upper }} {{current_time}}", {"nome", "contact.name", "current_time"}),
        ("{{order.items[0].price}} {{ order.items.0.price }}", {"order.items"}),
        ("{{ a[b.c].d }} {{ x | default: y }}", {"a", "b.c", "x", "y"}),
        ("{% for item in order.items %}{{ item.price }}{{ nome }}{% endfor %}", {"order.items", "nome"}),
        ("{% assign total = price | times: 2 %}{{ total }}", {"price"}),
        (
            "{{#each order.items}}{{price}}{{#each tags}}{{this}}{{/each}}{{else}}{{nome}}{{/each}}",
            {"order.items", "nome"},
        ),
        ("{{#if a.b}}{{c}}{{else if d}}{{/if}}{{#unless e}}{{/unless}}", {"a.b", "c", "d", "e"}),
        ("{{user-name}} {{ação}}", {"user-name", "ação"}),
    ],
)
def test_a_template_knows_the_names_that_it_reads(source: str, names: set[str]) -> None:
    assert Template(source).names() == names


HOSTILE: dict[str, Any] = {
    "a": list(range(200)),
    "rows": [list(range(200))] * 200,
    "wide": [{f"k{i}": i for i in range(1_000)}] * 200,
    "big": "x" * 19_000,
}


@pytest.mark.parametrize(
    "source",
    [
        "{{#each rows}}{{#each this}}x{{/each}}{{/each}}",
        "{{#each a}}{{#each a}}{{/each}}{{/each}}",
        "{{#each a}}{% for i in a %}{% endfor %}{{/each}}",
        "{{#each rows}}" + "x" * (MAX_OUTPUT // 200 + 1) + "{{/each}}",
        "{{#each (1..30000000)}}{{/each}}",
        "{{#each a}}{{ n" + " | abs" * 1_300 + " }}{{/each}}",
        "{{#each a}}{{ 5.5" + " | number" * 850 + " }}{{/each}}",
        "{{#each a}}{{ big" + " | split: '' | join: ''" * 300 + " | size }}{{/each}}",
        "{{#each a}}{{ big" + " | squish" * 700 + " | size }}{{/each}}",
        "{{ 5 | number: 99 }}",
        "{{ 5 | number: 2, '../../etc' }}",
        "{{ 5 | currency: '<b>' }}",
    ],
)
def test_hostile_blocks_and_filters_are_an_error_at_once(source: str) -> None:
    template = Template(source)
    began = time.monotonic()
    with pytest.raises(TemplateError, match="The text cannot be rendered"):
        template.render(HOSTILE)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    "source",
    [
        "{{#each a}}" + "{{z}}" * 298 + "{{/each}}",
        "{{#each wide}}" + "{{#if z}}{{/if}}" * 149 + "{{/each}}",
        "{{#each a}}{{z}}{{/each}}" * 100,
        "{{#each a}}{% case z %}{% when 1" + ",1" * 3_900 + "%}{% endcase %}{{/each}}",
    ],
)
def test_the_costliest_templates_within_the_limits_take_less_than_a_second(source: str) -> None:
    began = time.monotonic()
    assert Template(source).render(HOSTILE) == ""
    assert time.monotonic() - began < 1


@given(st.text(alphabet="{}%| abn.[]0'\":,-#", max_size=60))
def test_any_text_either_renders_or_is_a_template_error(source: str) -> None:
    try:
        rendered = Template(source).render({"a": {"b": [1, "n"]}, "b": "x", "n": None})
    except TemplateError:
        return
    assert isinstance(rendered, str)


@given(
    st.lists(st.sampled_from([*"ab \n@#/", "{{#each a}}", "{{#if b}}", "{{/each}}", "{{/if}}", "{{else}}", "{{this}}"]))
)
def test_any_blocks_either_render_or_are_a_template_error(parts: list[str]) -> None:
    try:
        rendered = Template("".join(parts)).render({"a": {"b": [1, "n"]}, "b": "x", "n": None})
    except TemplateError:
        return
    assert "{{" not in rendered


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
            "{{ a | number: b }}{{ a | number }}{{ a | currency }}",
            "{{ a | upper | lower }}",
            "{{#each a}}{{this}}{{this.a}}{{@key}}{{index}}{{#each b}}{{/each}}{{/each}}",
            "{{#if a}}{{#unless b}}{{/unless}}{{/if}}",
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
