"""How often something may be done: so many times in a span of time, counted for each key apart."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


class Rates:
    """``amount`` times within any ``seconds`` for each key; what is long ago is forgotten."""

    def __init__(self, amount: int, seconds: float) -> None:
        self._limit = RateLimitItemPerSecond(amount, max(1, math.ceil(seconds)))
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, key: str) -> float:
        """Count one and return 0, or return after how many seconds there is room again."""
        if self._limiter.hit(self._limit, key):
            return 0.0
        return max(1.0, self._limiter.get_window_stats(self._limit, key).reset_time - time.time())
