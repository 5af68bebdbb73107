from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from apps.conversations.channels import Remedy, SendError, channels
from apps.conversations.models import Message
from apps.whatsapp.channel import WhatsApp
from apps.whatsapp.models import WhatsAppAccount
from tests.support.meta import SandboxServer
from tests.support.wire import answer, raw_server

Make = Callable[..., Message]

CUSTOMER = "5511999990001"


@pytest.fixture
def open_window(meta: SandboxServer) -> SandboxServer:
    """The customer has just written."""
    meta.say("Oi", customer=CUSTOMER)
    return meta


def test_whatsapp_is_registered_with_what_it_can_carry() -> None:
    capabilities = channels.get("whatsapp").capabilities

    assert (capabilities.max_text, capabilities.window_hours, capabilities.templates) == (4096, 24, True)
    assert (capabilities.buttons, capabilities.list_rows) == (3, 10)
    assert (capabilities.pair_burst, capabilities.pair_seconds) == (45, 6)


def test_application_secret_signs_unless_it_is_unset(channel: WhatsApp, settings: Settings) -> None:
    settings.META_APP_SECRET = "segredo"
    assert channel.application_secrets() == ["segredo"]

    settings.META_APP_SECRET = ""
    assert channel.application_secrets() == []


def test_accounts_are_found_in_one_query(
    channel: WhatsApp, number: WhatsAppAccount, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        [found] = channel.accounts([number.pk, number.pk]).values()

    assert isinstance(found, WhatsAppAccount)
    assert (found.phone_number_id, found.access_token) == (SandboxServer.phone_number_id, "EAAG-token-1234")


def test_message_is_sent_without_a_query_and_its_id_answered(
    channel: WhatsApp, open_window: SandboxServer, message: Make, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    bom_dia = message("text", {"text": "Bom dia!"})
    with django_assert_num_queries(0):
        external_id = channel.send(bom_dia)
    [sent] = open_window.sent()

    assert (sent["wamid"], sent["to"]) == (external_id, CUSTOMER)
    assert sent["body"]["text"]["body"] == "Bom dia!"
    assert sent["body"]["biz_opaque_callback_data"] == str(bom_dia.id)


@pytest.mark.parametrize(
    ("fault", "remedy", "code"),
    [
        ({"code": 131056}, Remedy.RETRY, "131056"),
        ({"code": 130429, "status": 429}, Remedy.THROTTLE, "130429"),
        ({"code": 190}, Remedy.PAUSE, "190"),
        ({"code": 131026}, Remedy.FAIL, "131026"),
        ({"code": 131000}, Remedy.RETRY, "131000"),
        ({"code": 987654, "status": 503}, Remedy.FAIL, "987654"),
    ],
)
def test_refusal_says_what_to_do(
    channel: WhatsApp, open_window: SandboxServer, message: Make, fault: dict[str, Any], remedy: Remedy, code: str
) -> None:
    open_window.faults(error=fault)
    with pytest.raises(SendError) as error:
        channel.send(message("text", {"text": "Bom dia!"}))

    assert (error.value.remedy, error.value.code) == (remedy, code)
    assert open_window.sent() == []


@pytest.mark.parametrize("fault", [{"drop_answer": {}}, {"reset": {}}, {"hang": {"seconds": 5}}])
def test_lost_answer_leaves_the_outcome_unknown(
    channel: WhatsApp, open_window: SandboxServer, message: Make, settings: Settings, fault: dict[str, Any]
) -> None:
    settings.META_READ_TIMEOUT = 0.3
    open_window.faults(**fault)
    with pytest.raises(SendError) as error:
        channel.send(message("text", {"text": "Bom dia!"}))

    assert (error.value.remedy, error.value.code) == (Remedy.UNKNOWN, "no_answer")


def test_meta_out_of_reach_may_be_tried_again(channel: WhatsApp, message: Make, settings: Settings) -> None:
    settings.META_GRAPH_URL = "http://127.0.0.1:9"
    with pytest.raises(SendError) as error:
        channel.send(message("text", {"text": "Bom dia!"}))

    assert (error.value.remedy, error.value.title) == (Remedy.RETRY, "Graph could not be reached.")


@pytest.mark.parametrize("body", [b"{}", b'{"messages":[]}', b'{"messages":{}}', b'{"messages":[{"id":7}]}'])
def test_acceptance_without_an_id_is_unknown(channel: WhatsApp, message: Make, settings: Settings, body: bytes) -> None:
    with raw_server(lambda connection, _: connection.sendall(answer(body))) as server:
        settings.META_GRAPH_URL = server.url
        with pytest.raises(SendError) as error:
            channel.send(message("text", {"text": "Bom dia!"}))

    assert (error.value.remedy, error.value.code) == (Remedy.UNKNOWN, "no_message_id")
