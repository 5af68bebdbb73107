"""The engine: whole conversations, circles, and that nothing it is given can hang it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.flows import engine, graph
from apps.flows.answers import Answer
from apps.flows.effects import Ask, Say
from apps.flows.engine import MAX_VISITS, State, Step, Woken
from tests.flows.canvases import NOW, draw, edge, load, node, talk


def test_the_flow_of_production_asks_for_a_name_and_greets_with_it() -> None:
    canvas = load("seed_mapping_doc_flow")
    begun = talk(canvas)
    assert begun.effects == (Ask("Qual seu nome"),)
    assert begun.state == State("question-1765557724569", entered_at=NOW)
    answered = talk(canvas, "Ana")
    assert answered.effects == (Say("Ola Ana"),)
    assert (answered.finished, answered.state.variables) == (True, {"meu_nome": "Ana"})


def test_the_flow_of_the_builder_greets_asks_and_ends_after_the_answer() -> None:
    canvas = load("ai_generator_builder_format_flow")
    assert talk(canvas).effects == (Say("Olá! Bem-vindo ao nosso atendimento."), Ask("Qual é o seu nome?"))
    answered = talk(canvas, "Ana")
    assert (answered.effects, answered.finished, answered.state.variables) == ((), True, {"user_name": "Ana"})


def test_an_empty_flow_ends_at_once() -> None:
    step = talk({"nodes": [], "edges": []})
    assert (step.effects, step.finished, step.problem) == ((), True, None)


def test_what_is_known_is_not_kept_and_the_sessions_own_variables_go_before_it() -> None:
    canvas = draw(
        node("start"),
        node("question", content="{{nome}}?", variableName="nome"),
        node("message", content="{{nome}} {{contact.name}}"),
    )
    known = {"nome": "fulano", "contact": {"name": "Ana Souza"}}
    assert talk(canvas, known=known).effects == (Ask("fulano?"),)
    step = talk(canvas, "Ana", known=known)
    assert step.effects == (Say("Ana Ana Souza"),)
    assert step.state.variables == {"nome": "Ana"}


def test_a_state_survives_json() -> None:
    kept = (Answer("Oi", choice="a", media={"id": "1"}), Answer())
    state = State("q", {"x": [1, {"y": None}]}, 2, NOW, asleep=True, kept=kept)
    assert State.load(json.loads(json.dumps(state.dump()))) == state


def test_a_session_that_waits_at_a_node_that_is_gone_begins_again_and_keeps_what_it_knows() -> None:
    compiled = graph.compile(draw(node("start"), node("message", content="Oi {{nome}}")))
    step = engine.advance(compiled, State("gone", {"nome": "Ana"}, 1), Answer("x"), now=NOW)
    assert step.effects == (Say("Oi Ana"),)


def test_a_state_of_before_there_were_delays_loads() -> None:
    assert State.load({"node": "q", "variables": {"x": 1}, "attempts": 1}) == State("q", {"x": 1}, 1)


def test_a_session_whose_delay_is_gone_ends_when_its_time_comes() -> None:
    compiled = graph.compile(draw(node("start"), node("message", content="Oi")))
    asleep = State("gone", {"x": 1}, wakes_at=NOW, asleep=True, kept=(Answer("Alô?"),))
    step = engine.advance(compiled, asleep, Woken(), now=NOW)
    assert step == Step((), State(variables={"x": 1}), finished=True, unheard=(Answer("Alô?"),))


def test_a_session_that_waits_at_a_node_that_asks_no_more_goes_on_from_there() -> None:
    compiled = graph.compile(draw(node("start"), node("message", "q", content="um"), node("message", content="dois")))
    step = engine.advance(compiled, State("q"), Answer("x"), now=NOW)
    assert step.effects == (Say("dois"),)


@pytest.mark.parametrize(
    "circle",
    [
        draw(
            node("start"), node("message", content="Oi"), edges=[edge("start", "message"), edge("message", "message")]
        ),
        draw(
            node("start"),
            node("message", content="Oi"),
            node("condition", conditions=[{"variable": "x", "operator": "is_empty"}]),
            edges=[edge("start", "message"), edge("message", "condition"), edge("condition", "message", "condition-0")],
        ),
    ],
)
def test_a_circle_without_a_wait_breaks_off_with_a_problem_and_floods_nobody(circle: dict[str, Any]) -> None:
    step = talk(circle)
    assert step.effects == ()
    assert step.finished
    assert step.problem is not None
    assert (step.problem.code, step.problem.field) == ("loop", "edges")
    assert "goes in circles" in step.problem.message


def test_a_circle_that_waits_may_go_on_for_ever() -> None:
    canvas = draw(
        node("start"),
        node("question", content="?"),
        edges=[edge("start", "question"), edge("question", "question")],
    )
    step = talk(canvas, *["mais"] * (MAX_VISITS + 20))
    assert (step.effects, step.finished) == ((Ask("?"),), False)


def test_a_long_flow_that_is_no_circle_runs_to_its_end() -> None:
    texts = [node("message", f"m{number}", content=str(number)) for number in range(MAX_VISITS - 2)]
    step = talk(draw(node("start"), *texts, node("end")))
    assert (len(step.effects), step.finished, step.problem) == (MAX_VISITS - 2, True, None)


_KINDS = st.sampled_from(["message", "question", "number", "options", "condition", "delay", "end"])
_DATA: dict[str, tuple[str, dict[str, Any]]] = {
    "message": ("message", {"content": "Oi {{x}}"}),
    "question": ("question", {"content": "?", "variableName": "x"}),
    "number": ("question", {"content": "?", "responseType": "number", "variableName": "n"}),
    "options": ("question", {"content": "?", "options": ["a", "b"], "variableName": "x"}),
    "condition": ("condition", {"conditions": [{"variable": "x", "operator": "==", "value": "a"}]}),
    "delay": ("delay", {"duration": 1}),
    "end": ("end", {}),
}


@st.composite
def _flows(draws: st.DrawFn) -> dict[str, Any]:
    """A flow that compiles: any nodes, joined in any way."""
    kinds = draws(st.lists(_KINDS, min_size=1, max_size=6))
    ids = [f"n{number}" for number in range(len(kinds))]
    targets = st.sampled_from(ids)
    edges = [edge("start", draws(targets))]
    for id, kind in zip(ids, kinds, strict=True):
        if kind == "condition":
            edges += [edge(id, draws(targets), "condition-0"), edge(id, draws(targets), "condition-default")]
        elif kind != "end":
            edges += [edge(id, target) for target in draws(st.lists(targets, max_size=1))]
    drawn = [node(_DATA[kind][0], id, **_DATA[kind][1]) for id, kind in zip(ids, kinds, strict=True)]
    return draw(node("start"), *drawn, edges=edges)


_ANSWERS = st.builds(
    Answer,
    text=st.sampled_from(["a", "1", "", "sim"]) | st.text(max_size=5),
    choice=st.sampled_from(["", "a", "zzz"]),
    media=st.none() | st.just({"type": "image", "id": "1"}),
)
_EVENTS = _ANSWERS | st.just(Woken())


@settings(deadline=None, max_examples=200)
@given(_flows(), st.lists(_EVENTS, max_size=8))
def test_any_flow_waits_ends_or_breaks_off_after_every_event(
    canvas: dict[str, Any], events: list[Answer | Woken]
) -> None:
    compiled = graph.compile(canvas)
    step = engine.advance(compiled, State(), None, now=NOW)
    for event in events:
        assert step.finished is (step.state.node is None)
        assert len(step.effects) <= 2 * MAX_VISITS
        assert State.load(json.loads(json.dumps(step.state.dump()))) == step.state
        assert step.problem is None or (step.problem.code, step.effects, step.finished) == ("loop", (), True)
        step = engine.advance(compiled, step.state, None if step.finished else event, now=NOW)
