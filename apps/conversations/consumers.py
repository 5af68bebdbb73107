"""/ws/inbox/: signs a socket in and passes on what its client asks; the feed does the telling."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import django.db
import orjson
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from rest_framework_simplejwt.tokens import AccessToken

from apps.conversations import feed, frames
from apps.conversations.feed import Feed, Listener, Resume
from apps.conversations.models import Conversation
from apps.organizations import authentication, permissions
from apps.organizations.models import User

SIGN_IN_SECONDS = 5
MAX_FRAME = 16_384  # characters of a client's frame: a token and some room
MAX_SUBSCRIPTIONS = 1_000


class NoSuchSocket(AsyncWebsocketConsumer):
    """Refuses the handshake at any other address."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        """Answer 403."""
        await self.close()


class BadFrame(Exception):
    """A client's frame cannot be understood or obeyed; the code is for its program."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Access:
    """Who a token lets in, and until when."""

    user: User
    session_id: UUID
    expires_at: datetime


class InboxConsumer(AsyncWebsocketConsumer):
    """One socket.

    Connected -> signed in (by sub-protocol, or by its first frame within 5 s) -> told and heard -> closed: 4001 not or
    no longer signed in, 4003 without rights, 4008 too slow, 1013 the database is away.
    """

    channel_layer_alias = "none"  # the feed listens to Redis, once for all sockets of an organization

    listener: Listener | None = None
    feed: Feed
    _timer: asyncio.TimerHandle | None = None
    _serving: asyncio.Task[None] | None = None
    _ending: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Accept first: a browser is not told why it was refused."""
        offered = list(self.scope["subprotocols"])
        if "bearer" in offered:
            await self.accept(subprotocol="bearer")
            await self._sign_in(offered[-1])
            return
        await self.accept()
        self._timer = asyncio.get_running_loop().call_later(SIGN_IN_SECONDS, self._end, feed.UNAUTHENTICATED)

    async def disconnect(self, code: int) -> None:
        """Leave; others hear of it if it was the person's last socket here."""
        if self._timer:
            self._timer.cancel()
        if self._serving:
            self._serving.cancel()
        if self.listener:
            self.feed.leave(self.listener)
            if self.feed.is_alone(self.listener):
                await self._say_presence("offline")

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Do what a frame asks; one that is wrong is answered, and harms nothing."""
        if self._ending:
            return
        try:
            frame = _parse(text_data)
            if self.listener is None:
                await self._sign_in(frame.get("token") if frame["type"] == "auth" else None)
            else:
                await self._obey(self.listener, frame)
        except BadFrame as error:
            if self.listener is None:
                self._end(feed.UNAUTHENTICATED)
            else:
                self.listener.put(frames.reply("error", code=error.code, message=str(error)))
        except django.db.Error:
            self._end(feed.UNAVAILABLE)

    async def _sign_in(self, token: Any) -> None:
        try:
            access = await database_sync_to_async(_access)(token)
            listener = Listener(access.user.pk, access.session_id, access.user.password, access.expires_at, self._end)
            self.feed = await feed.join(access.user.organization_id, listener)
        except authentication.InvalidToken:
            self._end(feed.UNAUTHENTICATED)
            return
        except django.db.Error:
            self._end(feed.UNAVAILABLE)
            return
        if self._timer:
            self._timer.cancel()
        self.listener = listener
        others = self.feed.people - {listener.user_id}
        self._serving = asyncio.create_task(self._serve(listener))
        listener.put(*(frames.said("presence", {"user_id": str(user), "status": "online"}) for user in others))
        if self.feed.is_alone(listener):
            await self._say_presence("online")

    async def _serve(self, listener: Listener) -> None:
        try:
            await self.feed.serve(listener, self.send)
        except django.db.Error:
            self._end(feed.UNAVAILABLE)
        except OSError:
            return  # the client has gone; disconnect follows

    async def _obey(self, listener: Listener, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "ping":
                listener.put(frames.reply("pong"))
            case "resume":
                listener.put(Resume(_since(frame)))
            case "subscribe":
                conversation_id = _conversation_id(frame)
                if len(listener.conversations) >= MAX_SUBSCRIPTIONS:
                    raise BadFrame("too_many", f"At most {MAX_SUBSCRIPTIONS} conversations.")
                await database_sync_to_async(_check_known)(self.feed.organization_id, conversation_id)
                listener.conversations.add(conversation_id)
            case "unsubscribe":
                listener.conversations.discard(_conversation_id(frame))
            case "typing":
                await self._type(listener, _conversation_id(frame), frame.get("typing", True) is True)
            case "auth":
                await self._renew(listener, frame.get("token"))
            case unknown:
                raise BadFrame("unknown_type", f"There is no frame of type {unknown!r}.")

    async def _type(self, listener: Listener, conversation_id: UUID, is_typing: bool) -> None:
        organization_id = self.feed.organization_id
        await database_sync_to_async(_check_writer)(organization_id, listener)
        await database_sync_to_async(_check_known)(organization_id, conversation_id)
        data = {"conversation_id": str(conversation_id), "user_id": str(listener.user_id), "typing": is_typing}
        await self.feed.say("typing", data, by=listener.user_id, conversation_id=conversation_id)

    async def _renew(self, listener: Listener, token: Any) -> None:
        """A new token for the same person, so that the socket outlives the first one."""
        try:
            access = await database_sync_to_async(_access)(token)
        except authentication.InvalidToken as error:
            raise BadFrame("token_not_valid", error.message) from None
        if access.user.pk != listener.user_id or access.user.organization_id != self.feed.organization_id:
            raise BadFrame("token_not_valid", "The token is another person's.")
        listener.session_id, listener.password = access.session_id, access.user.password
        listener.expires_at = access.expires_at

    async def _say_presence(self, status: str) -> None:
        assert self.listener is not None
        user_id = self.listener.user_id
        await self.feed.say("presence", {"user_id": str(user_id), "status": status}, by=user_id)

    def _end(self, code: int) -> None:
        """Close the socket soon, whatever it is doing; the first reason counts."""
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._close(code))

    async def _close(self, code: int) -> None:
        if self._serving:
            self._serving.cancel()
        await self.close(code=code)


def _access(token: Any) -> Access:
    """Whom an access token lets in; InvalidToken for any other."""
    if not isinstance(token, str):
        raise authentication.InvalidToken("There is no token.")
    user, session = authentication.user_of(token)
    expires_at = datetime.fromtimestamp(AccessToken(token)["exp"], UTC)  # type: ignore[arg-type]  # takes text
    return Access(user, session.pk, expires_at)


def _check_writer(organization_id: UUID, listener: Listener) -> None:
    """BadFrame unless the person may still write; what they might do when they came in does not count."""
    is_live = frames.live(organization_id, [listener.session_id]).get(listener.session_id) == listener.password
    if not is_live or not User.objects.filter(pk=listener.user_id, role__in=permissions.AGENTS).exists():
        raise BadFrame("permission_denied", "You may not do this.")


def _check_known(organization_id: UUID, conversation_id: UUID) -> None:
    """BadFrame unless the conversation is the organization's."""
    if not Conversation.objects.filter(pk=conversation_id, organization=organization_id).exists():
        raise BadFrame("not_found", "There is no such conversation.")


def _parse(text: str | None) -> dict[str, Any]:
    """A client's frame: a JSON object with a `type`."""
    if text is None or len(text) > MAX_FRAME:
        raise BadFrame("invalid_frame", f"Frames are texts of at most {MAX_FRAME} characters.")
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadFrame("invalid_json", "This is not JSON.") from None
    if not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
        raise BadFrame("invalid_frame", "A frame is an object with a type.")
    return frame


def _since(frame: dict[str, Any]) -> int:
    since = frame.get("since")
    if not isinstance(since, int) or isinstance(since, bool) or not 0 <= since < 2**63:
        raise BadFrame("invalid", "since must be a seq.")
    return since


def _conversation_id(frame: dict[str, Any]) -> UUID:
    try:
        return UUID(frame.get("conversation_id"))
    except (ValueError, TypeError, AttributeError):
        raise BadFrame("invalid", "conversation_id must be a UUID.") from None
