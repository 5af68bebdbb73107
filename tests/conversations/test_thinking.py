"""Turns that are put off or thought about elsewhere: one answer, fenced as any other, and none lost with a worker."""

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from apps.conversations import holding, inbound, thinking, turns
from apps.conversations.authors import Author
from apps.conversations.channels import Content
from apps.conversations.models import Conversation, Message, WebhookItem
from apps.conversations.responders import Detach, Effects, Later, Turn, responders
from apps.organizations.models import User
from tests.support.line import Line

AGENT = uuid.uuid4()


class Slow:
    """A responder that thinks elsewhere, and does as it is told."""

    key = "agents"
    seconds = 0.0
    answer: Effects | Later | Detach = Detach("thinking")
    breaks = False

    def decide(self, turns: Sequence[Turn]) -> Mapping[uuid.UUID, Effects | Later | Detach]:
        return {turn.conversation.pk: self.answer for turn in turns}

    def think(self, turn: Turn) -> Effects:
        time.sleep(self.seconds)
        if self.breaks:
            raise ValueError("no thought came")
        words = f"pensei em {turn.messages[-1].text}"
        return Effects(say=(Content("text", {"text": words}, words),), agent_id=AGENT)

    def save(self, decided: Sequence[tuple[Turn, Effects]]) -> set[uuid.UUID]:
        return {turn.conversation.pk for turn, _ in decided}

    def describe(self, conversations: Iterable[Conversation]) -> dict[uuid.UUID, dict[str, Any]]:
        return {}


@pytest.fixture
def slow() -> Iterator[Slow]:
    before = responders._entries.pop("agents", None)
    responders.register(Slow)
    entry = responders.get("agents")
    assert isinstance(entry, Slow)
    yield entry
    del responders._entries["agents"]
    if before:
        responders._entries["agents"] = before


def detached(line: Line) -> Conversation:
    line.meta.say("Oi")
    inbound.drain()
    turns.take()
    return Conversation.objects.get()


def think(conversation: Conversation) -> None:
    assert conversation.turn_lease
    thinking.think(conversation_id=conversation.pk, lease=conversation.turn_lease, responder="agents")


def test_detached_turn_keeps_its_lease_and_is_answered_once(line: Line, slow: Slow) -> None:
    conversation = detached(line)
    assert conversation.turn_lease is not None
    think(conversation)
    think(conversation)  # the task came twice
    line.run()
    assert line.meta.texts() == ["pensei em Oi"]
    assert Message.objects.filter(author="agent", bot_id=AGENT).count() == 1


def test_lease_is_renewed_while_the_thought_takes_longer(line: Line, slow: Slow, settings: LazySettings) -> None:
    settings.LEASE_SECONDS = 0.3
    slow.seconds = 1.0
    conversation = detached(line)
    think(conversation)
    line.run()
    assert line.meta.texts() == ["pensei em Oi"]


def test_person_who_takes_over_meanwhile_is_not_talked_over(line: Line, slow: Slow, agent: User) -> None:
    conversation = detached(line)
    holding.take(conversation=conversation, by=Author.person(agent))
    think(conversation)
    line.run()
    assert line.meta.sent() == []


def test_thought_that_was_lost_with_its_worker_is_had_again(line: Line, slow: Slow) -> None:
    lost = detached(line)
    Conversation.objects.update(turn_lease_until=timezone.now() - timedelta(seconds=1))
    turns.take()
    again = Conversation.objects.get()
    assert again.turn_lease not in (None, lost.turn_lease)
    think(lost)
    assert not Message.objects.filter(direction="outbound").exists()
    think(again)
    line.run()
    assert line.meta.texts() == ["pensei em Oi"]


def test_thought_that_breaks_counts_as_a_fault_of_its_turn(line: Line, slow: Slow) -> None:
    slow.breaks = True
    for _ in range(5):
        think(detached(line) if not Conversation.objects.exists() else Conversation.objects.get())
        Conversation.objects.update(turn_due_at=timezone.now())
        turns.take()
    assert WebhookItem.objects.get().kind == "turn"


def test_turn_that_is_put_off_comes_again_at_its_time(line: Line, slow: Slow) -> None:
    slow.answer = Later(timezone.now() + timedelta(minutes=5))
    conversation = detached(line)
    assert (conversation.turn_due_at, conversation.turn_lease) == (slow.answer.at, None)
    slow.answer = Detach("thinking")
    Conversation.objects.update(turn_due_at=timezone.now())
    turns.take()
    think(Conversation.objects.get())
    line.run()
    assert line.meta.texts() == ["pensei em Oi"]
