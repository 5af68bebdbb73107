"""Times at which conversations want a turn although nobody wrote."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import Min

from apps.conversations.models import Wakeup


def due(conversations: Iterable[uuid.UUID], now: datetime) -> dict[uuid.UUID, list[str]]:
    """The keys of the wake-ups that are due, by conversation."""
    found: dict[uuid.UUID, list[str]] = {}
    rows = Wakeup.objects.filter(conversation_id__in=conversations, due_at__lte=now)
    for pk, key in rows.values_list("conversation_id", "key"):
        found.setdefault(pk, []).append(key)
    return found


def change(wanted: Mapping[uuid.UUID, Mapping[str, datetime | None]]) -> None:
    """Set wake-ups of conversations by their keys, or drop those whose time is None."""
    rows = [(pk, key, due_at) for pk, changes in wanted.items() for key, due_at in changes.items()]
    for key in {key for _, key, _ in rows}:
        Wakeup.objects.filter(conversation_id__in=[pk for pk, named, _ in rows if named == key], key=key).delete()
    Wakeup.objects.bulk_create(
        [Wakeup(conversation_id=pk, key=key, due_at=due_at) for pk, key, due_at in rows if due_at]
    )


def drop_due(conversations: list[uuid.UUID], now: datetime) -> None:
    """Forget the wake-ups that a turn has used up."""
    if conversations:
        Wakeup.objects.filter(conversation_id__in=conversations, due_at__lte=now).delete()


def next_due(conversations: list[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """When each conversation that has wake-ups wants its next turn."""
    rows = Wakeup.objects.filter(conversation_id__in=conversations).values("conversation_id")
    return dict(rows.annotate(next=Min("due_at")).values_list("conversation_id", "next"))
