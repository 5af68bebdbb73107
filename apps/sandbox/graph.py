"""The Graph API as WhatsApp's business side sees it: `/graph/{version}/{node}/{edge}`."""

import asyncio
import re
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from apps.sandbox import connection, faults, media, nodes, sending
from apps.sandbox.errors import GraphError
from apps.sandbox.settings import Number
from apps.sandbox.state import Sandbox
from apps.sandbox.webhooks import Sender

PATH = re.compile(r"/graph/(?:v\d+\.\d+/)?(?P<node>[\w.-]+)(?:/(?P<edge>\w+))?/?$")
EXPIRED_TOKEN = "EXPIRED"


class Graph:
    """An ASGI application of its own, without a router: sends are the hot path of every benchmark."""

    def __init__(self, sandbox: Sandbox, sender: Sender) -> None:
        self.sandbox = sandbox
        self.sender = sender

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            answer = await self._answer(request, receive)
        except GraphError as error:
            answer = json_response(error.as_json(), error.status)
        if answer is not None:
            await answer(scope, receive, send)

    async def _answer(self, request: Request, receive: Receive) -> Response | None:
        """The answer; None when the connection is gone."""
        path = PATH.search(request.scope["path"])
        if path is None:
            raise GraphError(2500, message="Unknown path components: " + request.scope["path"], status=400)
        node, edge = path.group("node"), path.group("edge")
        check_token(self.sandbox, request)
        number = self.sandbox.settings.number(node)
        if number is not None and edge == "messages" and request.method == "POST":
            return await self._send(request, receive, number)
        if number is not None and edge == "media" and request.method == "POST":
            return json_response(await media.upload(self.sandbox, request))
        if edge is None and node in self.sandbox.media:
            return json_response(media.node(self.sandbox, request, node, request.scope["path"][: path.start()]))
        return json_response(await nodes.answer(self.sandbox, self.sender, request, node, edge))

    async def _send(self, request: Request, receive: Receive, number: Number) -> Response | None:
        """Accept a message or a read mark, as the faults have it."""
        body = _json_body(await request.body())
        customer = "".join(filter(str.isdigit, str(body.get("to") or ""))) or str(body.get("recipient") or "")
        strike = self.sandbox.faults.strike
        if body.get("status") == "read":
            return json_response(sending.read(self.sandbox, body))
        if strike(faults.Reset, customer=customer):
            await connection.reset(receive)
            return None
        if hang := strike(faults.Hang, customer=customer):
            await connection.hang(receive, hang.seconds)
            return None
        if error := strike(faults.Error, customer=customer):
            raise GraphError(error.code, error.details, status=error.status)
        answer = sending.accept(self.sandbox, self.sender, number, body)
        if strike(faults.DropAnswer, customer=customer):
            await connection.close(receive)
            return None
        if slow := strike(faults.Slow, customer=customer):
            await asyncio.sleep(slow.seconds)
        return json_response(answer)


def check_token(sandbox: Sandbox, request: Request) -> None:
    """Raise GraphError unless the request carries a token that works, as a header or in the query."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        token = request.query_params.get("access_token", "")
    known = sandbox.settings.tokens
    if token.startswith(EXPIRED_TOKEN):
        raise GraphError(
            190,
            message="Error validating access token: Session has expired on Sunday, 01-Nov-26 00:00:00 PST.",
            subcode=463,
        )
    if not token or (known is not None and token not in known):
        raise GraphError(190, message="Invalid OAuth access token - Cannot parse access token")


async def refuse(_: Request, error: Exception) -> Response:
    """Show a GraphError that another endpoint raised."""
    assert isinstance(error, GraphError)
    return json_response(error.as_json(), error.status)


def json_response(body: Any, status: int = 200) -> Response:
    """An answer of Graph."""
    return Response(orjson.dumps(body), status, media_type="application/json; charset=UTF-8")


def _json_body(raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise GraphError(100, message="(#100) The request body must be a JSON object.")
    return body
