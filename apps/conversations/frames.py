"""What a socket is told: the outbox's events in the REST shapes, each loaded and serialized once, whoever listens."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.utils import timezone

from apps.conversations.models import Conversation, HandoverLog, Message
from apps.conversations.serializers import conversations, messages
from apps.core import outbox
from apps.core.models import OutboxEvent
from apps.organizations.models import SignIn


@dataclass(frozen=True)
class Frame:
    """One text for a socket: an event, with its `seq`, or something said in passing, without."""

    text: str
    seq: int | None = None
    conversation_id: UUID | None = None
    by: UUID | None = None
    """The person whose doing it is and who is not told of it."""


@dataclass(frozen=True)
class Subject:
    """What an event is about, as clients see it."""

    data: dict[str, Any]
    conversation_id: UUID | None = None


@dataclass(frozen=True)
class News:
    """The next events of an organization, and the sessions that may hear of them: id -> the user's password hash."""

    frames: Sequence[Frame]
    sessions: dict[UUID, str] | None
    """None: nothing is to be heard, so nobody's rights were looked at."""

    def may_hear(self, session_id: UUID, password: str) -> bool:
        """Whether a session that was good with this password hash still is."""
        return self.sessions is None or self.sessions.get(session_id) == password


Loader = Callable[[UUID, Collection[UUID]], dict[UUID, Subject]]
_loaders: dict[str, Loader] = {}


def loads(*types: str) -> Callable[[Loader], Loader]:
    """Decorate what loads the subjects of such events by (organization id, ids), in a constant number of queries."""

    def register(loader: Loader) -> Loader:
        _loaders.update(dict.fromkeys(types, loader))
        return loader

    return register


def look(organization_id: UUID, after: int, limit: int, sessions: Collection[UUID], *, is_spoken: bool = False) -> News:
    """The events after a `seq`, and which of the sessions may hear; asked only if there is anything to hear."""
    frames = render(organization_id, outbox.since(organization_id, after, limit))
    return News(frames, live(organization_id, sessions) if frames or is_spoken else None)


def live(organization_id: UUID, sessions: Collection[UUID]) -> dict[UUID, str]:
    """Those of the sessions that are not over, with the password hash: a session ends as that changes."""
    signed_in = SignIn.objects.filter(
        pk__in=sessions,
        revoked_at=None,
        expires_at__gt=timezone.now(),
        user__is_active=True,
        user__organization_id=organization_id,
        user__organization__is_active=True,
    )
    return dict(signed_in.values_list("pk", "user__password"))


def render(organization_id: UUID, events: Sequence[OutboxEvent]) -> list[Frame]:
    """The frames of events, in their order. Events about one subject show it as it is now; one that is gone, its id."""
    wanted: dict[Loader, set[UUID]] = {}
    for event in events:
        if event.type in _loaders:
            wanted.setdefault(_loaders[event.type], set()).add(event.subject_id)
    loaded = {loader: loader(organization_id, ids) for loader, ids in wanted.items()}
    written: dict[tuple[Loader | None, UUID], tuple[orjson.Fragment, UUID | None]] = {}
    frames = []
    for event in events:
        loader = _loaders.get(event.type)
        key = (loader, event.subject_id)
        if key not in written:
            found = loaded[loader].get(event.subject_id) if loader else None
            subject = found or Subject({"id": event.subject_id})
            written[key] = (orjson.Fragment(_json(subject.data)), subject.conversation_id)
        data, conversation_id = written[key]
        text = _json({"type": event.type, "seq": event.seq, "data": data}).decode()
        frames.append(Frame(text, seq=event.seq, conversation_id=conversation_id))
    return frames


def said(type: str, data: dict[str, Any], *, conversation_id: UUID | None = None, by: UUID | None = None) -> Frame:
    """Something said in passing: typing, presence."""
    return Frame(_json({"type": type, "data": data}).decode(), conversation_id=conversation_id, by=by)


def reply(type: str, **fields: Any) -> Frame:
    """An answer to one socket."""
    return Frame(_json({"type": type, **fields}).decode())


@loads("message.created", "message.updated")
def _messages(organization_id: UUID, ids: Collection[UUID]) -> dict[UUID, Subject]:
    found = list(Message.objects.filter(organization=organization_id, pk__in=ids).prefetch_related("attachments"))
    return {
        message.pk: Subject(shape, message.conversation_id)
        for message, shape in zip(found, messages.shapes(found), strict=True)
    }


@loads("conversation.created", "conversation.updated")
def _conversations(organization_id: UUID, ids: Collection[UUID]) -> dict[UUID, Subject]:
    found = list(conversations.shown(Conversation.objects.filter(organization=organization_id, pk__in=ids)))
    return {
        conversation.pk: Subject(shape, conversation.pk)
        for conversation, shape in zip(found, conversations.shapes(found), strict=True)
    }


@loads("handover.changed")
def _handovers(organization_id: UUID, ids: Collection[UUID]) -> dict[UUID, Subject]:
    newest = (
        HandoverLog.objects.filter(organization=organization_id, conversation__in=ids)
        .order_by("conversation_id", "-epoch")
        .distinct("conversation_id")
        .select_related("assignee")
    )
    return {
        log.conversation_id: Subject(
            {
                "conversation_id": log.conversation_id,
                "holder": log.to_holder,
                "holder_epoch": log.epoch,
                "assignee": {"id": log.assignee.pk, "full_name": log.assignee.full_name} if log.assignee else None,
                "reason": log.reason,
                "by": {"kind": log.by, "user_id": log.by_user_id},
            },
            log.conversation_id,
        )
        for log in newest
    }


def _json(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)
