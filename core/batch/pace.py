"""How far a batch is: scans done and under way, the rate, and the time that is left."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

# a scan that a batch before has done is kept
State = Literal["done", "kept", "failed"]
# seconds of computing after which the rest can be guessed
FIRST_SECONDS = 5.0


@dataclass(frozen=True)
class Standing:
    """scans: of the batch; counts: scans by state; under_way: name -> done fraction of those that run; rate: scans an
    hour, left: seconds; both None while they cannot be guessed."""

    scans: int
    counts: dict[State, int]
    under_way: dict[str, float]
    rate: float | None
    left: float | None

    @property
    def ended(self) -> int:
        """How many scans need nothing more."""
        return sum(self.counts.values())


class Pace:
    """Counts what happens to the ``scans`` of a batch; safe to use from several threads."""

    def __init__(self, scans: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._scans = scans
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: Counter[State] = Counter()
        self._under_way: dict[str, float] = {}
        self._begun: float | None = None

    def progress(self, name: str, fraction: float) -> None:
        """Note that ``fraction`` of the scan ``name`` is done."""
        with self._lock:
            self._begun = self._clock() if self._begun is None else self._begun
            self._under_way[name] = fraction

    def ended(self, name: str, state: State | None) -> None:
        """Note that the scan ``name`` no longer runs; state: None where it will be tried again."""
        with self._lock:
            self._under_way.pop(name, None)
            if state is not None:
                self._counts[state] += 1

    def standing(self) -> Standing:
        """Return how far the batch is."""
        with self._lock:
            counts, under_way = dict(self._counts), dict(self._under_way)
            passed = 0.0 if self._begun is None else self._clock() - self._begun
        return standing(self._scans, counts, under_way, passed)


def standing(scans: int, counts: dict[State, int], under_way: dict[str, float], passed: float) -> Standing:
    """Return how far a batch of ``scans`` is whose first scan began ``passed`` seconds ago."""
    # what failed says nothing of how long the rest takes
    made = counts.get("done", 0) + sum(under_way.values())
    rate = made / passed if passed >= FIRST_SECONDS and made > 0 else None
    missing = scans - sum(counts.values()) - sum(under_way.values())
    return Standing(
        scans,
        counts,
        under_way,
        None if rate is None else 3600 * rate,
        None if rate is None else max(0.0, missing / rate),
    )
