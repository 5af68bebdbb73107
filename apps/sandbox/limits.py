"""Token buckets: Meta's limits of messages a second, for a number and for a pair of number and customer."""

import time


class Buckets:
    """One bucket a key; each holds `burst` tokens and gains `rate` a second."""

    def __init__(self) -> None:
        self._buckets: dict[object, tuple[float, float]] = {}

    def take(self, key: object, *, burst: float, rate: float) -> bool:
        """Take a token from the key's bucket; False when it is empty."""
        now = time.monotonic()
        tokens, since = self._buckets.get(key, (burst, now))
        tokens = min(burst, tokens + (now - since) * rate)
        is_left = tokens >= 1
        self._buckets[key] = (tokens - 1 if is_left else tokens, now)
        return is_left
