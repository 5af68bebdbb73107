"""Each fault really happens, as often as it was asked to, and to nobody else."""

import hashlib
import hmac
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.business import CUSTOMER, Business
from tests.support.meta import SandboxServer

OTHER = "5511999990002"


def is_signed(webhook: Any) -> bool:
    expected = "sha256=" + hmac.new(b"test-app-secret", webhook.body, hashlib.sha256).hexdigest()
    return bool(webhook.headers.get("X-Hub-Signature-256") == expected)


def texts(business: Business) -> list[str]:
    return [message["text"]["body"] for message in business.items("messages")]


def test_duplicate_sends_the_same_body_several_times(business: Business, meta: SandboxServer) -> None:
    meta.faults(duplicate={"copies": 4, "count": 1})
    assert meta.say("um").answers == [200] * 5
    assert meta.say("dois").answers == [200]
    assert texts(business) == ["um"] * 5 + ["dois"]
    assert len({webhook.body for webhook in business.webhooks[:5]}) == 1


def test_raw_payloads_are_duplicated_too(business: Business, meta: SandboxServer) -> None:
    meta.faults(duplicate={"copies": 1})
    assert meta.webhook({"object": "whatsapp_business_account", "entry": []}) == [200, 200]


def test_delay_holds_webhooks_back(business: Business, meta: SandboxServer) -> None:
    meta.faults(delay={"seconds": 0.15, "count": 1})
    started = time.monotonic()
    assert meta.say("tarde").answers == []
    assert meta.say("cedo").answers == [200]
    assert texts(business) == ["cedo"]
    meta.wait_idle()
    assert time.monotonic() - started > 0.15
    assert texts(business) == ["cedo", "tarde"]


def test_reorder_sends_the_last_first(business: Business, meta: SandboxServer) -> None:
    meta.faults(reorder={"size": 3, "count": 3})
    for word in ["um", "dois", "três"]:
        meta.say(word)
    meta.wait_idle()
    assert texts(business) == ["três", "dois", "um"]


def test_reorder_turns_statuses_round(business: Business, meta: SandboxServer) -> None:
    meta.faults(reorder={"size": 3, "on": "statuses"})
    business.send()
    meta.wait_idle()
    assert business.statuses() == ["read", "delivered", "sent"]


def test_batch_sends_many_updates_of_all_kinds_in_one_body(business: Business, meta: SandboxServer) -> None:
    meta.faults(batch={"size": 6})
    meta.say("um")
    meta.say("dois", customer=OTHER)
    meta.say("três")
    business.send()
    meta.wait_idle()

    [webhook] = business.webhooks
    assert is_signed(webhook)
    assert [message["text"]["body"] for message in webhook.items("messages")] == ["um", "dois", "três"]
    assert [status["status"] for status in webhook.items("statuses")] == ["sent", "delivered", "read"]
    assert [contact["wa_id"] for contact in webhook.values[0]["contacts"]] == [CUSTOMER, OTHER]


def test_batch_of_several_numbers_has_an_entry_for_each_account(business: Business, meta: SandboxServer) -> None:
    numbers = [
        {"phone_number_id": str(place), "waba_id": f"W{place // 2}", "display_phone_number": f"+1 555 010{place}"}
        for place in range(4)
    ]
    meta.configure(numbers=numbers)
    meta.faults(batch={"size": 4})
    for number in numbers:
        meta.say("Oi", phone_number_id=number["phone_number_id"])
    meta.wait_idle()
    [webhook] = business.webhooks
    assert [(entry["id"], len(entry["changes"])) for entry in webhook.json["entry"]] == [("W0", 2), ("W1", 2)]


def test_what_is_held_is_sent_when_the_fault_is_switched_off(business: Business, meta: SandboxServer) -> None:
    meta.faults(batch={"size": 1000})
    meta.say("um")
    meta.say("dois")
    assert business.webhooks == []
    meta.faults()
    meta.wait_idle()
    assert texts(business) == ["um", "dois"]
    assert len(business.webhooks) == 1


@pytest.mark.parametrize("how", ["body", "secret", "header", "sha1"])
def test_corrupt_webhook_must_not_be_believed(how: str, business: Business, meta: SandboxServer) -> None:
    meta.faults(corrupt={"how": how, "count": 1})
    business.answers = [403]
    said = meta.say("falso")
    meta.say("certo")
    meta.wait_idle()

    forged, genuine = business.webhooks  # the forged one is not tried again
    assert said.answers == [403]
    assert not is_signed(forged)
    assert is_signed(genuine)
    old = "sha1=" + hmac.new(b"test-app-secret", forged.body, hashlib.sha1).hexdigest()
    headers = [name for name in ("X-Hub-Signature-256", "X-Hub-Signature") if name in forged.headers]
    expected = {"header": [], "sha1": ["X-Hub-Signature"]}.get(how, ["X-Hub-Signature-256"])
    assert headers == expected
    assert forged.headers.get("X-Hub-Signature") == (old if how == "sha1" else None)


def test_fault_strikes_only_the_kind_it_is_meant_for(business: Business, meta: SandboxServer) -> None:
    meta.faults(duplicate={"on": "statuses"})
    assert meta.say("Oi").answers == [200]
    business.send()
    meta.wait_idle()
    assert business.statuses() == ["sent", "delivered", "read"] * 2


def test_fault_strikes_only_the_customer_it_is_meant_for(business: Business, meta: SandboxServer) -> None:
    meta.say("Oi", customer=OTHER)
    meta.faults(error={"customer": OTHER})
    assert business.send().status_code == 200
    assert business.send(to=OTHER).status_code == 500
    assert [sent["to"] for sent in meta.sent()] == [CUSTOMER]


def test_dropped_answer_belongs_to_an_accepted_message(business: Business, meta: SandboxServer) -> None:
    meta.faults(drop_answer={"count": 1})
    with pytest.raises(requests.ConnectionError, match="without response"):
        business.send({"text": {"body": "um"}, "biz_opaque_callback_data": "a1"})
    assert business.send({"text": {"body": "dois"}}).status_code == 200
    meta.wait_idle()
    assert meta.texts() == ["um", "dois"]
    assert [status.get("biz_opaque_callback_data") for status in business.items("statuses")] == ["a1"] * 3 + [None] * 3


def test_reset_connection_belongs_to_no_message(business: Business, meta: SandboxServer) -> None:
    meta.faults(reset={"count": 1})
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        business.send()
    meta.wait_idle()
    assert meta.sent() == []
    assert business.webhooks == []


def test_hanging_send_is_neither_answered_nor_accepted(business: Business, meta: SandboxServer) -> None:
    meta.faults(hang={"count": 1})
    with pytest.raises(requests.ReadTimeout):
        business.send(timeout=0.2)
    assert meta.sent() == []


def test_hanging_send_ends_after_its_seconds(business: Business, meta: SandboxServer) -> None:
    meta.faults(hang={"count": 1, "seconds": 0.1})
    started = time.monotonic()
    with pytest.raises(requests.ConnectionError, match="without response"):
        business.send()
    assert time.monotonic() - started > 0.1


def test_slow_answer_comes_after_its_statuses(business: Business, meta: SandboxServer) -> None:
    meta.faults(slow={"seconds": 0.3, "count": 1})
    with pytest.raises(requests.ReadTimeout):
        business.send(timeout=0.15)
    assert business.statuses() == ["sent", "delivered", "read"]
    assert len(meta.sent()) == 1


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"code": 130429, "status": 429}, 429, 130429),
        ({"code": 130429}, 400, 130429),
        ({"code": 131056}, 400, 131056),
        ({}, 500, 131000),
        ({"code": 2}, 503, 2),
        ({"code": 133004}, 503, 133004),
        ({"code": 190}, 401, 190),
        ({"code": 131031}, 403, 131031),
        ({"code": 999999}, 400, 999999),
    ],
    ids=str,
)
def test_error_is_answered_and_nothing_accepted(
    fault: dict[str, Any], status: int, code: int, business: Business, meta: SandboxServer
) -> None:
    meta.faults(error=fault | {"count": 2})
    answers = [business.send() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].json()["error"]["code"] == code
    assert len(meta.sent()) == 1


def test_silence_follows_an_accepted_message(business: Business, meta: SandboxServer) -> None:
    meta.faults(no_statuses={"count": 1})
    assert business.send().status_code == 200
    meta.wait_idle()
    assert business.webhooks == []
    assert len(meta.sent()) == 1


def test_failure_follows_an_accepted_message(business: Business, meta: SandboxServer) -> None:
    meta.faults(fail={"code": 131026, "count": 1})
    assert business.send().status_code == 200
    meta.wait_idle()
    [status] = business.items("statuses")
    assert (status["status"], status["errors"][0]["code"]) == ("failed", 131026)
    assert status["errors"][0]["title"] == "Message undeliverable"


def test_faults_are_shown_with_the_strikes_they_have_left(business: Business, meta: SandboxServer) -> None:
    url = f"{meta.url}/api/faults"
    meta.faults(error={"count": 2}, slow={"seconds": 0})
    business.send()
    shown = requests.get(url, timeout=10).json()
    assert {name: fault["count"] for name, fault in shown.items()} == {"error": 1, "slow": None}
    business.send()
    assert set(requests.get(url, timeout=10).json()) == {"slow"}


@pytest.mark.parametrize(
    "chosen",
    [{"typo": {}}, {"duplicate": {"copies": 0}}, {"error": {"status": 200}}, {"corrupt": {"how": "x"}}],
    ids=str,
)
def test_unknown_faults_are_refused_and_change_nothing(chosen: dict[str, Any], meta: SandboxServer) -> None:
    meta.faults(no_statuses={})
    response = requests.put(f"{meta.url}/api/faults", json=chosen, timeout=10)
    assert response.status_code == 400
    assert set(requests.get(f"{meta.url}/api/faults", timeout=10).json()) == {"no_statuses"}


def test_reset_is_a_tcp_reset(meta: SandboxServer) -> None:
    meta.faults(reset={})
    address = urlsplit(meta.url)
    body = b"{}"
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(
            b"POST /graph/%b/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\nContent-Length: %d\r\n\r\n%b"
            % (meta.phone_number_id.encode(), len(body), body)
        )
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
