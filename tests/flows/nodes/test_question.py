from datetime import timedelta
from typing import Any

import pytest

from apps.flows.answers import Answer
from apps.flows.effects import Ask, Choice, Say
from apps.flows.engine import Woken
from apps.flows.nodes.asking import GIVEN_UP
from tests.flows.canvases import NOW, draw, edge, node, problems, talk

PHOTO = {"type": "image", "id": "media-1", "mime_type": "image/jpeg"}


def ask(**data: Any) -> dict[str, Any]:
    """A flow that asks one question and says what it kept."""
    question = node("question", **{"content": "?", "variableName": "x", **data})
    return draw(node("start"), question, node("message", content="={{x}}"))


@pytest.mark.parametrize(
    "drawn",
    [
        {"id": "q", "type": "question", "data": {"content": "Qual seu nome?", "variableName": "nome", "label": "Nome"}},
        {
            "id": "q",
            "type": "default",
            "data": {"nodeType": "question", "questionText": "Qual seu nome?", "outputVariable": "nome"},
        },
        {"id": "q", "type": "question", "data": {"question": "Qual seu nome?", "variable": "nome"}},
        {"id": "q", "type": "question", "data": {"label": "Qual seu nome?", "output_variable": "nome"}},
    ],
)
def test_every_dialect_asks_waits_and_keeps_the_answer(drawn: dict[str, Any]) -> None:
    canvas = draw(node("start"), drawn, node("message", content="Olá {{nome}}"), node("end"))
    asked = talk(canvas)
    assert asked.effects == (Ask("Qual seu nome?"),)
    assert (asked.finished, asked.state.node) == (False, "q")
    answered = talk(canvas, "  Ana ")
    assert answered.effects == (Say("Olá Ana"),)
    assert answered.finished
    assert answered.state.variables == {"nome": "Ana"}


def test_a_question_that_names_no_variable_keeps_the_answer_under_its_id() -> None:
    canvas = draw(node("start"), node("question", "q1", content="?"), node("end"))
    assert talk(canvas, "Ana").state.variables == {"user_response_q1": "Ana"}


@pytest.mark.parametrize(
    ("kind", "answer", "kept"),
    [
        ("text", " qualquer coisa ", "qualquer coisa"),
        ("number", "30", 30),
        ("number", " -1,5 ", -1.5),
        ("number", "10.0", 10),
        ("email", " ana@sol.com.br ", "ana@sol.com.br"),
        ("phone", "(11) 99999-0001", "(11) 99999-0001"),
        ("phone", "+55 11 99999 0001", "+55 11 99999 0001"),
        ("date", "31/12/2026", "31/12/2026"),
        ("date", "1-2-26", "1-2-26"),
        ("date", "2026-12-31", "2026-12-31"),
        ("yesno", "Sim", "Sim"),
        ("yesno", "N", "N"),
        ("yes_no", "yes", "yes"),
    ],
)
def test_answers_that_count(kind: str, answer: str, kept: Any) -> None:
    assert talk(ask(responseType=kind), answer).state.variables == {"x": kept}
    assert talk(ask(validation={"type": kind}), answer).state.variables == {"x": kept}


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("number", "trinta"),
        ("number", "nan"),
        ("number", "1_000"),
        ("number", "٣"),
        ("number", "9" * 5000),
        ("email", "ana"),
        ("email", "ana@sol"),
        ("email", "ana@@sol.com"),
        ("email", "a b@sol.com"),
        ("phone", "99999-0001"),
        ("phone", "ligue 11 99999-0001"),
        ("phone", "1" * 16),
        ("date", "31/02/2026"),
        ("date", "amanhã"),
        ("date", "00/01/2026"),
        ("yesno", "talvez"),
        ("text", "   "),
        ("file", "segue anexo"),
    ],
)
def test_answers_that_do_not_count_are_refused_and_asked_again(kind: str, answer: str) -> None:
    step = talk(ask(responseType=kind), answer)
    [refusal] = step.effects
    assert isinstance(refusal, Say)
    assert (step.finished, step.state.node, step.state.variables) == (False, "question", {})
    assert step.state.attempts == 1


@pytest.mark.parametrize(
    ("validation", "answer", "counts"),
    [
        ({"type": "number", "min": 1, "max": 5}, "0", False),
        ({"type": "number", "min": 1, "max": 5}, "5", True),
        ({"type": "number", "min": 1, "max": 5}, "5,5", False),
        ({"min_length": 3, "max_length": 5}, "An", False),
        ({"min_length": 3, "max_length": 5}, "Ana", True),
        ({"min_length": 3, "max_length": 5}, "Mariana", False),
        ({"required": False}, "", True),
    ],
)
def test_limits_on_answers(validation: dict[str, Any], answer: str, counts: bool) -> None:
    assert talk(ask(validation=validation), answer).finished is counts


SERVICES = [{"value": "sales", "label": "Vendas"}, {"value": "help", "label": "Suporte"}]


def test_options_are_offered() -> None:
    asked = talk(ask(options=SERVICES))
    assert asked.effects == (Ask("?", (Choice("sales", "Vendas"), Choice("help", "Suporte"))),)


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (Answer("sales"), "sales"),
        (Answer(" VENDAS "), "sales"),
        (Answer("2"), "help"),
        (Answer("Suporte", choice="help"), "help"),
        (Answer("Outra coisa", choice="help"), "help"),
        (Answer("Suporte", choice="btn-7"), "help"),
        (Answer("3"), None),
        (Answer("0"), None),
        (Answer("²"), None),
        (Answer("nada"), None),
        (Answer(media=PHOTO), None),
    ],
)
def test_a_choice_is_made_by_button_value_title_or_number(answer: Answer, kept: str | None) -> None:
    for canvas in (ask(options=SERVICES), ask(responseType="multiple_choice", options=SERVICES)):
        assert talk(canvas, answer).state.variables == ({"x": kept} if kept else {})


@pytest.mark.parametrize(
    "data",
    [
        {"options": ["SIM", "NÃO"]},
        {"options": [{"label": "SIM"}, {"label": "NÃO"}]},
        {"validation": {"type": "choice", "choices": ["SIM", "NÃO"]}},
        {"validation": {"type": "options"}, "options": [{"id": "SIM", "title": "SIM"}, "NÃO"]},
    ],
)
def test_options_are_written_in_many_ways(data: dict[str, Any]) -> None:
    assert talk(ask(**data)).effects == (Ask("?", (Choice("SIM", "SIM"), Choice("NÃO", "NÃO"))),)
    assert talk(ask(**data), "não").state.variables == {"x": "NÃO"}


def test_a_value_goes_before_a_number() -> None:
    assert talk(ask(options=["2", "1"]), "1").state.variables == {"x": "1"}


def test_a_question_for_text_with_options_takes_any_text() -> None:
    canvas = ask(responseType="text", options=SERVICES)
    assert talk(canvas, "outra").state.variables == {"x": "outra"}
    assert talk(canvas, Answer("Vendas", choice="sales")).state.variables == {"x": "sales"}


@pytest.mark.parametrize("kind", ["text", "file"])
def test_a_file_is_kept_by_its_reference(kind: str) -> None:
    step = talk(ask(responseType=kind), Answer("legenda", media=PHOTO))
    assert step.state.variables == {"x": PHOTO}


def test_the_authors_words_tell_what_is_wrong() -> None:
    canvas = ask(responseType="number", validation={"errorMessage": "{{nome}}, só números"})
    assert talk(canvas, "x", known={"nome": "Ana"}).effects == (Say("Ana, só números"),)


def test_after_three_wrong_answers_the_flow_goes_on_without_one() -> None:
    canvas = ask(responseType="number")
    assert talk(canvas, "a", "b").state.attempts == 2
    step = talk(canvas, "a", "b", "c")
    assert step.effects == (Say(GIVEN_UP), Say("="))
    assert step.finished
    assert step.state.variables == {}


def test_after_too_many_wrong_answers_the_exit_for_that_is_taken_in_silence() -> None:
    canvas = draw(
        node("start"),
        node("question", content="?", responseType="number", validation={"maxAttempts": "2"}),
        node("message", "ok", content="ok"),
        node("message", "sorry", content="desculpe"),
        edges=[edge("start", "question"), edge("question", "sorry", "invalid"), edge("question", "ok")],
    )
    assert talk(canvas, "a", "b").effects == (Say("desculpe"),)
    assert talk(canvas, "a", "1").effects == (Say("ok"),)


def test_an_exit_for_a_time_out_is_not_the_way_on() -> None:
    canvas = draw(
        node("start"),
        node("question", content="?"),
        node("message", "late", content="demorou"),
        node("message", "ok", content="ok"),
        edges=[edge("start", "question"), edge("question", "late", "timeout"), edge("question", "ok")],
    )
    assert talk(canvas, "a").effects == (Say("ok"),)


def test_wrong_answers_to_one_question_do_not_count_for_the_next() -> None:
    canvas = draw(
        node("start"),
        node("question", "a", content="a?", responseType="number"),
        node("question", "b", content="b?", responseType="number"),
    )
    step = talk(canvas, "x", "x", "1", "x")
    assert (step.state.node, step.state.attempts) == ("b", 1)


@pytest.mark.parametrize(
    ("data", "field", "code"),
    [
        ({"content": None}, "content", "missing"),
        ({"responseType": "telepathy"}, "responseType", "enum"),
        ({"responseType": "multiple_choice"}, "", "value_error"),
        ({"options": ["a", "a"]}, "", "value_error"),
        ({"options": [""]}, "options", "string_too_short"),
        ({"variableName": "a b"}, "variableName", "string_pattern_mismatch"),
        ({"validation": {"maxAttempts": 0}}, "validation", "greater_than_equal"),
        ({"validation": {"min": "um"}}, "validation", "float_parsing"),
        ({"content": "{{"}, "content", "value_error"),
    ],
)
def test_a_bad_question_is_a_problem(data: dict[str, Any], field: str, code: str) -> None:
    found = problems(ask(**data))
    assert {(where, named.split(".")[0], kind) for where, named, kind in found} == {("question", field, code)}


def timed(**data: Any) -> dict[str, Any]:
    """A flow with an exit for a question that nobody answers."""
    canvas = ask(**data)
    canvas["nodes"].append(node("message", "late", content="Ainda aí?"))
    canvas["edges"].append(edge("question", "late", "timeout"))
    return canvas


def test_a_question_with_an_exit_for_it_waits_an_hour_and_leaves_by_it() -> None:
    assert talk(timed()).state.wakes_at == NOW + timedelta(hours=1)
    step = talk(timed(), Woken())
    assert (step.effects, step.state.variables) == ((Say("Ainda aí?"),), {})


def test_a_question_says_how_long_it_waits_and_waits_anew_after_a_wrong_answer() -> None:
    canvas = timed(timeoutSeconds=90, responseType="number")
    assert talk(canvas).state.wakes_at == NOW + timedelta(seconds=90)
    refused = talk(canvas, "muitos")
    assert refused.state.wakes_at == NOW + timedelta(seconds=180)


def test_an_answer_in_time_ends_the_wait() -> None:
    step = talk(timed(), "Ana")
    assert (step.effects, step.state.wakes_at) == ((Say("=Ana"),), None)


def test_a_question_with_a_time_but_no_exit_for_it_goes_on_without_an_answer() -> None:
    assert talk(ask(timeout=60), Woken()).effects == (Say("="),)


def test_a_question_with_neither_waits_for_ever() -> None:
    assert talk(ask()).state.wakes_at is None
