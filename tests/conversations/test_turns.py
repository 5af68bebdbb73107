"""Turns: each answered once, a broken one harms nobody else, and is visible."""

import pytest
from django.utils import timezone

from apps.conversations import inbound, turns
from apps.conversations.models import Conversation, Message, Wakeup, WebhookItem
from apps.whatsapp.models import WhatsAppAccount
from tests.support.bots import make_chatbot
from tests.support.line import Line
from tests.support.poison import poison

ECHO = ("message", {"content": "{{contact.name}}"})


def test_broken_turn_is_a_dead_letter_after_five_times_and_the_others_are_answered(
    line: Line, number: WhatsAppAccount
) -> None:
    make_chatbot(number, ECHO)
    for place in range(5):
        line.meta.say("Oi", customer=f"551198888000{place}", name="veneno" if place == 2 else f"Cliente {place}")
    with poison("veneno"):
        line.run()
        assert sorted(line.meta.texts()) == ["Cliente 0", "Cliente 1", "Cliente 3", "Cliente 4"]
        waiting = Conversation.objects.get(contact__name="veneno")
        assert (waiting.turn_failures, waiting.turn_lease) == (1, None)
        for _ in range(4):
            Conversation.objects.filter(pk=waiting.pk).update(turn_due_at=timezone.now())
            turns.take()
    dead = WebhookItem.objects.get()
    assert (dead.kind, dead.state, dead.organization_id) == ("turn", "dead", number.organization_id)
    assert "veneno" in dead.traceback
    waiting.refresh_from_db()
    assert (waiting.turn_due_at, waiting.turn_failures) == (None, 0)
    assert inbound.replay(dead) is None
    line.run()
    assert line.meta.texts("5511988880002") == ["veneno"]
    assert not WebhookItem.objects.exists()


def test_message_that_comes_during_a_turn_is_owed_the_next_one(line: Line, number: WhatsAppAccount) -> None:
    make_chatbot(number, ("message", {"content": "recebido"}))
    line.meta.say("um")
    inbound.drain()
    decided = turns._decide(turns._claim())[0]
    line.meta.say("dois")
    inbound.drain()
    turns._commit(decided)
    assert Conversation.objects.get().turn_due_at <= timezone.now()  # type: ignore[operator]
    line.run()
    assert line.meta.texts() == ["recebido", "recebido"]


def test_turns_of_many_conversations_take_a_constant_number_of_queries(
    line: Line, number: WhatsAppAccount, django_assert_max_num_queries: object
) -> None:
    make_chatbot(number, ("message", {"content": "recebido"}))
    for place in range(60):
        line.meta.say("Oi", customer=f"5511988880{place:03}")
    inbound.drain()
    with django_assert_max_num_queries(32):  # type: ignore[operator]
        turns.take()
    assert Message.objects.filter(direction="outbound").count() == 60


@pytest.mark.parametrize("field", ["is_active", "auto_response_enabled"])
def test_account_switched_off_between_decision_and_commit_says_nothing(
    line: Line, number: WhatsAppAccount, field: str
) -> None:
    make_chatbot(number, ("message", {"content": "recebido"}))
    line.meta.say("Oi")
    inbound.drain()
    decided = turns._decide(turns._claim())[0]
    setattr(number, field, False)
    number.save()
    turns._commit(decided)
    assert not Message.objects.filter(direction="outbound").exists()


def test_due_wakeup_is_a_turn_and_is_used_up(line: Line, number: WhatsAppAccount) -> None:
    make_chatbot(number, ("message", {"content": "recebido"}))
    line.says("Oi")
    conversation = Conversation.objects.get()
    Wakeup.objects.create(conversation=conversation, key="inactivity", due_at=timezone.now())
    Conversation.objects.update(turn_due_at=timezone.now())
    [turn] = turns._claim()
    assert (turn.messages, turn.wakeups) == ((), ("inactivity",))
    turns._commit(turns._decide([turn])[0])
    assert not Wakeup.objects.exists()
    assert Conversation.objects.get().turn_due_at is None
