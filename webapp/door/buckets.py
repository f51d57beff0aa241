"""How often something may be done: one token bucket for each session."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

REMEMBERED = 100_000


class Buckets:
    """A token bucket for each session: ``burst`` at once, ``rate`` per second afterwards."""

    def __init__(self, burst: int, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = float(burst)
        self._rate = rate
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, session: str) -> bool:
        """Take one token; False when there is none."""
        moment = self._clock()
        level, filled = self._levels.pop(session, (self._burst, moment))
        level = min(self._burst, level + (moment - filled) * self._rate)
        allowed = level >= 1.0
        self._levels[session] = (level - 1.0 if allowed else level, moment)
        while len(self._levels) > REMEMBERED:
            self._levels.popitem(last=False)
        return allowed
