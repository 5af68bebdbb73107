from apps.flows.effects import Say
from tests.flows.canvases import draw, node, talk


def test_start_says_nothing_and_goes_on() -> None:
    assert talk(draw(node("start", label="Início"), node("message", content="Oi"))).effects == (Say("Oi"),)


def test_start_says_the_greeting_that_it_was_given() -> None:
    step = talk(draw(node("start", greeting="Bem-vinda, {{nome}}"), node("end")), known={"nome": "Ana"})
    assert step.effects == (Say("Bem-vinda, Ana"),)
    assert step.finished


def test_a_flow_of_a_start_alone_ends_at_once() -> None:
    step = talk(draw(node("start")))
    assert (step.effects, step.finished, step.problem) == ((), True, None)
