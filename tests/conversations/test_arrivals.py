"""What customers do to messages, and what the business says by other programs."""

import time
from typing import Any

from apps.conversations import inbound
from apps.conversations.models import Conversation, HandoverLog, Message, WebhookItem
from apps.whatsapp.models import WhatsAppAccount
from tests.support.bots import ASKS_THE_NAME, make_chatbot
from tests.support.line import CUSTOMER, Line


def send(line: Line, field: str = "messages", **value: Any) -> None:
    metadata = {"phone_number_id": line.meta.phone_number_id, "display_phone_number": "551190000001"}
    change = {"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
    payload = {
        "object": "whatsapp_business_account",
        "entry": [{"id": line.meta.waba_id, "changes": [change]}],
    }
    assert line.meta.webhook(payload) == [200]
    line.run()


def item(type: str, name: str, /, **body: Any) -> dict[str, Any]:
    return {"from": CUSTOMER, "id": name, "timestamp": str(int(time.time())), "type": type, type: body}


def echo(name: str, words: str) -> dict[str, Any]:
    now = str(int(time.time()))
    return {
        "from": "551190000001",
        "to": CUSTOMER,
        "id": name,
        "timestamp": now,
        "type": "text",
        "text": {"body": words},
    }


def test_reaction_changes_the_message_that_it_names_and_is_taken_back(line: Line) -> None:
    wamid = line.says("Oi")
    send(line, messages=[item("reaction", "r.1", message_id=wamid, emoji="👍")])
    assert Message.objects.get().reactions == {"contact": "👍"}
    send(line, messages=[item("reaction", "r.2", message_id=wamid, emoji="")])
    assert Message.objects.get().reactions == {}


def test_reaction_before_its_message_is_parked_and_joined(line: Line) -> None:
    send(line, messages=[item("reaction", "r.1", message_id="m.1", emoji="👍")])
    assert WebhookItem.objects.get().state == "parked"
    send(line, messages=[item("text", "m.1", body="Oi")])
    inbound.join_parked()
    assert Message.objects.get().reactions == {"contact": "👍"}
    assert not WebhookItem.objects.exists()


def test_edit_and_revoke_change_the_message_and_keep_what_it_was(line: Line) -> None:
    wamid = line.says("Oi")
    edit = {"original_message_id": wamid, "message": {"type": "text", "text": {"body": "Olá"}}}
    send(line, messages=[item("edit", "e.1", **edit)])
    message = Message.objects.get()
    assert (message.text, message.content["text"], message.content["before"]["text"]) == ("Olá", "Olá", "Oi")
    assert message.edited_at is not None
    send(line, messages=[item("revoke", "e.2", original_message_id=wamid)])
    message.refresh_from_db()
    assert message.revoked_at is not None


def test_echo_of_the_phone_app_takes_the_conversation_from_the_bot(line: Line, number: WhatsAppAccount) -> None:
    make_chatbot(number, *ASKS_THE_NAME)
    line.says("Oi")
    send(line, "smb_message_echoes", message_echoes=[echo("echo.1", "Aqui é o dono.")])
    conversation = Conversation.objects.get()
    assert (conversation.holder, conversation.status) == ("human", "queued")
    assert (HandoverLog.objects.get().by, HandoverLog.objects.get().by_user) == ("person", None)
    line.says("Ana")
    assert line.meta.texts() == ["Qual seu nome?"]
    assert [author for author, _, _ in line.messages()] == ["contact", "bot", "person", "contact"]


def test_echo_while_a_send_is_unsettled_waits_until_that_is_settled(line: Line, number: WhatsAppAccount) -> None:
    make_chatbot(number, *ASKS_THE_NAME)
    line.meta.faults(drop_answer={"count": 1}, no_statuses={})
    line.says("Oi")
    own = Message.objects.get(direction="outbound")
    assert own.status == "unknown"
    [sent] = line.meta.sent()
    send(line, "smb_message_echoes", message_echoes=[echo(sent["wamid"], "Qual seu nome?")])
    assert WebhookItem.objects.get().kind == "message"
    assert Conversation.objects.get().holder == "bot"
    status = {"id": sent["wamid"], "status": "delivered", "timestamp": str(int(time.time())), "recipient_id": CUSTOMER}
    send(line, statuses=[{**status, "biz_opaque_callback_data": str(own.pk)}])
    inbound.join_parked()
    own.refresh_from_db()
    assert (own.status, own.external_id) == ("delivered", sent["wamid"])
    assert Conversation.objects.get().holder == "bot", "it was our own message"
    assert Message.objects.filter(direction="outbound").count() == 1
    assert not WebhookItem.objects.exists()


def test_system_notice_is_shown_but_neither_opens_the_window_nor_gets_an_answer(
    line: Line, number: WhatsAppAccount
) -> None:
    make_chatbot(number, *ASKS_THE_NAME)
    notice = item("system", "s.1", body="Ana changed her number", wa_id="5511999990002", type="user_changed_number")
    send(line, messages=[notice])
    assert line.meta.sent() == []
    conversation = Conversation.objects.get()
    assert (conversation.last_inbound_at, conversation.unread_count, conversation.turn_due_at) == (None, 0, None)
    assert Message.objects.get().type == "system"
