"""Webhooks: their shapes, their bytes and signatures, statuses, retries."""

import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
import requests
import werkzeug
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from apps.sandbox import payloads
from tests.support.business import CUSTOMER, Business
from tests.support.meta import SandboxServer

SECRET = b"test-app-secret"
WORDS = 'Olá / você: みどりいろ 😀 "aspas" \\ @'
VECTORS = json.loads((Path(__file__).parent.parent / "payloads" / "signature_vectors.json").read_text())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def signed(body: bytes) -> str:
    """The signature as a receiver works it out."""
    return "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()


def utf16_escape(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join("\\u" + units[start : start + 4] for start in range(0, len(units), 4))


def test_customers_message_comes_in_metas_form(business: Business, meta: SandboxServer) -> None:
    said = meta.say(WORDS, customer=CUSTOMER, name="Ana")
    [webhook] = business.webhooks
    timestamp = webhook.items("messages")[0]["timestamp"]

    assert said.answers == [200]
    assert abs(int(timestamp) - time.time()) < 5
    assert webhook.json == {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": meta.waba_id,
                "changes": [
                    {
                        "value": {
                            "messaging_product": "whatsapp",
                            "metadata": {
                                "display_phone_number": "5511900000001",
                                "phone_number_id": meta.phone_number_id,
                            },
                            "contacts": [{"profile": {"name": "Ana"}, "wa_id": CUSTOMER}],
                            "messages": [
                                {
                                    "from": CUSTOMER,
                                    "id": said.wamid,
                                    "timestamp": timestamp,
                                    "type": "text",
                                    "text": {"body": WORDS},
                                }
                            ],
                        },
                        "field": "messages",
                    }
                ],
            }
        ],
    }


def test_body_is_escaped_as_meta_does_and_signed_over_its_bytes(business: Business, meta: SandboxServer) -> None:
    meta.say(WORDS)
    [webhook] = business.webhooks
    assert webhook.headers["X-Hub-Signature-256"] == signed(webhook.body)
    assert webhook.headers["Content-Type"] == "application/json"
    assert webhook.body.isascii()
    assert rb"Ol\u00e1 \/ voc\u00ea: \u307f\u3069\u308a\u3044\u308d \ud83d\ude00" in webhook.body


def test_body_is_not_what_a_receiver_would_serialize(business: Business, meta: SandboxServer) -> None:
    meta.say("Oi")
    [webhook] = business.webhooks
    for separators in [(", ", ": "), (",", ":")]:
        for is_ascii in [True, False]:
            again = json.dumps(webhook.json, separators=separators, ensure_ascii=is_ascii).encode()
            assert signed(again) != webhook.headers["X-Hub-Signature-256"]


def test_raw_body_is_signed_in_its_escaped_form(business: Business, meta: SandboxServer) -> None:
    meta.configure(webhook_body="raw")
    meta.say(WORDS)
    [webhook] = business.webhooks
    text = webhook.body.decode()
    escaped = "".join(character if character.isascii() else utf16_escape(character) for character in text)
    assert "Olá" in text
    assert webhook.headers["X-Hub-Signature-256"] == signed(escaped.encode())
    assert webhook.headers["X-Hub-Signature-256"] != signed(webhook.body)


@given(JSON)
def test_both_forms_say_the_same(body: Any) -> None:
    escaped, _ = payloads.encode(body, "escaped")
    raw, to_sign = payloads.encode(body, "raw")
    assert json.loads(escaped) == json.loads(raw) == body
    assert to_sign == escaped


@pytest.mark.parametrize(
    ("vector", "sign"),
    [(VECTORS[0], payloads.signature), (VECTORS[1], payloads.old_signature)],
    ids=["sha256", "sha1"],
)
def test_signatures_match_known_vectors(vector: dict[str, str], sign: Any) -> None:
    assert sign(vector["app_secret"], vector["body_escaped_ascii"].encode()) == vector["header"]


def test_accepted_message_is_sent_delivered_and_read(business: Business, meta: SandboxServer) -> None:
    wamid = business.send({"text": {"body": "Oi"}, "biz_opaque_callback_data": "attempt-1"}).json()["messages"][0]["id"]
    meta.wait_idle()

    statuses = business.items("statuses")
    for status in statuses:
        assert abs(int(status.pop("timestamp")) - time.time()) < 5
    common = {"id": wamid, "recipient_id": CUSTOMER, "biz_opaque_callback_data": "attempt-1"}
    pricing = {"billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "service"}
    assert statuses == [
        common | {"status": "sent", "pricing": pricing},
        common | {"status": "delivered", "pricing": pricing},
        common | {"status": "read"},
    ]
    assert [sent["status"] for sent in meta.sent()] == ["read"]


def test_older_form_carries_a_conversation(business: Business, meta: SandboxServer) -> None:
    meta.configure(status_form="v23")
    business.send()
    meta.wait_idle()
    sent, delivered, read = business.items("statuses")
    assert sent["conversation"] == delivered["conversation"] | {
        "expiration_timestamp": sent["conversation"]["expiration_timestamp"]
    }
    assert set(delivered["conversation"]) == {"id", "origin"}
    assert int(sent["conversation"]["expiration_timestamp"]) > time.time() + 86_000
    assert "conversation" not in read


def test_statuses_come_as_late_as_told_or_never(business: Business, meta: SandboxServer) -> None:
    meta.configure(sent_delay=0.0, delivered_delay=None, read_delay=0.15)
    started = time.monotonic()
    business.send()
    meta.wait_idle()
    assert time.monotonic() - started > 0.15
    assert business.statuses() == ["sent", "read"]


def test_reaction_is_only_sent(business: Business, meta: SandboxServer) -> None:
    business.send({"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "👍"}})
    meta.wait_idle()
    assert business.statuses() == ["sent"]


def test_voice_message_is_played(business: Business, meta: SandboxServer) -> None:
    business.send({"type": "audio", "audio": {"link": "https://example.org/a.ogg", "voice": True}})
    meta.wait_idle()
    assert business.statuses() == ["sent", "delivered", "read", "played"]


@pytest.mark.parametrize(("most", "posts"), [(1, [1, 1, 1]), (2, [2, 1]), (10, [3])])
def test_statuses_share_a_body_up_to_the_setting(
    most: int, posts: list[int], business: Business, meta: SandboxServer
) -> None:
    meta.configure(statuses_per_post=most, webhook_concurrency=1)
    business.send()
    meta.wait_idle()
    assert [len(webhook.items("statuses")) for webhook in business.webhooks] == posts


@pytest.mark.parametrize("answer", [500, 503, 403, 301, 201])
def test_whatever_is_not_200_is_tried_again_with_the_same_bytes(
    answer: int, business: Business, meta: SandboxServer
) -> None:
    business.answers = [answer, answer]
    said = meta.say("Oi")
    meta.wait_idle()

    assert said.answers == [answer]
    assert len(business.webhooks) == 3
    assert len({webhook.body for webhook in business.webhooks}) == 1
    assert meta.chat(CUSTOMER)[-1]["status"] == "delivered"


def test_retries_pause_longer_each_time_and_end(business: Business, meta: SandboxServer) -> None:
    meta.configure(retry_pause=0.05, retry_period=0.3)
    business.answers = [500] * 20
    started = time.monotonic()
    meta.say("Oi")
    meta.wait_idle()

    assert len(business.webhooks) == 3  # at once, after 0.05 s, after 0.10 s; 0.20 s more would be too late
    assert time.monotonic() - started > 0.15
    assert meta.chat(CUSTOMER)[-1]["status"] == "failed"


def test_webhook_that_nobody_takes_is_tried_again(
    business: Business, meta: SandboxServer, httpserver: HTTPServer
) -> None:
    meta.configure(webhook_url="http://127.0.0.1:9/")
    said = meta.say("Oi")
    assert said.answers == [0]
    assert meta.chat(CUSTOMER)[-1]["status"] == "pending"


def test_each_number_has_its_own_secret_and_address(
    business: Business, meta: SandboxServer, httpserver: HTTPServer
) -> None:
    other = Business(meta)
    httpserver.expect_request("/other").respond_with_handler(other.take)
    first = {"phone_number_id": meta.phone_number_id, "waba_id": meta.waba_id, "display_phone_number": "+1 555 0100"}
    second = {
        "phone_number_id": "2",
        "waba_id": "3",
        "display_phone_number": "+1 555 0101",
        "app_secret": "own",
        "webhook_url": httpserver.url_for("/other"),
    }
    meta.configure(numbers=[first, second])
    meta.say("Oi", phone_number_id="2")

    assert business.webhooks == []
    [webhook] = other.webhooks
    assert webhook.json["entry"][0]["id"] == "3"
    own = "sha256=" + hmac.new(b"own", webhook.body, hashlib.sha256).hexdigest()
    assert webhook.headers["X-Hub-Signature-256"] == own


def test_raw_payload_is_sent_as_it_is_and_opens_windows(business: Business, meta: SandboxServer) -> None:
    customer = "5511999990007"
    message = {"from": customer, "id": "wamid.mine", "timestamp": "1", "type": "text", "text": {"body": "Oi"}}
    value = {"metadata": {"phone_number_id": meta.phone_number_id}, "messages": [message], "unknown": [1]}
    payload = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"value": value}]}]}

    assert meta.webhook(payload) == [200]
    [webhook] = business.webhooks
    assert webhook.json == payload
    assert webhook.headers["X-Hub-Signature-256"] == signed(webhook.body)
    business.webhooks.clear()
    business.send(to=customer)
    meta.wait_idle()
    assert business.statuses() == ["sent", "delivered", "read"]


def test_body_of_three_megabytes_with_a_thousand_changes_passes(business: Business, meta: SandboxServer) -> None:
    change = {"field": "messages", "value": {"metadata": {"phone_number_id": "9"}, "filling": "a" * 3000}}
    payload = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change] * 1000}]}
    assert meta.webhook(payload) == [200]
    [webhook] = business.webhooks
    assert len(webhook.body) > 3_000_000
    assert webhook.json == payload


def test_scoped_ids_stand_beside_the_number(business: Business, meta: SandboxServer) -> None:
    meta.say("Oi", user_id="BR.1", username="@ana", name="Ana")
    business.send()
    meta.wait_idle()

    [message] = business.items("messages")
    assert (message["from"], message["from_user_id"]) == (CUSTOMER, "BR.1")
    contacts = [webhook.values[0]["contacts"] for webhook in business.webhooks if webhook.items("statuses")]
    named = {"profile": {"name": "Ana", "username": "@ana"}, "wa_id": CUSTOMER, "user_id": "BR.1"}
    assert named in contacts[-1]
    assert [status["recipient_user_id"] for status in business.items("statuses")] == ["BR.1"] * 3


def test_verification_asks_with_the_token(business: Business, meta: SandboxServer, httpserver: HTTPServer) -> None:
    def answer(request: Any) -> Any:
        is_right = request.args["hub.verify_token"] == "right" and request.args["hub.mode"] == "subscribe"
        return werkzeug.Response(request.args["hub.challenge"] if is_right else "no", 200 if is_right else 403)

    httpserver.expect_request("/webhook", method="GET").respond_with_handler(answer)
    outcomes = []
    for token in ["right", "wrong"]:
        meta.configure(verify_token=token)
        outcomes.append(requests.post(f"{meta.url}/api/verify", timeout=10).json())
    assert outcomes == [{"verified": True}, {"verified": False}]
