import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from apps.contacts.models import Contact
from apps.conversations.channels import channels
from apps.conversations.models import Conversation, Message
from apps.organizations.models import Organization
from apps.whatsapp import services
from apps.whatsapp.channel import WhatsApp
from apps.whatsapp.models import WhatsAppAccount
from tests.support.meta import SandboxServer

PAYLOADS = Path(__file__).parents[1] / "payloads" / "whatsapp"


@pytest.fixture(scope="session")
def channel() -> WhatsApp:
    """The channel as the straight line finds it."""
    channel = channels.get("whatsapp")
    assert isinstance(channel, WhatsApp)
    return channel


@pytest.fixture(scope="session")
def payload() -> Callable[[str], dict[str, Any]]:
    """A published sample by its name."""
    return lambda name: json.loads((PAYLOADS / f"{name}.json").read_text())


@pytest.fixture(scope="session")
def running_meta() -> Iterator[SandboxServer]:
    server = SandboxServer().start()
    yield server
    server.stop()


@pytest.fixture
def meta(running_meta: SandboxServer, settings: Settings) -> Iterator[SandboxServer]:
    """A stand-in for Meta that Graph requests go to."""
    running_meta.reset()
    settings.META_GRAPH_URL = running_meta.graph_url
    yield running_meta
    running_meta.reset()


@pytest.fixture
def number(organization: Organization) -> WhatsAppAccount:
    """A number of the organization, the one that the stand-in knows."""
    return services.create_number(
        organization=organization,
        name="Padaria Sol",
        phone_number="+5511900000001",
        phone_number_id=SandboxServer.phone_number_id,
        whatsapp_business_account_id=SandboxServer.waba_id,
        access_token="EAAG-token-1234",
        verify_token="padaria-verify",
    )


@pytest.fixture
def conversation(number: WhatsAppAccount) -> Conversation:
    """A conversation with a customer who is known by her phone number."""
    contact = Contact.objects.create(organization=number.organization, name="Bia")
    contact.identities.create(organization=number.organization, kind="phone", value="5511999990001")
    return Conversation.objects.create(organization=number.organization, account=number, contact=contact)


@pytest.fixture
def message(conversation: Conversation, channel: WhatsApp) -> Callable[..., Message]:
    """A message as delivery hands it to the channel: `message("text", {"text": "Oi"})`."""
    seq = itertools.count(1)

    def make(type: str, content: dict[str, Any], **fields: Any) -> Message:
        row = Message.objects.create(
            organization=conversation.organization,
            conversation=conversation,
            account=conversation.account,
            seq=next(seq),
            direction=Message.Direction.OUTBOUND,
            author=Message.Author.BOT,
            status=Message.Status.SENDING,
            type=type,
            content=content,
            **fields,
        )
        row = (
            Message.objects.select_related("conversation__contact")
            .prefetch_related("conversation__contact__identities")
            .get(pk=row.pk)
        )
        row.account = channel.accounts([row.account_id])[row.account_id]
        return row

    return make
