"""Nudges are coalesced, and no caller ever waits for the broker."""

import json
import time
import uuid

import pytest
import redis
from django.conf import LazySettings

from apps.core import nudges


@pytest.fixture
def broker(settings: LazySettings) -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL)


def waiting(task: str, broker: redis.Redis) -> int:
    """How many messages for the task the broker holds."""
    messages: list[bytes] = broker.lrange("celery", 0, -1)  # type: ignore[assignment]
    return sum(json.loads(message)["headers"]["task"] == task for message in messages)


def wait_for(count: int, task: str, broker: redis.Redis) -> int:
    deadline = time.monotonic() + 5
    while waiting(task, broker) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)  # for one too many to show
    return waiting(task, broker)


def test_many_nudges_are_one_task_until_it_begins(broker: redis.Redis) -> None:
    task = f"test.{uuid.uuid4().hex}"
    for _ in range(500):
        nudges.nudge(task)
    assert wait_for(1, task, broker) == 1
    nudges.begun(task)
    nudges.nudge(task)
    assert wait_for(2, task, broker) == 2


def test_nudge_returns_at_once_when_the_broker_is_away(
    settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    nudges._client.cache_clear()
    started = time.monotonic()
    for place in range(100):
        nudges.nudge(f"test.{place}")
    assert time.monotonic() - started < 0.2
    while caplog.text.count("nudge_lost") < 100 and time.monotonic() - started < 10:
        time.sleep(0.01)  # or the thread that still loses some would keep this client for the tests that follow
    assert caplog.text.count("nudge_lost") == 100
    nudges._client.cache_clear()
