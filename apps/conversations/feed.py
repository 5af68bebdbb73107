"""One organization's news for all its sockets in this process: read once, serialized once, told to each in order.

A socket is told from `position` on. It lives (hears the feed directly) once its position has caught up with the feed's;
until then, and while it resumes, it reads what it missed by itself. Both happen without a pause between the look at the
feed's position and the change to living, so nothing is missed, and what is not above its position is not told again.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import django.db
import structlog
from channels.db import database_sync_to_async
from channels.layers import BaseChannelLayer, get_channel_layer
from django.utils import timezone
from redis import RedisError

from apps.conversations import frames
from apps.conversations.frames import Frame
from apps.core import outbox

logger = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0  # an announcement may be lost, or Redis be away: look all the same
RESUME_SECONDS = 0.5  # after `ready`, so long live events wait for a client that means to resume
BATCH = 200
WAITING = 1_000  # frames a slow socket may owe before it is closed, to come back and resume

UNAUTHENTICATED, NO_ACCESS, TOO_SLOW, UNAVAILABLE = 4001, 4003, 4008, 1013

Send = Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Resume:
    """A client's wish to be told everything after `since`."""

    since: int


@dataclass(eq=False)
class Listener:
    """A signed-in socket."""

    user_id: UUID
    session_id: UUID
    password: str
    expires_at: datetime
    end: Callable[[int], None]
    """Closes the socket with a code; does not wait."""
    position: int = 0
    is_live: bool = False
    conversations: set[UUID] = field(default_factory=set)
    """Those it wants to hear of; empty: all."""
    waiting: asyncio.Queue[Frame | Resume] = field(default_factory=lambda: asyncio.Queue(WAITING))

    def put(self, *items: Frame | Resume) -> None:
        """Put in line what it is to be told."""
        for item in items:
            try:
                self.waiting.put_nowait(item)
            except asyncio.QueueFull:
                self.end(TOO_SLOW)
                return

    def wants(self, frame: Frame) -> bool:
        """Whether it asked to hear of this."""
        if frame.by == self.user_id:
            return False
        return not (self.conversations and frame.conversation_id) or frame.conversation_id in self.conversations


class Feed:
    """Listens for one organization as long as somebody listens to it."""

    def __init__(self, organization_id: UUID) -> None:
        self.organization_id = organization_id
        self.seq = 0
        self._listeners: set[Listener] = set()
        self._spoken: list[Frame] = []
        self._news = asyncio.Event()
        self._begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._deliver())]

    @property
    def people(self) -> set[UUID]:
        """Who is here, in this process."""
        return {listener.user_id for listener in self._listeners}

    def is_alone(self, listener: Listener) -> bool:
        """Whether the person has no other socket in this process."""
        return not any(other is not listener and other.user_id == listener.user_id for other in self._listeners)

    async def serve(self, listener: Listener, send: Send) -> None:
        """Tell the listener everything in order, from `ready` on, until cancelled."""
        ready_until = asyncio.get_running_loop().time() + RESUME_SECONDS
        await send(frames.reply("ready", seq=listener.position).text)
        while True:
            try:
                async with asyncio.timeout_at(None if listener.is_live else ready_until):
                    item = await listener.waiting.get()
            except TimeoutError:
                await self._catch_up(listener, send)
                continue
            if isinstance(item, Resume):
                await self._resume(listener, item.since, send)
            elif item.seq is None or item.seq > listener.position:
                await self._tell(listener, item, send)

    async def say(self, type: str, data: dict[str, Any], *, by: UUID, conversation_id: UUID | None = None) -> None:
        """Tell the whole organization something in passing; with Redis away, those in this process."""
        said = {
            "type": "inbox.said",
            "said": type,
            "data": data,
            "by": str(by),
            "conversation_id": str(conversation_id) if conversation_id else None,
        }
        try:
            async with asyncio.timeout(1):
                await _layer().group_send(outbox.group(self.organization_id), said)
        except (RedisError, OSError):
            await self._hear(said)

    def leave(self, listener: Listener) -> None:
        """Stop telling the listener; the last one ends the feed."""
        self._listeners.discard(listener)
        if not self._listeners and _feeds.get(self.organization_id) is self:
            del _feeds[self.organization_id]
            for task in self._tasks:
                task.cancel()

    async def _admit(self, listener: Listener) -> None:
        self._listeners.add(listener)
        try:
            await asyncio.shield(self._begun)
        except (django.db.Error, asyncio.CancelledError):
            self.leave(listener)
            raise
        listener.position = self.seq

    async def _tell(self, listener: Listener, frame: Frame, send: Send) -> None:
        if listener.wants(frame):
            await send(frame.text)
        if frame.seq is not None:
            listener.position = frame.seq

    async def _resume(self, listener: Listener, since: int, send: Send) -> None:
        listener.is_live = False
        if since > await _ask(outbox.last_seq, self.organization_id):
            await self._resync(listener, send)
        else:
            listener.position = since
        await self._catch_up(listener, send)

    async def _catch_up(self, listener: Listener, send: Send) -> None:
        """Read and tell what the feed has told already, and live from there."""
        while listener.position < self.seq:
            news = await _ask(frames.look, self.organization_id, listener.position, BATCH, [listener.session_id])
            if not news.frames or news.frames[0].seq != listener.position + 1:
                await self._resync(listener, send)
            elif not news.may_hear(listener.session_id, listener.password):
                listener.end(NO_ACCESS)
                return
            else:
                for frame in news.frames:
                    await self._tell(listener, frame, send)
        listener.is_live = True

    async def _resync(self, listener: Listener, send: Send) -> None:
        """What was asked for is kept no more: the client reads the inbox anew, and hears what comes after."""
        listener.position = self.seq
        await send(frames.reply("resync").text)

    async def _deliver(self) -> None:
        try:
            self.seq = await _ask(outbox.last_seq, self.organization_id)
        except django.db.Error as error:
            self._begun.set_exception(error)
            return
        self._begun.set_result(None)
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._news.wait()
            self._news.clear()
            try:
                while await self._deliver_batch():
                    pass
            except django.db.Error as error:
                logger.warning("feed_waits", organization=str(self.organization_id), reason=type(error).__name__)

    async def _deliver_batch(self) -> bool:
        """Tell the next events to everyone who may hear them; whether there may be more."""
        asked = {listener: listener.session_id for listener in self._listeners}
        spoken, self._spoken = self._spoken, []
        news = await _ask(
            frames.look, self.organization_id, self.seq, BATCH, set(asked.values()), is_spoken=bool(spoken)
        )
        now = timezone.now()
        for listener in tuple(self._listeners):  # also who came meanwhile: they have just proven their rights
            session_id = asked.get(listener)
            if listener.expires_at <= now:
                listener.end(UNAUTHENTICATED)
            elif session_id == listener.session_id and not news.may_hear(session_id, listener.password):
                listener.end(NO_ACCESS)
            else:
                listener.put(*spoken, *(news.frames if listener.is_live else ()))
        if news.frames:
            self.seq = news.frames[-1].seq or self.seq
        return len(news.frames) == BATCH

    async def _listen(self) -> None:
        """Hear the announcements of the outbox and what other processes say."""
        layer, group = _layer(), outbox.group(self.organization_id)
        while True:
            try:
                channel = await layer.new_channel()
                try:
                    await layer.group_add(group, channel)
                    while True:
                        await self._hear(await layer.receive(channel))
                finally:
                    with contextlib.suppress(RedisError, OSError):
                        await layer.group_discard(group, channel)
            except (RedisError, OSError) as error:
                logger.warning("feed_deaf", organization=str(self.organization_id), reason=type(error).__name__)
                await asyncio.sleep(LOOK_SECONDS)

    async def _hear(self, heard: dict[str, Any]) -> None:
        if heard["type"] == "inbox.said":
            by = UUID(heard["by"])
            if heard["data"].get("status") == "offline" and by in self.people:
                await self.say("presence", {"user_id": str(by), "status": "online"}, by=by)
                return
            conversation_id = UUID(heard["conversation_id"]) if heard["conversation_id"] else None
            self._spoken.append(frames.said(heard["said"], heard["data"], conversation_id=conversation_id, by=by))
        self._news.set()


_feeds: dict[UUID, Feed] = {}


async def join(organization_id: UUID, listener: Listener) -> Feed:
    """The organization's feed, with this listener in it; its position is what `ready` says. django.db.Error if not."""
    feed = _feeds.get(organization_id)
    if feed is None:
        feed = _feeds[organization_id] = Feed(organization_id)
    await feed._admit(listener)
    return feed


def _layer() -> BaseChannelLayer:
    layer = get_channel_layer()
    assert layer is not None, "CHANNEL_LAYERS has a default"
    return layer


def _ask(function: Callable[..., Any], *arguments: Any, **options: Any) -> Awaitable[Any]:
    """Ask the database, in the one thread that does so for all sockets of the process."""
    return database_sync_to_async(function)(*arguments, **options)
