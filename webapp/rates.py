"""How often something may be done, and how much of it in a day, counted for each key apart."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from core.plurals import count

# the key of all keys together; those of visitors have no space
ALL = "all together"
DAY = 86400.0
# how much all who come from one address may do, in what one visitor may: a new session begins no new day
OF_ADDRESS = 5


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


class Kept(Protocol):
    """Where the amounts of days are kept beyond the life of this server; times are seconds since 1970."""

    def load(self, moment: float) -> Mapping[str, tuple[float, int]]:
        """Return key -> (when its day began, amount) of the days that are not over."""

    def add(self, amounts: Mapping[str, tuple[float, int]]) -> None:
        """Add key -> (when its day began, amount)."""


class Forgotten:
    """What is kept nowhere: what an address has used, which nobody else need know."""

    def load(self, moment: float) -> Mapping[str, tuple[float, int]]:
        """Return nothing."""
        return {}

    def add(self, amounts: Mapping[str, tuple[float, int]]) -> None:
        """Add nothing."""


class Allowance:
    """``each`` a day for every key and ``total`` for all; a day begins with the first that is taken.

    kept: what was taken before this server started, and where ``keep`` writes; clock: seconds since 1970.
    """

    def __init__(self, each: int, total: int, kept: Kept, clock: Callable[[], float] = time.time) -> None:
        self._each, self._total = each, total
        self._kept = kept
        self._clock = clock
        self._days = dict(kept.load(clock()))
        self._unkept: Counter[str] = Counter()
        self._change = threading.Lock()

    def wait(self, key: str, amount: int = 1) -> float:
        """Return after how many seconds there is room for so much, 0 for now; nothing is counted."""
        return max(self._wait(key, amount, self._each), self._wait(ALL, amount, self._total))

    def take(self, key: str, amount: int = 1) -> float:
        """Count so much and return 0, or count nothing and return after how many seconds there is room."""
        with self._change:
            if wait := self.wait(key, amount):
                return wait
            moment = self._clock()
            for one in (key, ALL):
                began, before = self._day(one, moment)
                self._days[one] = (began, before + amount)
                self._unkept[one] += amount
            return 0.0

    def keep(self) -> None:
        """Write what was taken since the last time; it may block, and loses nothing when it fails."""
        with self._change:
            amounts = {key: (self._days[key][0], amount) for key, amount in self._unkept.items() if key in self._days}
            self._unkept.clear()
        if not amounts:
            return
        try:
            self._kept.add(amounts)
        except Exception:
            with self._change:
                self._unkept.update({key: amount for key, (_, amount) in amounts.items()})
            raise

    def forget(self) -> None:
        """Forget the days that are over."""
        moment = self._clock()
        with self._change:
            self._days = {key: day for key, day in self._days.items() if moment - day[0] < DAY}

    def _day(self, key: str, moment: float) -> tuple[float, int]:
        began, amount = self._days.get(key, (moment, 0))
        return (began, amount) if moment - began < DAY else (moment, 0)

    def _wait(self, key: str, amount: int, most: int) -> float:
        moment = self._clock()
        began, before = self._day(key, moment)
        return 0.0 if before + amount <= most else max(1.0, began + DAY - moment)


def in_words(seconds: float) -> str:
    """Return a time to wait as people say it, rounded up: ``"5 minutes"``, ``"3 hours"``."""
    minutes = math.ceil(seconds / 60)
    amount, unit = (minutes, "minute") if minutes < 60 else (math.ceil(minutes / 60), "hour")
    return count(amount, unit)
