"""Nudges are coalesced, and no caller ever waits for the broker."""

import time
import uuid
from collections.abc import Iterator

import pytest
import redis
from django.conf import LazySettings

from apps.core import nudges


@pytest.fixture
def broker(settings: LazySettings) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.delete("celery")
    yield client
    client.delete("celery")


def wait_for(count: int, broker: redis.Redis) -> int:
    deadline = time.monotonic() + 3
    while broker.llen("celery") < count and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    return int(broker.llen("celery"))


def test_many_nudges_are_one_task_until_it_begins(broker: redis.Redis) -> None:
    task = f"test.{uuid.uuid4().hex}"
    for _ in range(500):
        nudges.nudge(task)
    assert wait_for(1, broker) == 1
    nudges.begun(task)
    nudges.nudge(task)
    assert wait_for(2, broker) == 2


def test_nudge_returns_at_once_when_the_broker_is_away(settings: LazySettings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    nudges._client.cache_clear()
    started = time.monotonic()
    for place in range(100):
        nudges.nudge(f"test.{place}")
    assert time.monotonic() - started < 0.2
    nudges._client.cache_clear()
