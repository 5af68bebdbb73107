"""What is said: buttons and lists where they fit the channel, numbered words where they do not."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.conversations.channels import Capabilities, Content, channels
from apps.flows import contents
from apps.flows.effects import Ask, Choice, Close, Location, Media, Say

RICH = Capabilities(max_text=4096, window_hours=24, buttons=3, list_rows=10)
PLAIN = Capabilities(max_text=1000, window_hours=24)
ASK = Ask("E aí?", (Choice("buy", "Comprar"), Choice("sell", "Vender")))
WORDS = "E aí?\n\n1. Comprar\n2. Vender"


def many(count: int, **fields: Any) -> Ask:
    """A question with so many choices."""
    return Ask("E aí?", tuple(Choice(str(n), f"Opção {n}") for n in range(count)), **fields)


def kind(ask: Ask, capabilities: Capabilities = RICH) -> str:
    """How it is shown: button, list or text."""
    [content] = contents.of([ask], capabilities)
    return content.body["type"] if content.type == "interactive" else content.type


def test_words_are_a_text_and_closing_is_not_said() -> None:
    assert list(contents.of([Say("Oi"), Close(), Ask("Nome?")], RICH)) == [
        Content("text", {"text": "Oi"}, "Oi"),
        Content("text", {"text": "Nome?"}, "Nome?"),
    ]


def test_few_short_choices_are_buttons() -> None:
    assert list(contents.of([replace(ASK, header="Sol", footer="Obrigado")], RICH)) == [
        Content(
            "interactive",
            {
                "type": "button",
                "body": {"text": "E aí?"},
                "header": {"type": "text", "text": "Sol"},
                "footer": {"text": "Obrigado"},
                "action": {
                    "buttons": [
                        {"type": "reply", "reply": {"id": "buy", "title": "Comprar"}},
                        {"type": "reply", "reply": {"id": "sell", "title": "Vender"}},
                    ]
                },
            },
            f"Sol\n\n{WORDS}\n\nObrigado",
        )
    ]


def test_sections_with_titles_are_kept_in_a_list() -> None:
    choices = (
        Choice("a", "Bolo", "De milho", "Doces"),
        Choice("b", "Pão", "", "Salgados"),
        Choice("c", "Pé", "", "Doces"),
    )
    [content] = contents.of([Ask("E aí?", choices, opener="Cardápio", as_list=True)], RICH)
    assert content.body["action"] == {
        "button": "Cardápio",
        "sections": [
            {
                "title": "Doces",
                "rows": [{"id": "a", "title": "Bolo", "description": "De milho"}, {"id": "c", "title": "Pé"}],
            },
            {"title": "Salgados", "rows": [{"id": "b", "title": "Pão"}]},
        ],
    }
    assert content.text == "E aí?\n\n1. Bolo: De milho\n2. Pão\n3. Pé"


def test_rows_without_section_titles_stand_in_one_section() -> None:
    [content] = contents.of([many(4)], RICH)
    rows = [{"id": str(n), "title": f"Opção {n}"} for n in range(4)]
    assert content.body["action"] == {"button": "Ver opções", "sections": [{"rows": rows}]}


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (many(3), "button"),
        (many(3, as_list=True), "list"),
        (many(4), "list"),
        (many(10), "list"),
        (many(11), "text"),
        (Ask("?", (Choice("a", "x" * 20),)), "button"),
        (Ask("?", (Choice("a", "x" * 21),)), "list"),
        (Ask("?", (Choice("a", "x" * 24),)), "list"),
        (Ask("?", (Choice("a", "x" * 25),)), "text"),
        (Ask("?", (Choice("a", "A", "x" * 72),)), "list"),
        (Ask("?", (Choice("a", "A", "x" * 73),)), "text"),
        (Ask("?", (Choice("a", "A"), Choice("b", "A"))), "list"),
        (Ask("x" * 1025, (Choice("a", "A"),)), "list"),
        (Ask("?", (Choice("x" * 201, "A"),)), "text"),
        (Ask(" ", (Choice("a", "A"),)), "text"),
        (replace(ASK, header="x" * 61), "text"),
    ],
)
def test_choices_are_shown_as_they_fit(ask: Ask, expected: str) -> None:
    assert kind(ask) == expected


def test_a_channel_without_buttons_gets_numbered_words() -> None:
    assert list(contents.of([ASK], PLAIN)) == [Content("text", {"text": WORDS}, WORDS)]


def test_a_channel_with_buttons_but_no_lists_gets_numbered_words_for_many() -> None:
    capabilities = Capabilities(max_text=1000, window_hours=24, buttons=13)
    assert (kind(many(13), capabilities), kind(many(14), capabilities)) == ("button", "text")


_WORDS = st.text(max_size=30)


@given(
    st.builds(
        Ask,
        text=_WORDS.filter(str.strip),
        choices=st.lists(
            st.builds(
                Choice, st.uuids().map(str), _WORDS, st.just("") | _WORDS, st.sampled_from(["", "Doces", "x" * 25])
            ),
            max_size=12,
        ).map(tuple),
        header=_WORDS,
        footer=_WORDS,
        opener=_WORDS,
        as_list=st.booleans(),
    )
)
def test_whatsapp_takes_all_that_is_made_of_a_question(ask: Ask) -> None:
    whatsapp = channels.get("whatsapp")
    for content in contents.of([ask], whatsapp.capabilities):
        whatsapp.check(content)


_FILE = {"url": "https://sol.example/a.png"}


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (
            Media("image", _FILE["url"], "Olhe", "a.png"),
            [Content("image", {**_FILE, "caption": "Olhe"}, "Olhe")],
        ),
        (
            Media("document", _FILE["url"], "", "a.pdf"),
            [Content("document", {**_FILE, "filename": "a.pdf"})],
        ),
        (
            Media("audio", _FILE["url"], "Ouça"),
            [Content("audio", _FILE), Content("text", {"text": "Ouça"}, "Ouça")],
        ),
        (
            Media("video", _FILE["url"], "x" * 1025),
            [Content("video", _FILE), Content("text", {"text": "x" * 1025}, "x" * 1025)],
        ),
        (
            Location(-23.5, 0, "Padaria", "Rua A"),
            [
                Content(
                    "location",
                    {"latitude": -23.5, "longitude": 0, "name": "Padaria", "address": "Rua A"},
                    "📍 Padaria",
                )
            ],
        ),
        (Location(1.5, 2), [Content("location", {"latitude": 1.5, "longitude": 2}, "📍 1.5, 2")]),
    ],
)
def test_files_and_places_are_messages_that_whatsapp_takes(effect: Media | Location, expected: list[Content]) -> None:
    assert list(contents.of([effect], RICH)) == expected
    for content in expected:
        channels.get("whatsapp").check(content)


def test_a_text_that_is_too_long_is_parted_at_lines_else_at_words_else_anywhere() -> None:
    capabilities = Capabilities(max_text=10, window_hours=24)
    said = [content.text for content in contents.of([Say("um dois\ntrês quatro " + "x" * 12)], capabilities)]
    assert said == ["um dois", "três", "quatro", "x" * 10, "xx"]


@given(st.text(max_size=200))
def test_no_word_is_lost_and_no_part_is_too_long(text: str) -> None:
    capabilities = Capabilities(max_text=20, window_hours=24)
    parts = [content.text for content in contents.of([Say(text)], capabilities)]
    assert all(0 < len(part) <= 20 and part.strip() for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
