"""How often something may be done, and how much of it, counted for each key apart in the memory of this server."""

from __future__ import annotations

import math
import threading
import time

from limits import RateLimitItemPerDay, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from core.plurals import count

# the key of all keys together; those of visitors have no space
ALL = "all together"


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


class Allowance:
    """``each`` a day for every key and ``total`` for all; a day begins with the first that is taken."""

    def __init__(self, each: int, total: int) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._each, self._total = RateLimitItemPerDay(each), RateLimitItemPerDay(total)
        self._change = threading.Lock()

    def wait(self, key: str, amount: int = 1) -> float:
        """Return after how many seconds there is room for so much, 0 for now; nothing is counted."""
        return max(self._wait(self._each, key, amount), self._wait(self._total, ALL, amount))

    def take(self, key: str, amount: int = 1) -> float:
        """Count so much and return 0, or count nothing and return after how many seconds there is room."""
        with self._change:
            if wait := self.wait(key, amount):
                return wait
            self._limiter.hit(self._each, key, cost=amount)
            self._limiter.hit(self._total, ALL, cost=amount)
            return 0.0

    def _wait(self, limit: RateLimitItemPerDay, key: str, amount: int) -> float:
        if self._limiter.test(limit, key, cost=amount):
            return 0.0
        return max(1.0, self._limiter.get_window_stats(limit, key).reset_time - time.time())


def in_words(seconds: float) -> str:
    """Return a time to wait as people say it, rounded up: ``"5 minutes"``, ``"3 hours"``."""
    minutes = math.ceil(seconds / 60)
    amount, unit = (minutes, "minute") if minutes < 60 else (math.ceil(minutes / 60), "hour")
    return count(amount, unit)
