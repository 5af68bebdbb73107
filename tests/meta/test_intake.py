"""The intake: what it answers, and that 200 means the event is on disk."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from django.conf import LazySettings
from django.db import connections

from apps.conversations.models import WebhookEvent
from apps.core import encryption
from apps.meta import signatures
from apps.organizations.models import Organization
from tests.support.line import Line, Served, make_number

SECRET = "test-app-secret"


def post(url: str, body: bytes, secret: str = SECRET, path: str = "/api/v1/whatsapp/webhook") -> requests.Response:
    headers = {"X-Hub-Signature-256": signatures.sign(body, secret)}
    return requests.post(f"{url}{path}", data=body, headers=headers, timeout=10)


def test_acknowledged_event_keeps_the_exact_bytes_and_the_secret_that_matched(line: Line) -> None:
    body = '{"object": "whatsapp_business_account",  "entry": [], "ç": "\\u0000"}'.encode()
    answer = post(line.url, body)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    event = WebhookEvent.objects.get()
    assert event.body is not None
    assert bytes(event.body) == body
    assert (event.channel, event.state, event.signed_by) == ("whatsapp", "pending", encryption.fingerprint(SECRET))


def test_webhook_address_works_with_its_trailing_slash_too(line: Line) -> None:
    assert post(line.url, b"{}", path="/api/v1/whatsapp/webhook/").status_code == 200


def test_signature_over_the_escaped_form_of_the_body_is_accepted(line: Line) -> None:
    body = '{"texto": "ação"}'.encode()
    escaped = b'{"texto": "a\\u00e7\\u00e3o"}'
    headers = {"X-Hub-Signature-256": signatures.sign(escaped, SECRET)}
    answer = requests.post(f"{line.url}/api/v1/whatsapp/webhook", data=body, headers=headers, timeout=10)
    assert answer.status_code == 200


def test_numbers_own_secret_is_found_by_the_address_in_the_body(line: Line, organization: Organization) -> None:
    make_number(organization, "100000000000777", app_secret="its-own-secret")
    value = {"metadata": {"phone_number_id": "100000000000777"}, "messages": []}
    body = json.dumps({"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]}).encode()
    assert post(line.url, body, "its-own-secret").status_code == 200
    assert post(line.url, body, "not-its-secret").status_code == 403
    assert WebhookEvent.objects.get().signed_by == encryption.fingerprint("its-own-secret")


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 5000], ids=repr)
def test_odd_bodies_are_stored_if_signed_and_refused_if_not(line: Line, body: bytes) -> None:
    assert post(line.url, body).status_code == 200
    assert post(line.url, body, "wrong").status_code == 403
    line.run()
    assert WebhookEvent.objects.get().state == "done"


def test_other_paths_and_verification_go_on_to_django(line: Line) -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "test-verify-token"}
    answer = requests.get(f"{line.url}/api/v1/whatsapp/webhook", params=query, timeout=10)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert requests.get(f"{line.url}/healthz", timeout=10).status_code == 200
    assert requests.post(f"{line.url}/api/v1/telegram/webhook", timeout=10).status_code == 404


def test_full_queue_answers_503_and_stores_what_it_acknowledged(line: Line, settings: LazySettings) -> None:
    settings.INTAKE_QUEUE_SIZE = 2
    served = Served()
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda n: post(served.url, b'{"n": %d}' % n).status_code, range(200)))
    served.stop()
    assert set(answers) <= {200, 503}
    assert WebhookEvent.objects.count() == answers.count(200)


def test_postgresql_away_answers_503_and_recovers_without_a_restart(line: Line) -> None:
    database = connections["default"].settings_dict
    port, served = database["PORT"], Served()
    database["PORT"] = "9"
    try:
        answer = post(served.url, b"{}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_stored")
    finally:
        database["PORT"] = port
    assert post(served.url, b"{}").status_code == 200
    served.stop()
    assert WebhookEvent.objects.count() == 1
