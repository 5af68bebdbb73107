from datetime import timedelta
from typing import Any

import pytest

from apps.flows.answers import Answer
from apps.flows.effects import Ask, Say
from apps.flows.engine import MAX_KEPT, Woken
from tests.flows.canvases import NOW, draw, node, problems, talk


def wait(*after: dict[str, Any], **data: Any) -> dict[str, Any]:
    """A flow that waits and then says so, or does what comes `after`."""
    return draw(node("start"), node("delay", **data), *(after or (node("message", content="pronto"),)))


@pytest.mark.parametrize(
    ("data", "seconds"),
    [
        ({}, 3),
        ({"delaySeconds": 10}, 10),
        ({"duration": 2, "unit": "minutes", "showTyping": True}, 120),
        ({"duration": "1.5", "unit": "hours"}, 5400),
        ({"duration": 30, "unit": "days"}, 30 * 86400),
    ],
)
def test_every_dialect_sleeps_that_long_and_then_goes_on(data: dict[str, Any], seconds: float) -> None:
    step = talk(wait(**data))
    assert (step.effects, step.finished, step.state.asleep) == ((), False, True)
    assert step.state.wakes_at == NOW + timedelta(seconds=seconds)
    woken = talk(wait(**data), Woken())
    assert (woken.effects, woken.finished, woken.state.wakes_at) == ((Say("pronto"),), True, None)


def test_words_may_come_before_the_delay() -> None:
    assert talk(wait(delayMessage="Um momento, {{nome}}"), known={"nome": "Ana"}).effects == (Say("Um momento, Ana"),)


def test_what_the_customer_writes_meanwhile_is_kept_and_heard_afterwards() -> None:
    canvas = wait(node("question", content="Nome?", variableName="nome"))
    meanwhile = talk(canvas, "Alô?", "Oi")
    assert (meanwhile.effects, meanwhile.state.wakes_at) == ((), NOW + timedelta(seconds=3))
    woken = talk(canvas, "Alô?", "Oi", Woken())
    assert woken.effects == (Ask("Nome?"),)
    assert woken.unheard == (Answer("Alô?"), Answer("Oi"))
    assert woken.state.kept == ()


def test_it_is_kept_through_two_delays() -> None:
    canvas = wait(node("delay", "again"), node("end"))
    between = talk(canvas, "Alô?", Woken(), "Oi")
    assert (between.unheard, between.state.kept) == ((), (Answer("Alô?"), Answer("Oi")))
    assert talk(canvas, "Alô?", Woken(), "Oi", Woken()).unheard == (Answer("Alô?"), Answer("Oi"))


def test_of_a_flood_the_last_words_are_kept() -> None:
    step = talk(wait(), *[str(number) for number in range(MAX_KEPT + 5)])
    assert [answer.text for answer in step.state.kept] == [str(number) for number in range(5, MAX_KEPT + 5)]


def test_a_delay_that_may_be_cancelled_ends_with_the_customers_next_word() -> None:
    assert talk(wait(cancelable=True), "Vamos").effects == (Say("pronto"),)
    assert talk(wait(cancelable=True), Woken()).effects == (Say("pronto"),)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"duration": -1}, "duration"),
        ({"duration": "long"}, "duration"),
        ({"unit": "years"}, "unit"),
        ({"duration": 31, "unit": "days"}, ""),
    ],
)
def test_what_is_no_delay_is_a_problem(data: dict[str, Any], field: str) -> None:
    assert [(where, named) for where, named, _ in problems(wait(**data))] == [("delay", field)]
