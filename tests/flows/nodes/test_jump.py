import json
from typing import Any

import pytest

from apps.flows import engine, graph
from apps.flows.answers import Answer
from apps.flows.effects import Ask, Close, Say
from apps.flows.engine import Destination, State, Step
from tests.flows.canvases import NOW, draw, edge, node, problems, talk


def travel(flows: dict[str, dict[str, Any]], *answers: str, **variables: Any) -> Step:
    """Begin the flow `main` and give it these answers, among other flows; `child` has these variables."""
    others = {
        name: Destination(graph.compile(flow), variables if name == "child" else {}) for name, flow in flows.items()
    }
    main = others.pop("main").graph
    step = engine.advance(main, State(), None, now=NOW, others=others)
    for answer in answers:
        state = State.load(json.loads(json.dumps(step.state.dump())))
        step = engine.advance(main, state, Answer(answer), now=NOW, others=others)
    return step


CHILD = draw(node("start"), node("question", content="Filho?", variableName="x"), node("message", content="={{x}}"))


def parent(**data: Any) -> dict[str, Any]:
    """A flow that jumps to the child, and says something after that."""
    return draw(node("start"), node("jump", targetFlowId="child", **data), node("message", content="de volta"))


@pytest.mark.parametrize("data", [{"targetNodeId": "b"}, {"jumpType": "node", "targetNode": "b"}])
def test_a_jump_to_a_node_goes_on_there(data: dict[str, Any]) -> None:
    canvas = draw(
        node("start"),
        node("jump", **data),
        node("message", "a", content="a"),
        node("message", "b", content="b"),
        edges=[edge("start", "jump"), edge("a", "b")],
    )
    assert talk(canvas).effects == (Say("b"),)


def test_a_jump_to_a_flow_goes_on_there_and_does_not_come_back_by_itself() -> None:
    asked = travel({"main": parent(), "child": CHILD})
    assert asked.effects == (Ask("Filho?"),)
    assert (asked.state.flow, asked.state.stack, asked.entered) == ("child", (), frozenset({"child"}))
    answered = travel({"main": parent(), "child": CHILD}, "sim")
    assert (answered.effects, answered.finished) == ((Say("=sim"),), True)


def test_a_flow_comes_back_to_its_parent_when_it_is_told_to() -> None:
    flows = {"main": parent(return_to_parent=True), "child": CHILD}
    assert travel(flows).state.stack == (("", "jump"),)
    step = travel(flows, "sim")
    assert (step.effects, step.finished, step.state.variables) == ((Say("=sim"), Say("de volta")), True, {"x": "sim"})


def test_flows_within_flows_come_back_one_by_one() -> None:
    middle = draw(
        node("start"),
        node("jump", targetFlow="child", jumpType="flow", returnToParent=True),
        node("message", content="meio"),
    )
    main = draw(
        node("start"), node("jump", targetFlow="middle", returnToParent=True), node("message", content="de volta")
    )
    step = travel({"main": main, "middle": middle, "child": CHILD}, "sim")
    assert step.effects == (Say("=sim"), Say("meio"), Say("de volta"))


def test_who_closes_in_a_child_does_not_come_back() -> None:
    child = draw(node("start"), node("end", closeConversation=True))
    step = travel({"main": parent(return_to_parent=True), "child": child})
    assert (step.effects, step.finished) == ((Close(),), True)


def test_a_jump_may_name_a_node_of_the_flow_and_give_variables_names() -> None:
    child = draw(node("start"), node("message", "a", content="a"), node("message", "b", content="{{y}} {{z}} {{w}}"))
    jump = parent(targetNodeId="b", variable_mapping={"y": "{{x}}", "z": "literal"})
    jump["nodes"].insert(1, node("set_variable", variableName="x", variableValue=7))
    jump["edges"] = [edge("start", "set_variable"), edge("set_variable", "jump")]
    jump["nodes"].pop()
    step = travel({"main": jump, "child": child}, w="do filho", x="nunca")
    assert step.effects == (Say("7 literal do filho"),)
    assert step.state.variables == {"x": 7, "y": 7, "z": "literal", "w": "do filho"}


@pytest.mark.parametrize("data", [{}, {"targetNodeId": "nowhere"}])
def test_a_jump_to_a_flow_or_node_that_is_not_there_breaks_off(data: dict[str, Any]) -> None:
    flows = {"main": parent(**data), "child": CHILD} if data else {"main": parent()}
    step = travel(flows)
    assert step.problem is not None
    assert (step.problem.node, step.problem.code, step.effects) == ("jump", "unknown_target", ())


@pytest.mark.parametrize("returns", [True, False])
def test_flows_that_jump_to_each_other_for_ever_break_off(returns: bool) -> None:
    child = draw(node("start"), node("jump", targetFlowId="child", return_to_parent=returns))
    step = travel({"main": parent(), "child": child})
    assert step.problem is not None
    assert (step.problem.code, step.effects, step.finished) == ("loop", (), True)


@pytest.mark.parametrize(
    ("data", "field", "code"),
    [
        ({"jumpType": "flow"}, "", "value_error"),
        ({"targetNodeId": "gone"}, "next", "unknown_target"),
    ],
)
def test_what_is_no_jump_is_a_problem(data: dict[str, Any], field: str, code: str) -> None:
    assert problems(draw(node("start"), node("jump", **data))) == [("jump", field, code)]


def test_a_jump_that_keeps_no_context_takes_only_what_it_maps() -> None:
    main = draw(
        node("start"),
        node("set_variable", variableName="segredo", variableValue="s"),
        node("jump", targetFlow="child", preserveContext=False, variable_mapping={"eco": "{{segredo}}"}),
    )
    child = draw(node("start"), node("message", content="{{segredo}}|{{eco}}|{{dado}}"))
    step = travel({"main": main, "child": child}, dado="d")
    assert step.effects == (Say("|s|d"),)
