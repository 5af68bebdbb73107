from typing import Any

import pytest

from apps.flows import graph
from apps.flows.calls import Result, Script
from apps.flows.effects import HandOver
from apps.flows.nodes import base
from tests.flows.canvases import draw, edge, node, problems, talk
from tests.flows.nodes.test_api_call import answer

CODE = "return {total: preco * {{2}}}"


def run(**data: Any) -> dict[str, Any]:
    """A flow that runs a script."""
    return draw(node("start"), node("script", **{"code": CODE, **data}), node("end"))


@pytest.mark.parametrize(
    ("data", "timeout"),
    [
        ({}, 5),
        ({"language": "JavaScript", "timeout": 10}, 10),
        ({"code": None, "scriptCode": CODE, "scriptLanguage": "javascript", "timeout": 5000}, 5),
        ({"code": None, "script": CODE, "timeout": 100}, 30),
        ({"timeout": 500}, 0.5),
    ],
)
def test_every_dialect_runs_its_code_as_it_is_written(data: dict[str, Any], timeout: float) -> None:
    assert talk(run(**data), known={"preco": 3}).call == Script(CODE, {"preco": 3}, timeout)


def test_a_script_knows_all_variables_that_are_plain() -> None:
    known = {"contact": {"name": "Ana"}, "lista": [1, None], "estranho": object(), "infinito": float("inf")}
    step = talk(run(), known=known)
    assert isinstance(step.call, Script)
    assert step.call.variables == {"contact": {"name": "Ana"}, "lista": [1, None]}


def test_more_variables_than_a_script_may_be_given_break_the_flow_off() -> None:
    step = talk(run(), known={"longo": "x" * 600_000})
    assert step.problem is not None
    assert "too much for a script" in step.problem.message


def test_what_it_assigns_and_the_keys_of_what_it_returns_become_variables() -> None:
    result = Result(ok=True, value={"a": 1, "b": 2}, assigned={"a": 0, "c": [3]})
    step = answer(run(outputVariable="saida"), result)
    assert step.state.variables == {"a": 1, "b": 2, "c": [3], "saida": {"a": 1, "b": 2}}
    assert step.finished


def test_what_is_no_name_and_what_is_not_its_to_set_is_left_alone() -> None:
    names = ["_x", "1x", "a b", "a.b", "", "contact", "conversation", "secrets", "x" * 101, "ação"]
    step = answer(run(), Result(ok=True, value=dict.fromkeys(names, 1), assigned=dict.fromkeys(names, 2)))
    assert step.state.variables == {"ação": 1}


def test_a_value_that_is_no_object_is_kept_by_the_output_variable_alone() -> None:
    assert answer(run(output_variable="r"), Result(ok=True, value=[1])).state.variables == {"r": [1]}
    assert answer(run(), Result(ok=True, value=[1])).state.variables == {}


FAILED = Result(ok=False, error="ReferenceError on line 1.")


def test_a_failure_without_an_output_variable_is_told_all_the_same() -> None:
    canvas = run()
    canvas["edges"].append(edge("script", "end", "erro"))
    told = {"script_error": {"message": "ReferenceError on line 1.", "status": None}}
    assert answer(canvas, FAILED).state.variables == told


def test_a_failure_goes_on_or_stops_as_it_is_said() -> None:
    handling = {"fallbackValue": {"total": 0}}
    assert answer(run(outputVariable="r", errorHandling=handling), FAILED).state.variables == {"r": {"total": 0}}
    [effect] = answer(run(errorHandling={"onError": "stop"}), FAILED).effects
    assert isinstance(effect, HandOver)


def test_nobody_can_tell_which_variables_it_sets() -> None:
    place = graph.compile(run()).places["script"]
    assert place.node.writes(place.config, place.id) == base.ANY


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": ["x"]}, "code"),
        ({"code": "x" * 100_001}, "code"),
        ({"language": "ruby"}, "language"),
        ({"timeout": "now"}, "timeout"),
    ],
)
def test_what_is_no_script_is_a_problem(data: dict[str, Any], field: str) -> None:
    assert [(where, named) for where, named, _ in problems(run(**data))] == [("script", field)]


@pytest.mark.parametrize("field", ["language", "scriptLanguage"])
def test_python_is_refused_with_a_reason(field: str) -> None:
    with pytest.raises(graph.InvalidCanvas) as caught:
        graph.compile(run(**{field: "python"}))
    words = f"Node 'script' (script), {field}: Python cannot be run safely; write it in JavaScript."
    assert [problem.message for problem in caught.value.problems] == [words]
