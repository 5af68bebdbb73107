"""Every kind of message that Meta documents is accepted, and answered in Meta's form."""

import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.business import CUSTOMER, Business
from tests.support.meta import SandboxServer

DOCUMENTED = sorted((Path(__file__).parent.parent / "payloads" / "outbound").glob("openapi-messages-*.json"))
WAMID = re.compile(rb"\x1c\x18(.)(?P<number>\d+)\x15\x02\x00(?P<mark>[\x11\x12])\x18(.)(?P<unique>[0-9A-F]+)\x00")


def filled(value: Any, media_id: str, wamid: str) -> Any:
    """A documented request with real values in place of its placeholders."""
    if isinstance(value, dict):
        return {key: filled(item, media_id, wamid) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, media_id, wamid) for item in value]
    if not isinstance(value, str):
        return value
    if value.startswith("wamid.") or "MSG" in value:
        return wamid
    if re.search(r"(OBJECT_ID|MEDIA.*ID)>", value):
        return media_id
    if "http(s)" in value:
        return "https://example.org/file"
    if value == "<HEADER_TYPE>":
        return "text"
    if "<" in value:
        return format(zlib.crc32(value.encode()), "x")  # short, and different for different placeholders
    return value


def media_id_of(meta: SandboxServer) -> str:
    response = requests.post(
        f"{meta.graph_url}/v25.0/{meta.phone_number_id}/media",
        data={"messaging_product": "whatsapp"},
        files={"file": ("file.jpg", b"a picture", "image/jpeg")},
        headers={"Authorization": "Bearer token"},
        timeout=10,
    )
    media_id: str = response.json()["id"]
    return media_id


def test_the_table_holds_all_documented_requests() -> None:
    assert len(DOCUMENTED) == 50


@pytest.mark.parametrize("path", DOCUMENTED, ids=lambda path: path.stem.removeprefix("openapi-messages-"))
def test_documented_request_is_accepted(path: Path, business: Business) -> None:
    meta = business.meta
    said = meta.say("Quero saber mais", customer=CUSTOMER)
    body = filled(json.loads(path.read_text())["request"], media_id_of(meta), said.wamid)
    if "to" in body:
        body["to"] = CUSTOMER

    response = business.post(body)

    assert response.status_code == 200, response.text
    if body.get("status") == "read":
        assert response.json() == {"success": True}
        return
    answer = response.json()
    wamid = answer["messages"][0]["id"]
    status = {"message_status": "accepted"} if body.get("type") == "template" else {}
    assert answer == {
        "messaging_product": "whatsapp",
        "contacts": [{"input": CUSTOMER, "wa_id": CUSTOMER}],
        "messages": [{"id": wamid, **status}],
    }
    assert [(sent["wamid"], sent["to"], sent["body"]) for sent in meta.sent()] == [(wamid, CUSTOMER, body)]


@pytest.mark.parametrize("prefix", ["/v25.0", "/v19.0", ""], ids=["current", "old", "unversioned"])
def test_any_version_is_served(prefix: str, business: Business) -> None:
    meta = business.meta
    response = requests.post(
        f"{meta.graph_url}{prefix}/{meta.phone_number_id}/messages?access_token=token",
        json={"messaging_product": "whatsapp", "to": CUSTOMER, "text": {"body": "Oi"}},
        timeout=10,
    )
    assert response.status_code == 200
    assert meta.texts(CUSTOMER) == ["Oi"]


def test_ids_are_wamids_that_hold_the_customers_number(business: Business) -> None:
    sent = business.send().json()["messages"][0]["id"]
    received = business.meta.say("Oi").wamid

    for wamid, mark, length in [(sent, b"\x11", 18), (received, b"\x12", 20)]:
        assert wamid.startswith("wamid.")
        match = WAMID.fullmatch(base64.b64decode(wamid.removeprefix("wamid.")))
        assert match is not None
        assert match["number"] == CUSTOMER.encode()
        assert match["mark"] == mark
        assert len(match["unique"]) == length


def test_number_is_taken_in_every_notation(business: Business) -> None:
    response = business.send(to="+55 (11) 99999-0001")
    assert response.json()["contacts"] == [{"input": "+55 (11) 99999-0001", "wa_id": CUSTOMER}]
    assert business.meta.sent()[0]["to"] == CUSTOMER


def test_customer_without_a_number_is_reached_by_the_scoped_id(business: Business) -> None:
    business.meta.say("Oi", customer="", user_id="BR.123", username="@ana")
    webhook = business.webhooks[-1]
    response = business.post({"messaging_product": "whatsapp", "recipient": "BR.123", "text": {"body": "Oi"}})
    business.meta.wait_idle()

    message = webhook.items("messages")[0]
    assert (message["from_user_id"], message.get("from")) == ("BR.123", None)
    assert webhook.values[0]["contacts"] == [{"profile": {"name": "BR.123", "username": "@ana"}, "user_id": "BR.123"}]
    assert response.json()["contacts"] == [{"input": "BR.123", "user_id": "BR.123"}]
    statuses = business.items("statuses")
    assert [(status["recipient_user_id"], status.get("recipient_id")) for status in statuses] == [("BR.123", None)] * 3


def test_reading_marks_earlier_messages_too_and_shows_typing(business: Business) -> None:
    meta = business.meta
    meta.say("um")
    second = meta.say("dois").wamid
    meta.say("três")

    response = business.post(
        {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": second,
            "typing_indicator": {"type": "text"},
        }
    )

    assert response.json() == {"success": True}
    assert [entry["status"] for entry in meta.chat(CUSTOMER)] == ["read", "read", "read", "delivered"]
    assert meta.sent() == []


@pytest.fixture(autouse=True)
def _no_limits(business: Business) -> None:
    business.meta.configure(is_pair_limited=False)
