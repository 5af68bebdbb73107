"""Whom no bot answers, a queue takes; without a queue nobody is disturbed."""

from apps.conversations.models import Conversation, HandoverLog, Message
from apps.whatsapp.models import WhatsAppAccount
from tests.support import factories
from tests.support.bots import make_chatbot
from tests.support.line import Line


def test_message_that_no_bot_answers_waits_in_the_queue_with_the_highest_priority(
    line: Line, number: WhatsAppAccount
) -> None:
    factories.make_queue(number.organization, priority=10)
    first = factories.make_queue(number.organization, priority=90)
    factories.make_queue(number.organization, priority=99, is_active=False)
    line.says("Oi")
    conversation = Conversation.objects.get()
    assert (conversation.holder, conversation.status, conversation.queue) == ("human", "queued", first)
    assert (HandoverLog.objects.get().by, HandoverLog.objects.get().reason) == ("system", "no bot answers")
    assert Message.objects.get().processed_by_agent is False
    assert line.meta.sent() == []


def test_chatbot_that_answers_keeps_the_conversation(line: Line, number: WhatsAppAccount) -> None:
    factories.make_queue(number.organization)
    make_chatbot(number, ("message", {"content": "recebido"}))
    line.says("Oi")
    assert Conversation.objects.get().holder == "bot"
    assert line.meta.texts() == ["recebido"]


def test_without_a_queue_the_conversation_stays_open(line: Line, number: WhatsAppAccount) -> None:
    line.says("Oi")
    conversation = Conversation.objects.get()
    assert (conversation.holder, conversation.status, conversation.turn_due_at) == ("bot", "open", None)
