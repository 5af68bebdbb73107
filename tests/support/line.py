"""The straight line for tests: Meta played by the sandbox, the intake really served, the workers' steps run by hand."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from channels.routing import ProtocolTypeRouter
from django.conf import LazySettings
from django.core.cache import cache
from django.core.handlers.asgi import ASGIHandler
from django.utils import timezone
from starlette.applications import Starlette

from apps.conversations import delivery, inbound, turns
from apps.conversations.models import AccountAddress, Conversation, Message, WebhookEvent
from apps.core import outbox
from apps.meta.intake import Intake
from apps.organizations.models import Organization
from apps.whatsapp.models import WhatsAppAccount
from tests.support.meta import SandboxServer

CUSTOMER = "5511999990001"


class Line:
    """What a worker would do, step by step, until nothing is due."""

    def __init__(self, url: str, meta: SandboxServer) -> None:
        self.url = url
        self.meta = meta

    def run(self) -> None:
        """Drain, take turns, deliver and publish, until all of it is done and its statuses are in."""
        for _ in range(100):
            inbound.drain()
            turns.take()
            delivery.deliver()
            outbox.publish()
            self.meta.wait_idle()
            if not WebhookEvent.objects.filter(state="pending").exists() and not self._due():
                return
        raise AssertionError("The line does not come to rest.")

    def says(self, text: str, customer: str = CUSTOMER, **rest: object) -> str:
        """A customer writes, and all that follows from it is done; answers the message's wamid."""
        wamid = self.meta.say(text, customer=customer, **rest).wamid
        self.run()
        return wamid

    def messages(self) -> list[tuple[str, str, str]]:
        """(author, text, status) of every message, in the order of conversations and their lines."""
        return list(Message.objects.order_by("conversation_id", "seq").values_list("author", "text", "status"))

    def _due(self) -> bool:
        now = timezone.now()
        return (
            Conversation.objects.filter(turn_due_at__lte=now).exists()
            or Conversation.objects.filter(delivery_due_at__lte=now).exists()
        )


class Served:
    """An intake, and Django behind it, served by uvicorn in a thread."""

    def __init__(self) -> None:
        intake = Intake(ASGIHandler())
        app = ProtocolTypeRouter({"http": intake, "lifespan": Starlette(lifespan=intake.lifespan)})
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the server fell over at its start"
            time.sleep(0.005)

    def stop(self) -> None:
        """Stop serving; returns when the last request is done."""
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[SandboxServer]:
    server = SandboxServer().start()
    yield server
    server.stop()


@pytest.fixture
def meta(_sandbox: SandboxServer, settings: LazySettings) -> SandboxServer:
    """Meta: a sandbox without faults, to which the Graph client speaks."""
    _sandbox.reset()
    settings.META_GRAPH_URL = _sandbox.graph_url
    cache.clear()
    return _sandbox


@pytest.fixture
def number(organization: Organization, meta: SandboxServer) -> WhatsAppAccount:
    """A WhatsApp number of the first organization, signed with the application's secret."""
    return make_number(organization, meta.phone_number_id, waba=meta.waba_id)


def make_number(
    organization: Organization, phone_number_id: str, *, waba: str = "", **fields: object
) -> WhatsAppAccount:
    """A verified number with its addresses."""
    account = WhatsAppAccount(
        organization=organization,
        channel="whatsapp",
        **{
            "name": "Padaria Sol",
            "phone_number": f"55119{phone_number_id[-8:]}",
            "phone_number_id": phone_number_id,
            "whatsapp_business_account_id": waba,
            "access_token": "a-token-of-the-sandbox",
            "verified_at": timezone.now(),
            **fields,
        },
    )
    account.seal()
    account.save()
    for kind, external_id in (("phone_number_id", phone_number_id), ("waba", waba)):
        if external_id:
            AccountAddress.objects.create(
                organization=organization, account=account, channel="whatsapp", kind=kind, external_id=external_id
            )
    return account


@pytest.fixture
def line(transactional_db: None, number: WhatsAppAccount, meta: SandboxServer) -> Iterator[Line]:
    """The whole line over a real intake."""
    served = Served()
    meta.configure(webhook_url=f"{served.url}/api/v1/whatsapp/webhook")
    yield Line(served.url, meta)
    served.stop()
