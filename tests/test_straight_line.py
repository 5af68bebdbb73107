"""The story of Recado: a customer writes, a chatbot answers, a person takes over, and the bot falls silent."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from apps.conversations.models import Conversation, HandoverLog, Message
from apps.core.models import OutboxEvent
from apps.flows import services as flows
from apps.flows.models import Chatbot
from apps.organizations.models import User
from apps.whatsapp.models import WhatsAppAccount
from tests.support.bots import ASKS_THE_NAME, make_chatbot
from tests.support.line import Line


@pytest.fixture
def chatbot(number: WhatsAppAccount) -> Chatbot:
    return make_chatbot(number, *ASKS_THE_NAME)


def test_customer_is_asked_for_their_name_and_greeted_with_it(line: Line, chatbot: Chatbot) -> None:
    line.says("Oi")
    line.says("Ana")
    assert line.meta.texts() == ["Qual seu nome?", "Olá Ana"]
    assert line.messages() == [
        ("contact", "Oi", "received"),
        ("bot", "Qual seu nome?", "read"),
        ("contact", "Ana", "received"),
        ("bot", "Olá Ana", "read"),
    ]
    assert list(Message.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2, 3, 4]
    assert list(Message.objects.filter(direction="inbound").values_list("processed_by_agent", flat=True)) == [True] * 2


def test_conversation_keeps_its_chatbot_after_the_flow_has_ended(line: Line, chatbot: Chatbot) -> None:
    line.says("Oi")
    assert Conversation.objects.get().active_chatbot_id == chatbot.pk
    line.says("Ana")
    conversation = Conversation.objects.get()
    assert (conversation.chatbot_id, conversation.active_chatbot_id) == (chatbot.pk, None)
    assert (conversation.status, conversation.closed_at) == ("open", None)


def test_next_message_after_the_end_starts_the_flow_again(line: Line, chatbot: Chatbot) -> None:
    for words in ("Oi", "Ana", "Oi de novo", "Bia"):
        line.says(words)
    assert line.meta.texts() == ["Qual seu nome?", "Olá Ana", "Qual seu nome?", "Olá Bia"]


def test_person_takes_over_with_one_call_and_the_bot_falls_silent(
    line: Line, chatbot: Chatbot, agent: User, api: Callable[..., APIClient]
) -> None:
    line.says("Oi")
    conversation = Conversation.objects.get()
    answer = api(agent).post(f"/api/v1/conversations/{conversation.pk}/handover/human/")
    assert answer.status_code == 200
    line.says("Ana")
    assert line.meta.texts() == ["Qual seu nome?"]
    conversation.refresh_from_db()
    assert (conversation.holder, conversation.assignee, conversation.status) == ("human", agent, "active")
    log = HandoverLog.objects.get()
    assert (log.from_holder, log.to_holder, log.by_user, log.epoch) == ("bot", "human", agent, 1)


def test_reply_of_a_person_takes_over_without_a_button(
    line: Line, chatbot: Chatbot, agent: User, api: Callable[..., APIClient]
) -> None:
    line.says("Oi")
    conversation = Conversation.objects.get()
    answer = api(agent).post(
        f"/api/v1/conversations/{conversation.pk}/messages",
        {"message_type": "text", "content": {"text": "Aqui é a Carla."}},
    )
    assert answer.status_code == 201
    line.says("Ana")
    assert line.meta.texts() == ["Qual seu nome?", "Aqui é a Carla."]


def test_bot_answers_the_next_message_after_it_gets_the_conversation_back(
    line: Line, chatbot: Chatbot, agent: User, api: Callable[..., APIClient]
) -> None:
    line.says("Oi")
    conversation = Conversation.objects.get()
    client = api(agent)
    client.post(f"/api/v1/conversations/{conversation.pk}/handover/human")
    line.says("alguém aí?")
    client.post(f"/api/v1/conversations/{conversation.pk}/handover/bot", {"reason": "resolvido"})
    line.run()
    assert line.meta.texts() == ["Qual seu nome?"], "what came while a person held it is not answered"
    line.says("Oi")
    assert len(line.meta.texts()) == 2


def test_closed_conversation_is_followed_by_a_new_one_that_the_bot_answers(
    line: Line, chatbot: Chatbot, agent: User, api: Callable[..., APIClient]
) -> None:
    line.says("Oi")
    conversation = Conversation.objects.get()
    api(agent).post(f"/api/v1/conversations/{conversation.pk}/close", {"reason": "fim"})
    line.says("voltei")
    assert Conversation.objects.count() == 2
    assert line.meta.texts() == ["Qual seu nome?", "Qual seu nome?"]


@pytest.mark.parametrize("switch", ["chatbot", "flow", "account", "auto_response"])
def test_nothing_that_is_inactive_answers(line: Line, chatbot: Chatbot, number: WhatsAppAccount, switch: str) -> None:
    if switch == "chatbot":
        flows.deactivate_chatbot(chatbot=chatbot)
    elif switch == "flow":
        flows.deactivate_flow(flow=chatbot.flows.get())
    else:
        field = "is_active" if switch == "account" else "auto_response_enabled"
        setattr(number, field, False)
        number.save()
    line.says("Oi")
    assert line.meta.sent() == []
    assert Message.objects.get().text == "Oi"
    assert Conversation.objects.get().turn_due_at is None


def test_events_are_numbered_without_gaps(line: Line, chatbot: Chatbot) -> None:
    line.says("Oi")
    events = list(OutboxEvent.objects.order_by("seq").values_list("seq", "type"))
    assert [seq for seq, _ in events] == list(range(1, len(events) + 1))
    assert {"conversation.created", "message.created", "message.updated"} <= {type for _, type in events}
