from typing import Any

import pytest

from apps.flows.effects import HandOver, Say
from apps.flows.nodes.handoff import REASON, TRANSFER
from tests.flows.canvases import draw, node, problems, talk


def give(**data: Any) -> dict[str, Any]:
    """A flow that hands over at once."""
    return draw(node("start"), node("handoff", **data))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, HandOver(REASON, priority="medium")),
        ({"handoffType": "queue", "queueId": "q1", "departmentId": "d1"}, HandOver(REASON, "q1", priority="medium")),
        (
            {"handoffType": "department", "departmentName": "Vendas", "priority": "normal"},
            HandOver(REASON, department="Vendas", priority="medium"),
        ),
        (
            {"handoffType": "agent", "agentId": "{{quem}}", "priority": "urgent"},
            HandOver(REASON, agent="Rui", priority="urgent"),
        ),
        (
            {"department": "vendas", "contextMessage": "Quer {{item}}"},
            HandOver(REASON, department="vendas", priority="medium", context="Quer bolo"),
        ),
    ],
)
def test_every_dialect_says_so_hands_over_and_ends(data: dict[str, Any], expected: HandOver) -> None:
    step = talk(give(**data), known={"quem": "Rui", "item": "bolo"})
    assert step.effects == (Say(TRANSFER), expected)
    assert step.finished


def test_an_assignment_of_the_conversation_is_a_handoff() -> None:
    canvas = draw(node("start"), node("assignment", queueId="vendas", sendTransferMessage=False))
    assert talk(canvas).effects == (HandOver(REASON, queue="vendas", priority="medium"),)


def test_the_transfer_message_is_the_authors_or_none() -> None:
    assert talk(give(transferMessage="Já te chamo, {{nome}}"), known={"nome": "Ana"}).effects[0] == Say(
        "Já te chamo, Ana"
    )
    assert talk(give(sendTransferMessage=False)).effects == (HandOver(REASON, priority="medium"),)


def test_what_comes_after_a_handoff_does_not_run() -> None:
    step = talk(draw(node("start"), node("handoff"), node("end", closeConversation=True)))
    assert (len(step.effects), step.finished) == (2, True)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"priority": "now"}, "priority"),
        ({"handoffType": "robot"}, "handoffType"),
        ({"generateSummary": True}, "generateSummary"),
    ],
)
def test_what_a_handoff_cannot_do_is_a_problem(data: dict[str, Any], field: str) -> None:
    assert [(where, named) for where, named, _ in problems(give(**data))] == [("handoff", field)]
