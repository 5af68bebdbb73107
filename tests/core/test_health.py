"""/healthz, /readyz and /metrics, as operators' tools see them."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from apps.conversations.models import WebhookEvent, WebhookItem
from apps.core import tasks

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def _alive(db: None) -> None:
    """Beat has just scheduled, and a worker worked."""
    tasks.beat_heartbeat()


@pytest.fixture
def _silent(db: None) -> Iterator[None]:
    cache.delete(tasks.BEAT_KEY)
    yield
    cache.delete(tasks.BEAT_KEY)


@pytest.fixture
def _no_database(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """PostgreSQL is away: nobody listens where it is looked for."""
    connection.close()
    with monkeypatch.context() as patched:
        patched.setitem(connection.settings_dict, "PORT", "9")
        yield
    connection.close()


def ready(client: Client) -> tuple[int, dict[str, tuple[bool, str]]]:
    response = client.get("/readyz")
    body = response.json()
    assert body["status"] == ("ok" if response.status_code == 200 else "unavailable")
    return response.status_code, {name: (check["ok"], check["detail"]) for name, check in body["checks"].items()}


def event(*, age: float) -> WebhookEvent:
    received_at = timezone.now() - timedelta(seconds=age)
    return WebhookEvent.objects.create(channel="whatsapp", body=b"{}", signed_by="", received_at=received_at)


def scrape(client: Client, **headers: Any) -> Values:
    response = client.get("/metrics", **headers)
    assert response.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/health", "/api/v1/health/"])
def test_process_is_alive_without_database_and_workers(client: Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.usefixtures("_alive")
def test_ready_when_everything_answers_and_nothing_waits(client: Client) -> None:
    assert ready(client) == (
        200,
        {
            "database": (True, "answers"),
            "broker": (True, "answers"),
            "workers": (True, "last trace 0 s ago"),
            "oldest_event": (True, "nothing waits"),
        },
    )


@pytest.mark.usefixtures("_silent")
def test_not_ready_when_no_worker_ever_worked(client: Client) -> None:
    status, checks = ready(client)
    assert (status, checks["workers"]) == (503, (False, "beat and workers have left no trace"))
    assert all(is_ok for name, (is_ok, _) in checks.items() if name != "workers")


@pytest.mark.parametrize(("age", "status"), [(25, 200), (31, 503)])
@pytest.mark.usefixtures("_silent")
def test_not_ready_when_workers_have_been_silent_for_half_a_minute(client: Client, age: int, status: int) -> None:
    cache.set(tasks.BEAT_KEY, time.time() - age)
    assert ready(client)[0] == status
    assert ready(client)[1]["workers"] == (status == 200, f"last trace {age} s ago")


@pytest.mark.parametrize(("age", "status"), [(5, 200), (12, 503)])
@pytest.mark.usefixtures("_alive")
def test_not_ready_when_the_oldest_event_waits_too_long(
    client: Client, settings: Settings, age: int, status: int
) -> None:
    settings.READY_OLDEST_SECONDS = 10
    event(age=age)
    event(age=1)
    assert ready(client)[0] == status
    assert ready(client)[1]["oldest_event"] == (status == 200, f"waits for {age} s")


@pytest.mark.usefixtures("_alive")
def test_done_events_do_not_wait(client: Client, settings: Settings) -> None:
    settings.READY_OLDEST_SECONDS = 10
    done = event(age=100)
    done.state = WebhookEvent.State.DONE
    done.save()
    assert ready(client)[0] == 200


def test_not_ready_without_the_broker(client: Client, db: None, settings: Settings) -> None:
    caches = settings.CACHES
    settings.CACHES = {"default": {**caches["default"], "LOCATION": "redis://127.0.0.1:9/0"}}
    status, checks = ready(client)
    assert status == 503
    assert checks["broker"] == (False, "Redis does not answer: ConnectionError")
    assert checks["workers"] == (False, "unknown while the broker is away")
    assert checks["database"] == (True, "answers")


@pytest.mark.usefixtures("_no_database")
def test_not_ready_without_the_database(client: Client) -> None:
    status, checks = ready(client)
    assert status == 503
    assert checks["database"] == (False, "PostgreSQL does not answer: OperationalError")
    assert checks["oldest_event"] == (False, "unknown while the database is away")
    assert checks["broker"] == (True, "answers")


def test_metrics_count_what_waits(client: Client, db: None) -> None:
    event(age=20)
    event(age=10)
    for state in ("dead", "unclaimed", "unclaimed"):
        WebhookItem.objects.create(channel="whatsapp", kind="message", state=state, payload={})
    values = scrape(client)
    assert values["recado_events_waiting", frozenset()] == 2
    assert 20 <= values["recado_oldest_event_seconds", frozenset()] < 25
    assert values["recado_turns_due", frozenset()] == 0
    assert values["recado_deliveries_due", frozenset()] == 0
    assert values["recado_messages_unsettled", frozenset([("status", "sending")])] == 0
    assert values["recado_messages_unsettled", frozenset([("status", "unknown")])] == 0
    assert values["recado_items_set_aside", frozenset([("state", "dead")])] == 1
    assert values["recado_items_set_aside", frozenset([("state", "unclaimed")])] == 2
    assert values["recado_items_set_aside", frozenset([("state", "parked")])] == 0


@pytest.mark.parametrize(
    ("given", "status"),
    [("Bearer right", 200), ("Bearer wrong", 403), ("right", 403), ("Bearer rïght", 403), (None, 403)],
)
def test_metrics_ask_for_their_token(
    client: Client, db: None, settings: Settings, given: str | None, status: int
) -> None:
    settings.METRICS_TOKEN = "right"
    headers = {} if given is None else {"HTTP_AUTHORIZATION": given}
    response = client.get("/metrics", **headers)  # type: ignore[arg-type] # the stubs know only the named ones
    assert response.status_code == status
    assert (b"recado_events_waiting" in response.content) == (status == 200)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        ({"REMOTE_ADDR": "10.0.0.7"}, 403),
        ({"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 403),
    ],
)
def test_metrics_without_a_token_are_open_to_this_machine_alone(
    client: Client, db: None, headers: dict[str, str], status: int
) -> None:
    response = client.get("/metrics", **headers)  # type: ignore[arg-type] # the stubs know only the named ones
    assert response.status_code == status
    assert (b"recado_events_waiting" in response.content) == (status == 200)


def test_metrics_add_up_the_counters_of_all_processes(
    client: Client, db: None, settings: Settings, tmp_path: Path
) -> None:
    count = "from apps.core import metrics; metrics.SENDS.labels('sent').inc(3)"
    for name in ("web", "worker"):  # containers have a folder each
        folder = tmp_path / name
        folder.mkdir()
        subprocess.run([sys.executable, "-c", count], env={"PROMETHEUS_MULTIPROC_DIR": str(folder)}, check=True)
    settings.METRICS_DIR = str(tmp_path)
    assert scrape(client)["recado_sends_total", frozenset([("status", "sent")])] == 6
