from typing import Any

import pytest

from apps.flows.answers import Answer
from apps.flows.effects import Ask, Choice, Say
from apps.flows.nodes.asking import GIVEN_UP
from tests.flows.canvases import draw, edge, node, problems, talk

BUTTONS = [{"id": "buy", "title": "Comprar"}, {"id": "sell", "title": "Vender"}]


def offer(**data: Any) -> dict[str, Any]:
    """A flow that offers two buttons; one of them leads somewhere, the other as everything else does."""
    buttons = node(
        "interactive_buttons", "b", **{"bodyText": "E aí?", "buttons": BUTTONS, "outputVariable": "x", **data}
    )
    return draw(
        node("start"),
        buttons,
        node("message", "bought", content="comprou"),
        node("message", "rest", content="={{x}}"),
        edges=[edge("start", "b"), edge("b", "bought", "buy"), edge("b", "rest")],
    )


@pytest.mark.parametrize(
    "drawn",
    [
        {"id": "b", "type": "interactive_buttons", "data": {"bodyText": "E aí, {{nome}}?", "buttons": BUTTONS}},
        {"id": "b", "type": "default", "data": {"nodeType": "buttons", "body": "E aí, {{nome}}?", "buttons": BUTTONS}},
    ],
)
def test_every_dialect_offers_the_buttons_and_waits(drawn: dict[str, Any]) -> None:
    step = talk(draw(node("start"), drawn), known={"nome": "Ana"})
    assert step.effects == (Ask("E aí, Ana?", (Choice("buy", "Comprar"), Choice("sell", "Vender"))),)
    assert (step.finished, step.state.node) == (False, "b")


def test_header_footer_and_titles_may_hold_variables() -> None:
    canvas = offer(headerText="{{loja}}", footerText="Até já, {{nome}}", buttons=[{"id": "1", "title": "Sou {{nome}}"}])
    canvas["edges"] = [edge("start", "b"), edge("b", "rest")]
    assert talk(canvas, known={"nome": "Ana", "loja": "Sol"}).effects == (
        Ask("E aí?", (Choice("1", "Sou Ana"),), header="Sol", footer="Até já, Ana"),
    )


@pytest.mark.parametrize("answer", [Answer("Comprar", choice="buy"), "1", "comprar", " BUY "])
def test_touch_number_title_and_id_all_choose(answer: str | Answer) -> None:
    step = talk(offer(), answer)
    assert step.effects == (Say("comprou"),)
    assert step.state.variables == {"x": "buy"}


def test_a_button_without_an_edge_leaves_as_everything_else_does() -> None:
    assert talk(offer(), "2").effects == (Say("=sell"),)


def test_what_is_none_of_the_buttons_is_refused_and_the_third_time_given_up() -> None:
    refused = talk(offer(), "talvez")
    assert refused.effects == (Say("Por favor, escolha uma das opções."),)
    assert (refused.finished, refused.state.node) == (False, "b")
    assert talk(offer(), "talvez", "quem sabe", "depois").effects == (Say(GIVEN_UP), Say("="))


def test_the_exit_for_wrong_answers_is_taken_where_there_is_one() -> None:
    canvas = offer()
    canvas["edges"].append(edge("b", "bought", "invalid"))
    assert talk(canvas, "a", "b?", "c").effects == (Say("comprou"),)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"bodyText": ""}, "bodyText"),
        ({"buttons": []}, "buttons"),
        ({"buttons": [*BUTTONS, *[{"id": str(n), "title": str(n)} for n in range(2)]]}, "buttons"),
        ({"buttons": [{"id": "a", "title": "x" * 21}]}, "buttons.0.title"),
        ({"buttons": [{"id": "a"}]}, "buttons.0.title"),
        ({"buttons": [{"id": "a", "title": "A"}, {"id": "a", "title": "B"}]}, ""),
    ],
)
def test_what_are_no_buttons_is_a_problem(data: dict[str, Any], field: str) -> None:
    canvas = offer(**data)
    canvas["edges"] = [edge("start", "b"), edge("b", "rest"), edge("b", "bought")]
    assert [(where, named) for where, named, _ in problems(canvas)] == [("b", field)]


def test_a_title_that_cannot_be_rendered_breaks_the_flow_off_and_not_the_compiler() -> None:
    canvas = draw(
        node("start"),
        node("buttons", text="?", buttons=[{"id": "a", "title": "{{ 1 | divided_by: zero }}"}]),
    )
    assert problems(canvas) == []
    assert talk(canvas, known={"zero": 0}).problem is not None
