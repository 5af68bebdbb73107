"""The control API, the nodes of Graph besides messages, and the sandbox as a process of its own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from apps.sandbox.settings import SandboxSettings
from tests.support.business import CUSTOMER, Business
from tests.support.meta import SandboxServer

ROOT = Path(__file__).parent.parent.parent


def graph(meta: SandboxServer, path: str, method: str = "GET", **options: Any) -> requests.Response:
    url = f"{meta.graph_url}/v25.0/{path}"
    return requests.request(method, url, headers={"Authorization": "Bearer token"}, timeout=10, **options)


def test_chat_shows_both_directions_in_order(business: Business, meta: SandboxServer) -> None:
    business.send({"text": {"body": "Olá"}})
    meta.say("Tudo bem?")
    meta.wait_idle()
    chat = [(entry["direction"], entry["message"]["text"]["body"], entry["status"]) for entry in meta.chat(CUSTOMER)]
    assert chat == [("in", "Oi", "delivered"), ("out", "Olá", "read"), ("in", "Tudo bem?", "delivered")]


def test_chats_name_the_people_last_heard_first(business: Business, meta: SandboxServer) -> None:
    future = str(int(time.time()) + 1)
    meta.say(
        customer="5511999990002", name="Bia", message={"type": "text", "text": {"body": "Oi"}, "timestamp": future}
    )
    chats = requests.get(f"{meta.url}/api/chats", timeout=10).json()
    assert [(chat["customer"], chat["name"]) for chat in chats] == [("5511999990002", "Bia"), (CUSTOMER, "Ana")]


def test_sent_messages_are_given_from_a_place_on(business: Business, meta: SandboxServer) -> None:
    for word in ["um", "dois", "três"]:
        business.send({"text": {"body": word}})
    assert [sent["body"]["text"]["body"] for sent in meta.sent(since=1)] == ["dois", "três"]


def test_waiting_for_sent_messages_gives_up_in_time(business: Business, meta: SandboxServer) -> None:
    started = time.monotonic()
    with pytest.raises(AssertionError, match="0 of 1 messages"):
        meta.wait_for_sent(1, timeout=0.1)
    assert 0.1 <= time.monotonic() - started < 2


def test_events_tell_of_messages_statuses_typing_and_webhooks(business: Business, meta: SandboxServer) -> None:
    with requests.get(f"{meta.url}/api/events?customer={CUSTOMER}", stream=True, timeout=5) as stream:
        lines = stream.iter_lines()
        assert next(lines) == b": listening"
        meta.say("alheio", customer="5511999990002")
        wamid = meta.say("Oi").wamid
        business.post({"status": "read", "message_id": wamid, "typing_indicator": {"type": "text"}})
        business.send()
        events: list[dict[str, Any]] = []
        while not events or events[-1].get("status") != "sent":
            line = next(lines)
            if line.startswith(b"data: "):
                events.append(json.loads(line[6:]))

    told = [(event["type"], event.get("status") or event.get("answer")) for event in events]
    assert told == [
        ("message", None),
        ("webhook", 200),
        ("status", "delivered"),
        ("status", "read"),
        ("status", "read"),
        ("typing", None),
        ("message", None),
        ("status", "sent"),
    ]
    assert {event["customer"] for event in events} == {CUSTOMER}


def test_reset_forgets_everything(business: Business, meta: SandboxServer) -> None:
    meta.configure(sent_delay=60, webhook_body="raw")
    meta.faults(no_statuses={"customer": "1"}, batch={"size": 9})
    business.send()
    meta.say("preso")
    meta.reset()
    meta.wait_idle(timeout=0)
    shown = requests.get(f"{meta.url}/api/settings", timeout=10).json()
    assert meta.sent() == meta.chat(CUSTOMER) == []
    assert requests.get(f"{meta.url}/api/faults", timeout=10).json() == {}
    assert (shown["sent_delay"], shown["webhook_body"]) == (0, "escaped")
    assert business.webhooks == []


@pytest.mark.parametrize(
    "changes", [{"colour": "blue"}, {"sent_delay": "late"}, {"window": "ajar"}, {"statuses_per_post": 0}], ids=str
)
def test_wrong_settings_are_refused_and_change_nothing(changes: dict[str, Any], meta: SandboxServer) -> None:
    before = requests.get(f"{meta.url}/api/settings", timeout=10).json()
    response = requests.put(f"{meta.url}/api/settings", json=changes, timeout=10)
    assert response.status_code == 400
    assert requests.get(f"{meta.url}/api/settings", timeout=10).json() == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"from": CUSTOMER}, 400),
        ({"text": "Oi"}, 400),
        ({"from": CUSTOMER, "text": "Oi", "message": {"type": "text"}}, 400),
        ({"from": CUSTOMER, "message": {"text": {"body": "Oi"}}}, 400),
        ({"from": CUSTOMER, "text": "Oi", "phone_number_id": "9"}, 404),
    ],
    ids=["no words", "nobody", "text and message", "message without type", "unknown number"],
)
def test_customers_message_that_cannot_be_is_refused(body: dict[str, Any], status: int, business: Business) -> None:
    assert requests.post(f"{business.meta.url}/api/say", json=body, timeout=10).status_code == status
    assert business.webhooks == []


def test_forms_of_other_sites_are_kept_out(business: Business) -> None:
    body = json.dumps({"from": CUSTOMER, "text": "Oi"})
    headers = {"Content-Type": "text/plain"}
    assert requests.post(f"{business.meta.url}/api/say", data=body, headers=headers, timeout=10).status_code == 415
    assert business.webhooks == []


def test_number_shows_what_is_asked_for(meta: SandboxServer) -> None:
    assert graph(meta, f"{meta.phone_number_id}").json() == {
        "verified_name": "Recado Sandbox",
        "display_phone_number": "+55 11 90000-0001",
        "quality_rating": "GREEN",
        "id": meta.phone_number_id,
    }
    asked = graph(meta, f"{meta.phone_number_id}?fields=throughput{{level}},display_phone_number").json()
    assert asked == {
        "display_phone_number": "+55 11 90000-0001",
        "throughput": {"level": "STANDARD"},
        "id": meta.phone_number_id,
    }


@pytest.mark.parametrize(("throughput", "level"), [(80, "STANDARD"), (1000, "HIGH"), (0, "HIGH")])
def test_throughput_has_a_level(throughput: int, level: str, meta: SandboxServer) -> None:
    number = {"phone_number_id": "1", "waba_id": "2", "display_phone_number": "+1 555 0100", "throughput": throughput}
    meta.configure(numbers=[number])
    assert graph(meta, "1?fields=throughput").json() == {"throughput": {"level": level}, "id": "1"}


def test_business_account_lists_its_numbers_and_templates(meta: SandboxServer) -> None:
    meta.configure(templates=[{"name": "aviso", "body": "Olá {{1}}", "body_parameters": 1}])
    assert [number["id"] for number in graph(meta, f"{meta.waba_id}/phone_numbers").json()["data"]] == [
        meta.phone_number_id
    ]
    [template] = graph(meta, f"{meta.waba_id}/message_templates").json()["data"]
    assert (template["name"], template["status"], template["language"]) == ("aviso", "APPROVED", "pt_BR")
    assert graph(meta, meta.waba_id).json() == {"id": meta.waba_id, "name": "Recado Sandbox"}


def test_apps_are_subscribed(meta: SandboxServer) -> None:
    path = f"{meta.waba_id}/subscribed_apps"
    assert graph(meta, path, "POST").json() == {"success": True}
    assert len(graph(meta, path).json()["data"]) == 1
    assert graph(meta, path, "DELETE").json() == {"success": True}


def test_address_that_does_not_verify_is_not_subscribed(meta: SandboxServer) -> None:
    override = {"override_callback_uri": "http://127.0.0.1:9/", "verify_token": "token"}
    response = graph(meta, f"{meta.waba_id}/subscribed_apps", "POST", json=override)
    assert (response.status_code, response.json()["error"]["code"]) == (400, 2200)


@pytest.mark.parametrize("path", ["999", "999/phone_numbers", "100000000000001/nothing", "200000000000001/messages"])
def test_unknown_nodes_get_metas_error(path: str, meta: SandboxServer) -> None:
    response = graph(meta, path)
    assert (response.status_code, response.json()["error"]["error_subcode"]) == (400, 33)


def test_sandbox_works_below_another_path() -> None:
    server = SandboxServer(path="/sandbox").start()
    try:
        files = {"file": ("a.png", b"a", "image/png")}
        token = {"Authorization": "Bearer token"}
        upload = graph(
            server, f"{server.phone_number_id}/media", "POST", data={"messaging_product": "whatsapp"}, files=files
        )
        found = graph(server, upload.json()["id"]).json()

        assert server.url.endswith("/sandbox")
        assert found["url"].startswith(f"{server.url}/lookaside/")
        assert requests.get(found["url"], headers=token, timeout=10).content == b"a"
        assert "static/phone.js" in requests.get(f"{server.url}/", timeout=10).text
        assert requests.get(f"{server.url}/static/phone.js", timeout=10).status_code == 200
        assert server.sent() == []
        server.faults(drop_answer={})
        server.configure(window="open")
        with pytest.raises(requests.ConnectionError, match="without response"):
            Business(server).send()
        assert len(server.sent()) == 1
    finally:
        server.stop()


def test_settings_follow_the_environment() -> None:
    settings = SandboxSettings.from_environment({"PORT": "8123", "META_APP_SECRET": "s", "META_VERIFY_TOKEN": "v"})
    assert settings.webhook_url == "http://127.0.0.1:8123/api/v1/whatsapp/webhook"
    assert (settings.app_secret, settings.verify_token) == ("s", "v")


def test_sandbox_serves_as_a_process_of_its_own() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "apps.sandbox", "--port", "0", "--webhook", "http://127.0.0.1:9/"],
        cwd=ROOT,
        env=os.environ | {"META_APP_SECRET": "own"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[2].rstrip(",")
            settings = requests.get(f"{url}api/settings", timeout=10).json()
        finally:
            process.terminate()
    assert (settings["app_secret"], settings["webhook_url"]) == ("own", "http://127.0.0.1:9/")


def test_emulator_needs_neither_django_nor_the_rest_of_recado() -> None:
    code = (
        "import sys, apps.sandbox.__main__;"
        "print([name for name in sys.modules if name.split('.')[0] in ('django', 'celery', 'config')"
        " or name.startswith('apps.') and not name.startswith('apps.sandbox')])"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
