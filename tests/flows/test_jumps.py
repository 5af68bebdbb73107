"""Flows that jump into others, over the real turn: the session stays one, and silence is silence in all of them."""

from typing import Any

import pytest

from apps.conversations.models import Conversation
from apps.flows import publishing, services
from apps.flows.models import Chatbot, Flow, FlowSession
from apps.organizations.models import Organization
from tests.flows.canvases import draw, node
from tests.flows.factories import main_flow, make_chatbot
from tests.flows.test_responder import hear

CHILD = draw(node("start"), node("question", content="Nome?", variableName="nome"), node("message", content="{{loja}}"))


@pytest.fixture
def child(chatbot: Chatbot) -> Flow:
    """Another flow of the chatbot, into which the main one jumps to come back."""
    child = services.create_flow(chatbot=chatbot, name="Cadastro", canvas_data=CHILD, variables={"loja": "Sol"})
    jump: dict[str, Any] = node("jump", targetFlowId=str(child.pk), return_to_parent=True)
    canvas = draw(node("start"), jump, node("message", content="Olá {{nome}}"))
    services.update_flow(flow=main_flow(chatbot), canvas_data=canvas)
    return child


def test_a_flow_jumps_into_another_and_comes_back_turns_later(conversation: Conversation, child: Flow) -> None:
    assert hear(conversation, "Oi") == ["Nome?"]
    session = FlowSession.objects.get()
    assert (session.state["flow"], session.state["node"]) == (str(child.pk), "question")
    assert hear(conversation, "Ana") == ["Sol", "Olá Ana"]
    assert FlowSession.objects.get().ended_at is not None


def test_a_jump_into_a_flow_that_is_silenced_hands_over(conversation: Conversation, child: Flow) -> None:
    services.deactivate_flow(flow=child)
    assert hear(conversation, "Oi") == []
    assert conversation.holder == "human"
    assert "which is missing or cannot run" in FlowSession.objects.get().problem


def test_a_jump_does_not_leave_the_chatbot(
    organization: Organization, conversation: Conversation, chatbot: Chatbot
) -> None:
    foreign = main_flow(make_chatbot(organization))
    canvas = draw(node("start"), node("jump", targetFlowId=str(foreign.pk)))
    flow = services.update_flow(flow=main_flow(chatbot), canvas_data=canvas)
    assert [problem.code for problem in publishing.errors(flow)] == ["unknown_flow"]
    assert hear(conversation, "Oi") == ["Qual seu nome?"]
