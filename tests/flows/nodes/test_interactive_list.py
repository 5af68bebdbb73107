from typing import Any

import pytest

from apps.flows.answers import Answer
from apps.flows.effects import Ask, Choice, Say
from tests.flows.canvases import draw, edge, node, problems, talk

ROWS = [
    {"id": "bolo", "title": "Bolo", "description": "De {{sabor}}"},
    {"id": "pao", "title": "Pão"},
]
CHOICES = (Choice("bolo", "Bolo", "De milho"), Choice("pao", "Pão"))


def offer(**data: Any) -> dict[str, Any]:
    """A flow that offers a list; its first row leads somewhere of its own."""
    fields = {"bodyText": "O que vai ser?", "outputVariable": "x", **({"listItems": ROWS} if not data else {}), **data}
    return draw(
        node("start"),
        node("interactive_list", "l", **fields),
        node("message", "cake", content="bolo!"),
        node("message", "rest", content="={{x}}"),
        edges=[edge("start", "l"), edge("l", "cake", "bolo"), edge("l", "rest")],
    )


@pytest.mark.parametrize(
    "rows", [{"listItems": ROWS}, {"sections": [{"title": "", "rows": ROWS}]}, {"sections": [{"rows": ROWS}]}]
)
def test_rows_are_read_flat_and_in_sections(rows: dict[str, Any]) -> None:
    step = talk(offer(**rows), known={"sabor": "milho"})
    assert step.effects == (Ask("O que vai ser?", CHOICES, as_list=True),)
    assert (step.finished, step.state.node) == (False, "l")


def test_sections_keep_their_titles_and_the_button_its_words() -> None:
    sections = [{"title": "Doces", "rows": ROWS[:1]}, {"title": "Salgados", "rows": ROWS[1:]}]
    [asked] = talk(offer(sections=sections, buttonText="Cardápio", headerText="Sol", footerText="Obrigado")).effects
    assert asked == Ask(
        "O que vai ser?",
        (Choice("bolo", "Bolo", "De ", "Doces"), Choice("pao", "Pão", "", "Salgados")),
        header="Sol",
        footer="Obrigado",
        opener="Cardápio",
        as_list=True,
    )


@pytest.mark.parametrize("answer", [Answer("Bolo", choice="bolo"), "1", "bolo", "BOLO "])
def test_touch_number_title_and_id_all_choose(answer: str | Answer) -> None:
    step = talk(offer(), answer)
    assert step.effects == (Say("bolo!"),)
    assert step.state.variables == {"x": "bolo"}


def test_a_row_without_an_edge_leaves_as_everything_else_does() -> None:
    assert talk(offer(), "pão").effects == (Say("=pao"),)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"listItems": []}, "sections"),
        ({"sections": [{"rows": []}]}, "sections.0.rows"),
        ({"listItems": [{"id": str(n), "title": str(n)} for n in range(11)]}, ""),
        ({"listItems": [*ROWS, ROWS[0]]}, ""),
        ({"listItems": [{"id": "a", "title": "x" * 25}]}, "sections.0.rows.0.title"),
        ({"listItems": [{"id": "a", "title": "A", "description": "x" * 73}]}, "sections.0.rows.0.description"),
        ({"listItems": ROWS, "buttonText": "x" * 21}, "buttonText"),
    ],
)
def test_what_is_no_list_is_a_problem(data: dict[str, Any], field: str) -> None:
    canvas = offer(**data)
    canvas["edges"] = [edge("start", "l"), edge("l", "rest"), edge("l", "cake")]
    assert [(where, named) for where, named, _ in problems(canvas)] == [("l", field)]
