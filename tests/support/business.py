"""The business on the sandbox's other side: it takes webhooks and sends messages."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
from werkzeug import Request, Response

from tests.support.meta import SandboxServer

CUSTOMER = "5511999990001"


@dataclass(frozen=True)
class Webhook:
    """A webhook as it came in."""

    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """What it says."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def values(self) -> list[dict[str, Any]]:
        """The `value` of each change."""
        return [change["value"] for entry in self.json["entry"] for change in entry["changes"]]

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Its messages or statuses."""
        return [item for value in self.values for item in value.get(kind, [])]


@dataclass
class Business:
    """A business on the sandbox: its webhooks so far, how it answers the next ones (200 when none is said), and what it
    does when a customer writes."""

    meta: SandboxServer
    webhooks: list[Webhook] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    on_message: Callable[[], None] | None = None

    def take(self, request: Request) -> Response:
        """Receive a webhook."""
        webhook = Webhook(dict(request.headers), request.get_data())
        self.webhooks.append(webhook)
        if self.on_message is not None and webhook.items("messages"):
            self.on_message()
        return Response(status=self.answers.pop(0) if self.answers else 200)

    def items(self, kind: str) -> list[dict[str, Any]]:
        """All messages or statuses that came, in order."""
        return [item for webhook in self.webhooks for item in webhook.items(kind)]

    def statuses(self) -> list[str]:
        """The names of the statuses that came, in order."""
        return [status["status"] for status in self.items("statuses")]

    def post(self, body: dict[str, Any], *, token: str = "token", **options: Any) -> requests.Response:
        """Call the Graph API's messages edge."""
        return requests.post(
            f"{self.meta.graph_url}/v25.0/{self.meta.phone_number_id}/messages",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            **{"timeout": 10, **options},
        )

    def send(self, content: dict[str, Any] | None = None, *, to: str = CUSTOMER, **options: Any) -> requests.Response:
        """Send a message, a text if nothing else is said."""
        content = content or {"type": "text", "text": {"body": "Oi"}}
        return self.post({"messaging_product": "whatsapp", "to": to, **content}, **options)
