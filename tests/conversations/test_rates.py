"""Rate buckets: what lets a message go, shared by all, and what remains without Redis."""

import uuid
from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from apps.conversations import rates
from apps.conversations.models import Conversation, Message
from apps.organizations.models import User
from tests.conversations.test_delivery import say
from tests.support.line import Line

FREE = rates.Bucket("free", 0, 0)


def bucket(interval: float, burst: float) -> rates.Bucket:
    return rates.Bucket(uuid.uuid4().hex, interval, burst)


@pytest.fixture
def without_redis(settings: LazySettings) -> Iterator[None]:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    rates._script.cache_clear()
    yield
    rates._script.cache_clear()


@given(burst=st.integers(1, 60), asked=st.integers(1, 80))
def test_burst_goes_at_once_and_the_rest_waits_one_interval_each(burst: int, asked: int) -> None:
    waits = rates.take([(FREE, bucket(60_000, burst))] * asked)
    assert [wait == 0 for wait in waits] == [place < burst for place in range(asked)]
    assert all(59 <= wait <= 60 for wait in waits[burst:])


def test_refusal_of_one_bucket_takes_nothing_from_the_other() -> None:
    account, full, free = bucket(60_000, 2), bucket(60_000, 1), bucket(60_000, 1)
    assert rates.take([(account, full)]) == [0]
    [refused] = rates.take([(account, full)])
    assert refused > 0
    assert rates.take([(account, free)]) == [0]


def test_buckets_of_different_contacts_do_not_meet() -> None:
    account = bucket(1, 1000)
    assert rates.take([(account, bucket(6_000, 1)) for _ in range(50)]) == [0] * 50


def test_without_redis_a_process_keeps_to_a_safe_share(without_redis: None) -> None:
    account = bucket(1000 / 80, 80)
    waits = [rates.take([(account, FREE)])[0] for _ in range(20)]
    assert sum(wait == 0 for wait in waits) == 8


def test_pair_limit_delays_that_conversation_only(line: Line, agent: User) -> None:
    line.says("Oi")
    line.says("Oi", customer="5511988880002")
    flooded, other = Conversation.objects.order_by("created_at")
    for place in range(50):
        say(agent, f"{place}", conversation=flooded)
    say(agent, "para outro", conversation=other)
    line.run()
    assert line.meta.texts("5511988880002") == ["para outro"]
    assert line.meta.texts("5511999990001") == [str(place) for place in range(45)]
    assert Message.objects.filter(conversation=flooded, status="queued").count() == 5
