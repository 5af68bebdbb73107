from collections import Counter
from typing import Any

import pytest

from apps.flows.effects import Effect, Say
from tests.flows.canvases import draw, edge, node, problems, talk


def split(*weights: float, **data: Any) -> dict[str, Any]:
    """A flow with as many ways as weights, each of which says its number."""
    paths = [{"id": f"p{place}", "label": f"Caminho {place}", "weight": weight} for place, weight in enumerate(weights)]
    says = [node("message", f"m{place}", content=str(place)) for place in range(len(weights))]
    edges = [edge("start", "random"), *[edge("random", f"m{place}", f"p{place}") for place in range(len(weights))]]
    return draw(node("start"), node("random", **{"paths": paths, **data}), *says, edges=edges)


def go(canvas: dict[str, Any], conversation: int, **known: Any) -> tuple[Effect, ...]:
    """What is said in the conversation of this number."""
    return talk(canvas, known={"conversation": {"id": str(conversation)}, **known}).effects


def test_ways_are_gone_by_their_weights() -> None:
    counts = Counter(go(split(1, 3), number) for number in range(400))
    assert 60 <= counts[(Say("0"),)] <= 140
    assert sum(counts.values()) == 400


def test_a_way_without_weight_is_never_gone() -> None:
    assert {go(split(0, 1, 0), number) for number in range(50)} == {(Say("1"),)}


def test_one_conversation_goes_the_same_way_each_time_and_another_seed_casts_anew() -> None:
    canvas = split(1, 1, seed="{{semente}}")
    first = [go(canvas, number, semente="a") for number in range(50)]
    assert first == [go(canvas, number, semente="a") for number in range(50)]
    assert first != [go(canvas, number, semente="b") for number in range(50)]


def test_the_way_is_kept_in_a_variable() -> None:
    assert talk(split(1, outputVariable="grupo")).state.variables == {"grupo": "p0"}
    assert talk(split(1, saveToVariable=True)).state.variables == {}


def test_a_path_may_name_its_target_and_else_the_single_edge_is_followed() -> None:
    named = draw(
        node("start"),
        node("random", paths=[{"label": "A", "targetNodeId": "end"}]),
        node("message", content="não"),
        node("end", message="fim"),
        edges=[edge("start", "random"), edge("message", "end")],
    )
    assert talk(named).effects == (Say("fim"),)
    assert talk(draw(node("start"), node("random", paths=[{"id": "a"}]), node("message", content="Oi"))).effects == (
        Say("Oi"),
    )


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"paths": []}, "paths"),
        ({"paths": [{"id": "a", "weight": 0}]}, ""),
        ({"paths": [{"id": "a", "weight": -1}]}, "paths.0.weight"),
        ({"paths": [{"id": "a"}, {"id": "a"}]}, ""),
        ({"paths": [{"weight": 1}]}, "paths.0.id"),
    ],
)
def test_what_is_no_choice_of_ways_is_a_problem(data: dict[str, Any], field: str) -> None:
    canvas = draw(node("start"), node("random", **data))
    assert [(where, named) for where, named, _ in problems(canvas)] == [("random", field)]
