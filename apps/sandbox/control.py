"""The control API, JSON below `/api/`: with it people, tests and the phone page play the customers and Meta's moods."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from apps.sandbox import faults, media, receiving
from apps.sandbox.settings import Number
from apps.sandbox.state import Entry, Sandbox
from apps.sandbox.webhooks import Sender

HEARTBEAT_SECONDS = 15.0
Model = TypeVar("Model", bound=BaseModel)


class Control:
    """The endpoints, over one sandbox."""

    def __init__(self, sandbox: Sandbox, sender: Sender) -> None:
        self.sandbox = sandbox
        self.sender = sender
        self.routes = [
            Route("/say", self.say, methods=["POST"]),
            Route("/webhook", self.webhook, methods=["POST"]),
            Route("/verify", self.verify, methods=["POST"]),
            Route("/media", self.add_media, methods=["POST"]),
            Route("/media/{media_id}", self.show_media),
            Route("/sent", self.sent),
            Route("/chats", self.chats),
            Route("/chats/{customer}", self.chat),
            Route("/events", self.events),
            Route("/faults", self.show_faults),
            Route("/faults", self.set_faults, methods=["PUT"]),
            Route("/settings", self.show_settings),
            Route("/settings", self.set_settings, methods=["PUT"]),
            Route("/state", self.show_state),
            Route("/state", self.clear, methods=["DELETE"]),
        ]

    async def say(self, request: Request) -> Response:
        """A customer writes: `{from, text | message, name?, user_id?, phone_number_id?, wait?}`."""
        said = await _parsed(request, receiving.Say)
        outcome = await receiving.say(self.sandbox, self.sender, self._number(said.phone_number_id), said)
        return _json({"id": outcome.id, "answers": outcome.answers})

    async def webhook(self, request: Request) -> Response:
        """Sign this body and send it as it is."""
        return _json({"answers": await receiving.forward(self.sandbox, self.sender, await _body(request))})

    async def verify(self, _: Request) -> Response:
        """Ask the webhook address for Meta's GET verification."""
        settings = self.sandbox.settings
        return _json({"verified": await self.sender.verify(settings.webhook_url, settings.verify_token)})

    async def add_media(self, request: Request) -> Response:
        """Keep the request's body as a customer's file, to be named by its id in a message."""
        medium = media.store(
            self.sandbox,
            content=await request.body(),
            mime_type=request.headers.get("content-type", "application/octet-stream"),
            filename=request.query_params.get("filename", "file"),
            seconds=media.RECEIVED_SECONDS,
        )
        return _json(media.description(medium), 201)

    async def show_media(self, request: Request) -> Response:
        """A file, for the phone page."""
        medium = self.sandbox.media.get(request.path_params["media_id"])
        if medium is None:
            raise HTTPException(404)
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
        return Response(medium.content, media_type=medium.mime_type, headers=headers)

    async def sent(self, request: Request) -> Response:
        """The accepted messages after the first `since`; waits up to `timeout` seconds for `at_least` in all."""
        query = request.query_params
        await self.sandbox.wait_for_sent(int(query.get("at_least", 0)), float(query.get("timeout", 0)))
        since = int(query.get("since", 0))
        return _json([_sent(entry) for entry in self.sandbox.sent[since:]])

    async def chats(self, _: Request) -> Response:
        """The customers, the last to write or be written to first."""
        chats = sorted(self.sandbox.chats.items(), key=lambda chat: chat[1][-1].time, reverse=True)
        return _json(
            [
                {"customer": key, "name": self.sandbox.customers[key].name, "last": entries[-1].as_json()}
                for key, entries in chats
            ]
        )

    async def chat(self, request: Request) -> Response:
        """Both directions of one customer's chat, oldest first."""
        customer = self.sandbox.customer(request.path_params["customer"])
        entries = self.sandbox.chats.get(customer.key, []) if customer else []
        return _json([entry.as_json() for entry in entries])

    async def events(self, request: Request) -> Response:
        """Server-sent events: messages, statuses, typing, webhooks; of one `customer` if named."""
        return StreamingResponse(
            self._stream(request.query_params.get("customer")),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def show_faults(self, _: Request) -> Response:
        """The faults that are on."""
        return _json(self.sandbox.faults.as_json())

    async def set_faults(self, request: Request) -> Response:
        """Switch on exactly these faults; what the last ones held back is sent."""
        self.sandbox.faults.replace(await _parsed(request, faults.FaultSet))
        self.sender.release()
        return _json(self.sandbox.faults.as_json())

    async def show_settings(self, _: Request) -> Response:
        """All settings."""
        return _json(self.sandbox.settings.as_json())

    async def set_settings(self, request: Request) -> Response:
        """Change the settings that are given."""
        try:
            self.sandbox.settings = self.sandbox.settings.changed(await _body(request))
        except ValidationError as error:
            raise HTTPException(400, str(error)) from error
        return _json(self.sandbox.settings.as_json())

    async def show_state(self, request: Request) -> Response:
        """How much is pending; waits up to `timeout` seconds for nothing to be."""
        await self.sender.wait_idle(float(request.query_params.get("timeout", 0)))
        return _json({"pending": self.sender.pending, "sent": len(self.sandbox.sent)})

    async def clear(self, _: Request) -> Response:
        """Forget everything, the settings changed since the start too."""
        self.sender.clear()
        self.sandbox.clear()
        return Response(status_code=204)

    async def _stream(self, customer: str | None) -> AsyncIterator[bytes]:
        queue = self.sandbox.listen()
        try:
            yield b": listening\n\n"
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if customer is None or event.get("customer", customer) == customer:
                    yield b"data: " + orjson.dumps(event) + b"\n\n"
        finally:
            self.sandbox.unlisten(queue)

    def _number(self, phone_number_id: str | None) -> Number:
        """The number with this id, or the first."""
        numbers = self.sandbox.settings.numbers
        number = self.sandbox.settings.number(phone_number_id) if phone_number_id else next(iter(numbers), None)
        if number is None:
            raise HTTPException(404, "There is no such number.")
        return number


def _sent(entry: Entry) -> dict[str, Any]:
    body = entry.message
    return {
        "wamid": entry.id,
        "phone_number_id": entry.phone_number_id,
        "to": entry.customer,
        "body": body,
        "time": entry.time,
        "status": entry.status,
        "biz_opaque_callback_data": body.get("biz_opaque_callback_data"),
    }


def _json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


async def _body(request: Request) -> dict[str, Any]:
    """The request's JSON object. The content type is insisted on: it keeps other sites' forms out."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise HTTPException(415, "Send application/json.")
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise HTTPException(400, "This is not JSON.") from error
    if not isinstance(body, dict):
        raise HTTPException(400, "Send a JSON object.")
    return body


async def _parsed(request: Request, model: type[Model]) -> Model:
    try:
        return model.model_validate(await _body(request))
    except ValidationError as error:
        raise HTTPException(400, str(error)) from error
