"""Flows that wait: delays and time-outs, over the real turn, its wake-ups and a clock that is set."""

from datetime import datetime, timedelta

import time_machine
from django.utils import timezone

from apps.conversations import holding, turns
from apps.conversations.authors import Author
from apps.conversations.models import Conversation, Message, Wakeup
from apps.flows import services
from apps.flows.models import FlowSession
from apps.organizations.models import Organization, User
from tests.flows.canvases import draw, edge, node
from tests.flows.factories import make_chatbot
from tests.flows.test_responder import hear

DELAYED = draw(
    node("start"),
    node("delay", delayMessage="Um momento", duration=10, unit="minutes"),
    node("question", content="Nome?", variableName="nome"),
    node("message", content="Olá {{nome}}"),
)
TIMED = draw(
    node("start"),
    node("question", content="Nome?", variableName="nome"),
    node("message", content="Olá {{nome}}"),
    node("text", content="Ainda aí?"),
    edges=[edge("start", "question"), edge("question", "message"), edge("question", "text", "timeout")],
)


def wake(conversation: Conversation, at: datetime) -> list[str]:
    """What the bot says by itself at this time."""
    conversation.refresh_from_db()
    last = conversation.last_seq
    with time_machine.travel(at, tick=False):
        turns.take()
    said = Message.objects.filter(conversation=conversation, seq__gt=last, direction="outbound")
    return list(said.order_by("seq").values_list("text", flat=True))


def test_a_delay_is_a_wakeup_that_a_later_turn_takes(organization: Organization, conversation: Conversation) -> None:
    make_chatbot(organization, canvas=DELAYED, account=conversation.account)
    began = timezone.now()
    assert hear(conversation, "Oi") == ["Um momento"]
    wakeup = Wakeup.objects.get()
    assert (wakeup.conversation_id, wakeup.key) == (conversation.pk, "flow")
    assert timedelta(minutes=10) <= wakeup.due_at - began < timedelta(minutes=11)
    assert conversation.turn_due_at == wakeup.due_at
    assert wake(conversation, began + timedelta(minutes=9)) == []
    assert wake(conversation, began + timedelta(minutes=11)) == ["Nome?"]
    assert not Wakeup.objects.exists()
    assert wake(conversation, began + timedelta(minutes=30)) == []
    assert hear(conversation, "Ana") == ["Olá Ana"]


def test_what_is_written_during_a_delay_is_heard_after_it(
    organization: Organization, conversation: Conversation
) -> None:
    make_chatbot(organization, canvas=DELAYED, account=conversation.account)
    began = timezone.now()
    hear(conversation, "Oi")
    assert hear(conversation, "Ana") == []
    assert Wakeup.objects.count() == 1
    assert wake(conversation, began + timedelta(minutes=11)) == ["Nome?", "Olá Ana"]
    assert FlowSession.objects.get().ended_at is not None


def test_a_delay_that_passed_while_the_chatbot_was_silent_ends_with_the_next_message(
    organization: Organization, conversation: Conversation
) -> None:
    chatbot = make_chatbot(organization, canvas=DELAYED, account=conversation.account)
    began = timezone.now()
    hear(conversation, "Oi")
    services.deactivate_chatbot(chatbot=chatbot)
    assert wake(conversation, began + timedelta(minutes=11)) == []
    services.activate_chatbot(chatbot=chatbot)
    with time_machine.travel(began + timedelta(minutes=12), tick=False):
        assert hear(conversation, "Ana") == ["Nome?", "Olá Ana"]


def test_a_delay_says_nothing_once_a_person_has_the_conversation(
    organization: Organization, conversation: Conversation, agent: User
) -> None:
    make_chatbot(organization, canvas=DELAYED, account=conversation.account)
    began = timezone.now()
    hear(conversation, "Oi")
    person = Author.person(agent)
    holding.take(conversation=conversation, by=person)
    assert wake(conversation, began + timedelta(minutes=11)) == []
    holding.give_back(conversation=conversation, by=person)
    assert wake(conversation, began + timedelta(minutes=12)) == []
    assert hear(conversation, "Voltei") == ["Um momento"]


def test_a_question_that_nobody_answers_leaves_by_its_timeout(
    organization: Organization, conversation: Conversation
) -> None:
    make_chatbot(organization, canvas=TIMED, account=conversation.account)
    began = timezone.now()
    assert hear(conversation, "Oi") == ["Nome?"]
    assert wake(conversation, began + timedelta(minutes=61)) == ["Ainda aí?"]
    assert FlowSession.objects.get().ended_at is not None


def test_an_answer_in_time_drops_the_timeout(organization: Organization, conversation: Conversation) -> None:
    make_chatbot(organization, canvas=TIMED, account=conversation.account)
    began = timezone.now()
    hear(conversation, "Oi")
    assert hear(conversation, "Ana") == ["Olá Ana"]
    assert not Wakeup.objects.exists()
    assert wake(conversation, began + timedelta(minutes=61)) == []


def test_an_answer_at_the_last_moment_is_heard(organization: Organization, conversation: Conversation) -> None:
    make_chatbot(organization, canvas=TIMED, account=conversation.account)
    began = timezone.now()
    hear(conversation, "Oi")
    with time_machine.travel(began + timedelta(minutes=61), tick=False):
        assert hear(conversation, "Ana") == ["Olá Ana"]
