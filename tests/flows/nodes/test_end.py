from typing import Any

import pytest

from apps.flows.effects import Close, HandOver, Say, Tag
from apps.flows.nodes.end import REASON
from tests.flows.canvases import draw, edge, node, problems, talk


def test_end_ends_the_session_and_does_not_close() -> None:
    step = talk(draw(node("start"), {"id": "end", "type": "end"}))
    assert (step.effects, step.finished, step.state.node) == ((), True, None)


@pytest.mark.parametrize(
    "data",
    [
        {"content": "Tchau, {{nome}}"},
        {"farewellMessage": "Tchau, {{nome}}", "endType": "farewell", "closeConversation": False, "addTag": ""},
        {"message": "Tchau, {{nome}}", "trigger_handoff": False},
    ],
)
def test_every_dialect_says_farewell(data: dict[str, Any]) -> None:
    assert talk(draw(node("start"), node("end", **data)), known={"nome": "Ana"}).effects == (Say("Tchau, Ana"),)


def test_end_closes_after_its_farewell_only_when_its_data_says_so() -> None:
    step = talk(draw(node("start"), node("end", farewellMessage="Tchau", closeConversation=True)))
    assert step.effects == (Say("Tchau"), Close())


@pytest.mark.parametrize("data", [{"endType": "handoff"}, {"trigger_handoff": True}])
def test_end_hands_over_and_then_does_not_close(data: dict[str, Any]) -> None:
    step = talk(draw(node("start"), node("end", message="Até já", closeConversation=True, **data)))
    assert step.effects == (Say("Até já"), HandOver(REASON))
    assert step.finished


def test_end_tags_the_conversation() -> None:
    canvas = draw(node("start"), node("end", addTag=" cliente {{tipo}} "))
    assert talk(canvas, known={"tipo": "novo"}).effects == (Tag(("cliente novo",)),)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"endType": "handover"}, "endType"),
        ({"sendSummary": True}, "sendSummary"),
        ({"closeConversation": "perhaps"}, "closeConversation"),
        ({"farewellMessage": "{{"}, "farewellMessage"),
    ],
)
def test_what_an_end_cannot_do_yet_is_a_problem(data: dict[str, Any], field: str) -> None:
    [(where, named, _)] = problems(draw(node("start"), node("end", **data)))
    assert (where, named.split(".")[0]) == ("end", field)


def test_an_edge_out_of_an_end_is_a_problem() -> None:
    canvas = draw(node("start"), node("end"), edges=[edge("start", "end"), edge("end", "start")])
    assert problems(canvas) == [("end", "edges", "unknown_exit")]
