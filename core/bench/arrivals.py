"""When scans arrive: at random, by the hour of the day, in bursts, or all at once."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence

from core.bench.fleet import HOUR, Work

DAY = 24 * HOUR
# of a day: the hour with most arrivals
PEAK_HOUR = 14.0


def at_once(scans: int, seconds: float) -> list[Work]:
    """Return the scans of one batch, all there from the start."""
    return [Work(0.0, seconds, "batch", True) for _ in range(scans)]


def daily(
    runs: int, visitors: int, seconds: Sequence[float], peak: float = 3.0, days: float = 1.0, seed: int = 0
) -> list[Work]:
    """Return a Poisson stream of ``runs`` a day whose rate is half a wave over the day, ``peak`` times the mean at
    most and nothing at night.

    seconds: each run takes one of these, of one of ``visitors``. ValueError for a peak below pi/2.
    """
    # hours of the half wave; its mean over a day is one
    width = 24 * math.pi / (2 * peak)
    if width > 24:
        raise ValueError("such a peak is too low")
    chance = random.Random(seed)

    def rate(moment: float) -> float:
        # hours from the peak, over midnight
        apart = abs((moment / HOUR - PEAK_HOUR + 12) % 24 - 12)
        return peak * runs / DAY * math.cos(math.pi * apart / width) if 2 * apart < width else 0.0

    return [
        Work(moment, chance.choice(seconds), f"visitor-{chance.randrange(visitors)}")
        for moment in _thinned(rate, peak * runs / DAY, days * DAY, chance)
    ]


def bursts(visitors: int, runs: int, seconds: Sequence[float], within: float = 60.0, seed: int = 0) -> list[Work]:
    """Return ``runs`` of each of ``visitors``, who all come within as many seconds."""
    chance = random.Random(seed)
    return [
        Work(chance.uniform(0, within), chance.choice(seconds), f"visitor-{visitor}")
        for visitor in range(visitors)
        for _ in range(runs)
    ]


def _thinned(rate: Callable[[float], float], most: float, end: float, chance: random.Random) -> Iterator[float]:
    """Yield the times of a Poisson process whose rate changes (Lewis and Shedler 1979), up to ``end``."""
    moment = chance.expovariate(most)
    while moment < end:
        if chance.random() * most < rate(moment):
            yield moment
        moment += chance.expovariate(most)
