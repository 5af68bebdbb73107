"""Turns that take long: decided on workers of their own, under the lease that the line took, committed as any other."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import cast

from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.conversations import turn_faults, turns
from apps.conversations.models import Conversation
from apps.conversations.responders import Thinker, responders


def think(*, conversation_id: uuid.UUID, lease: uuid.UUID, responder: str) -> None:
    """Let a responder think about a detached turn, and commit what it decides; nothing, if the lease was lost."""
    turn = turns.resume(conversation_id, lease)
    if turn is None:
        return
    thinker = cast(Thinker, responders.get(responder))
    try:
        with _renewed(turn.conversation):
            answer = thinker.think(turn)
        turns.conclude(turn, thinker, answer)
    except Exception as error:  # noqa: BLE001 (the turn's edge: the fault is noted there)
        turn_faults.broke(turn, error)


@contextmanager
def _renewed(conversation: Conversation) -> Iterator[None]:
    """Keep the turn's lease for as long as this lasts."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(settings.LEASE_SECONDS / 3):
            until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
            mine = Conversation.objects.filter(pk=conversation.pk, turn_lease=conversation.turn_lease)
            mine.update(turn_lease_until=until)
            connection.close()  # back to the pool, in which few connections serve many such threads

    thread = threading.Thread(target=renew, name="renew-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
