"""The log lines of the straight line, as the root logger writes them."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from apps.conversations.models import Message, WebhookEvent
from apps.organizations.models import User
from apps.whatsapp.models import WhatsAppAccount
from tests.support.bots import make_chatbot
from tests.support.line import Line

CUSTOMER = "5511987654321"
WORDS = "segredo-do-cliente"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the configured handler of the root logger writes."""
    [handler] = [one for one in logging.getLogger().handlers if one.get_name() == "stdout"]
    assert isinstance(handler, logging.StreamHandler)
    stream = io.StringIO()
    before = handler.setStream(stream)
    yield stream
    handler.setStream(before)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(text) for text in written.getvalue().splitlines()]


def test_one_correlation_id_leads_from_webhook_to_delivery(
    line: Line, number: WhatsAppAccount, written: io.StringIO
) -> None:
    make_chatbot(number, ("message", {"content": f"Eco {WORDS}"}), ("end", {}))
    line.says(WORDS, customer=CUSTOMER, name="Ana Ribeiro")
    event = WebhookEvent.objects.order_by("id").first()
    reply = Message.objects.get(direction="outbound")
    assert event is not None
    story = [entry for entry in lines(written) if entry.get("correlation_id") == str(event.correlation_id)]
    assert [entry["event"] for entry in story] == ["event_done", "turn_taken", "message_sent"]
    assert story[0]["event_id"] == event.pk
    assert story[1]["conversation"] == str(reply.conversation_id)
    assert story[2]["message"] == str(reply.pk)
    assert all(entry["level"] == "info" and entry["timestamp"] for entry in story)


def test_no_line_holds_words_or_numbers_of_people(
    line: Line, number: WhatsAppAccount, written: io.StringIO, agent: User
) -> None:
    make_chatbot(number, ("message", {"content": f"Eco {WORDS}"}), ("end", {}))
    line.says(WORDS, customer=CUSTOMER, name="Ana Ribeiro")
    line.meta.faults(fail={"code": 131026, "details": f"{CUSTOMER} cannot be reached"})
    line.says(WORDS, customer=CUSTOMER)
    line.meta.webhook(
        {"object": "whatsapp_business_account", "entry": [{"id": WORDS, "changes": [{"field": CUSTOMER}]}]}
    )
    line.run()
    assert len(lines(written)) > 6
    for secret in (WORDS, CUSTOMER, CUSTOMER[2:], "Ana Ribeiro", "wamid.", agent.email):
        assert secret not in written.getvalue()


def test_refused_requests_are_logged_without_their_query(client: Client, db: None, written: io.StringIO) -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": WORDS}
    assert client.get("/api/v1/whatsapp/webhook", query).status_code == 403
    assert client.get("/api/v1/contacts", {"search": CUSTOMER}).status_code == 401
    requests = [entry["request"] for entry in lines(written) if entry["event"] == "request_finished"]
    assert requests == ["GET /api/v1/whatsapp/webhook", "GET /api/v1/contacts"]
    assert WORDS not in written.getvalue()
    assert CUSTOMER not in written.getvalue()


def test_error_is_logged_with_its_place_and_without_its_words(written: io.StringIO) -> None:
    try:
        try:
            int(WORDS)
        except ValueError as error:
            raise RuntimeError(CUSTOMER) from error
    except RuntimeError:
        logging.getLogger("apps.core").exception("broke")
    [entry] = lines(written)
    assert entry["event"] == "broke"
    assert "test_error_is_logged_with_its_place" in entry["exception"]
    assert entry["exception"].splitlines()[-1] == "ValueError"
    assert "RuntimeError" in entry["exception"]
    assert WORDS not in written.getvalue().replace("int(WORDS)", "")
    assert CUSTOMER not in written.getvalue()
