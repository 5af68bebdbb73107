"""Handing over from a flow: whom the names mean, and what people find."""

from typing import Any

import pytest

from apps.conversations.models import Conversation, Message
from apps.organizations.models import Department, Organization, Queue, User
from tests.flows.canvases import draw, node
from tests.flows.factories import make_chatbot
from tests.flows.test_responder import hear


@pytest.fixture
def sales(organization: Organization) -> Department:
    return Department.objects.create(organization=organization, name="Vendas Especiais", slug="vendas")


@pytest.fixture
def queues(organization: Organization, other_organization: Organization, sales: Department) -> list[Queue]:
    """The default queue, that of the sales department, and another company's."""
    return [
        Queue.objects.create(organization=organization, name="Geral", slug="geral"),
        Queue.objects.create(organization=organization, name="Balcão", slug="balcao", department=sales),
        Queue.objects.create(organization=other_organization, name="Alheia", slug="alheia"),
    ]


def hand_over(conversation: Conversation, **data: Any) -> list[str]:
    """What the customer hears of a flow that hands over with this data."""
    make_chatbot(
        conversation.organization, canvas=draw(node("start"), node("handoff", **data)), account=conversation.account
    )
    return hear(conversation, "Oi")


@pytest.mark.parametrize("name", ["slug", "name", "pk"])
def test_a_queue_is_found_by_id_slug_or_name(conversation: Conversation, queues: list[Queue], name: str) -> None:
    assert hand_over(conversation, queueId=str(getattr(queues[1], name))) == ["Transferindo para um agente humano..."]
    assert (conversation.holder, conversation.status) == ("human", "queued")
    assert (conversation.queue_id, conversation.department_id) == (queues[1].pk, queues[1].department_id)
    assert conversation.active_chatbot_id is None
    assert Message.objects.get(direction="outbound").status == "queued"


@pytest.mark.parametrize("name", ["vendas", "VENDAS ESPECIAIS"])
def test_a_department_brings_its_queue(
    conversation: Conversation, queues: list[Queue], sales: Department, name: str
) -> None:
    hand_over(conversation, department=name)
    assert (conversation.department_id, conversation.queue_id) == (sales.pk, queues[1].pk)


@pytest.mark.parametrize("field", ["pk", "email", "full_name"])
def test_a_person_gets_it_at_once(conversation: Conversation, agent: User, field: str) -> None:
    hand_over(conversation, handoffType="agent", agentId=str(getattr(agent, field)))
    assert (conversation.assignee_id, conversation.status) == (agent.pk, "active")


@pytest.mark.parametrize("data", [{}, {"queueId": "nenhuma"}, {"queueId": "alheia"}, {"agentId": "viewer@sol.example"}])
def test_who_is_unknown_is_the_default_queue(
    conversation: Conversation, queues: list[Queue], viewer: User, data: dict[str, str]
) -> None:
    hand_over(conversation, **data)
    assert (conversation.queue_id, conversation.assignee_id, conversation.holder) == (queues[0].pk, None, "human")


def test_without_any_queue_people_hold_it_all_the_same(conversation: Conversation) -> None:
    hand_over(conversation, queueId="nenhuma")
    assert (conversation.queue_id, conversation.holder, conversation.status) == (None, "human", "queued")


def test_people_find_its_priority_and_what_they_should_know(conversation: Conversation) -> None:
    hand_over(conversation, priority="urgent", contextMessage="Quer falar de {{contact.name}}")
    assert conversation.priority == "urgent"
    assert conversation.extra_data["handoff_context"] == f"Quer falar de {conversation.contact.name}"


def test_messages_after_a_handoff_are_for_people(conversation: Conversation) -> None:
    make_chatbot(conversation.organization, canvas=draw(node("start"), node("handoff")), account=conversation.account)
    assert hear(conversation, "Oi", "Alô?") == ["Transferindo para um agente humano..."]


def test_an_end_may_tag_and_hand_over(conversation: Conversation) -> None:
    canvas = draw(node("start"), node("end", message="Até já", addTag="vip", endType="handoff", closeConversation=True))
    Conversation.objects.filter(pk=conversation.pk).update(tags=["novo"])
    make_chatbot(conversation.organization, canvas=canvas, account=conversation.account)
    assert hear(conversation, "Oi") == ["Até já"]
    assert (conversation.tags, conversation.holder, conversation.closed_at) == (["novo", "vip"], "human", None)
