"""PostgreSQL fails in the middle of the work: the work stays to be done, and nobody's message is blamed for it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection

from apps.conversations import inbound, turns
from apps.conversations.models import ChannelAccount, Conversation, Message, WebhookEvent, WebhookItem
from tests.support.bots import make_chatbot
from tests.support.line import Line


@contextmanager
def deadlocks_on(event: str, table: str) -> Iterator[None]:
    """Every such statement is broken off as one side of a deadlock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$"
        )
        cursor.execute(f"CREATE TRIGGER break_off BEFORE {event} ON {table} EXECUTE FUNCTION break_off()")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION break_off CASCADE")


def test_drain_that_is_broken_off_leaves_its_events_pending_and_no_dead_letter(line: Line) -> None:
    line.meta.say("Oi")
    with deadlocks_on("INSERT", "conversations_message"), pytest.raises(OperationalError):
        inbound.drain()
    assert WebhookEvent.objects.get().state == "pending"
    assert not WebhookItem.objects.exists()
    assert not Message.objects.exists()
    inbound.drain()
    assert WebhookEvent.objects.get().state == "done"
    assert Message.objects.get().text == "Oi"


def test_turn_that_is_broken_off_counts_as_no_failure_and_is_taken_later(line: Line) -> None:
    make_chatbot(ChannelAccount.objects.get(), ("message", {"content": "recebido"}))
    line.meta.say("Oi")
    inbound.drain()
    with deadlocks_on("UPDATE", "conversations_message"), pytest.raises(OperationalError):
        turns.take()
    conversation = Conversation.objects.get()
    assert (conversation.turn_failures, conversation.handled_seq) == (0, 0)
    Conversation.objects.update(turn_lease_until=conversation.turn_due_at)
    line.run()
    assert line.meta.texts() == ["recebido"]
