"""How fast we may send: buckets per account and per (account, contact), shared by all workers through Redis.

Each bucket is a GCRA ("leaky bucket as a meter"): one number, the time at which it is empty again. Without Redis every
process keeps buckets of its own at a safe share of the rate.
"""

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = structlog.get_logger(__name__)

LOCAL_SHARE = 0.1  # of the rate, in each process, while Redis is away

_TAKE = """
local now = tonumber(ARGV[1])
local waits = {}
local place = 2
local key = 1
while key <= #KEYS do
  local wait, fresh = 0, {}
  for bucket = 0, 1 do
    local interval, burst = tonumber(ARGV[place + bucket * 2]), tonumber(ARGV[place + bucket * 2 + 1])
    if interval > 0 then
      local empty_at = math.max(tonumber(redis.call('GET', KEYS[key + bucket]) or now), now) + interval
      wait = math.max(wait, empty_at - now - interval * burst)
      fresh[bucket] = empty_at
    end
  end
  if wait <= 0 then
    for bucket, empty_at in pairs(fresh) do
      redis.call('SET', KEYS[key + bucket], empty_at, 'PX', math.ceil(empty_at - now) + 1000)
    end
  end
  waits[#waits + 1] = math.ceil(wait)
  key, place = key + 2, place + 4
end
return waits
"""


@dataclass(frozen=True)
class Bucket:
    """A limit: one in `interval` milliseconds, up to `burst` at once; an interval of 0 is no limit."""

    key: str
    interval: float
    burst: float


def take(pairs: Sequence[tuple[Bucket, Bucket]]) -> list[float]:
    """For each (account bucket, pair bucket): 0.0 where both let one message go, else how many seconds to wait."""
    if not pairs:
        return []
    now = time.time() * 1000
    try:
        waits = _script()(
            keys=[f"recado:rate:{bucket.key}" for pair in pairs for bucket in pair],
            args=[now, *(number for pair in pairs for bucket in pair for number in (bucket.interval, bucket.burst))],
        )
    except redis.RedisError as error:
        logger.warning("rates_kept_locally", reason=type(error).__name__)
        waits = [_take_locally(pair, now) for pair in pairs]
    return [max(wait, 0) / 1000 for wait in waits]


_local: dict[str, float] = {}


def _take_locally(pair: tuple[Bucket, Bucket], now: float) -> float:
    if len(_local) > 10_000:
        for key in [key for key, empty_at in _local.items() if empty_at < now]:
            del _local[key]
    wait, fresh = 0.0, {}
    for bucket in pair:
        if bucket.interval:
            interval = bucket.interval / LOCAL_SHARE
            empty_at = max(_local.get(bucket.key, now), now) + interval
            wait = max(wait, empty_at - now - interval * max(bucket.burst * LOCAL_SHARE, 1))
            fresh[bucket.key] = empty_at
    if wait <= 0:
        _local.update(fresh)
    return wait


@functools.cache
def _script() -> redis.commands.core.Script:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
    )
    return client.register_script(_TAKE)
