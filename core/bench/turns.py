"""Whose scan is next: turns go round the visitors, in the order in which a server's queue claims its jobs."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict

# of a visitor that no scan of has begun
NEVER = -math.inf


class Turns:
    """Waiting scans by number (order of arrival). The visitor whose last start is longest ago is next, unless it runs
    ``limit`` of them, with the oldest scan that is of no batch, else the oldest of its batches, else of those of them
    that have failed once.

    ``tests/webapp/store/test_turns.py`` compares it with the claims of the database.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        self._running: defaultdict[str, int] = defaultdict(int)
        self._last: dict[str, float] = {}
        # (last start, number of the first scan, visitor); what does not hold any more is passed over
        self._next: list[tuple[float, int, str]] = []

    def add(self, number: int, visitor: str, batch: bool = False, again: bool = False) -> None:
        """Let a scan wait; again: it is of a batch and has failed once."""
        heapq.heappush(self._waiting[visitor], (int(batch) + int(again), number))
        self._offer(visitor)

    def take(self, moment: float) -> int | None:
        """Return the number of the next scan, which begins now; None while none may."""
        while self._next:
            entry = heapq.heappop(self._next)
            visitor = entry[2]
            if entry != self._entry(visitor):
                continue
            _, number = heapq.heappop(self._waiting[visitor])
            self._running[visitor] += 1
            self._last[visitor] = moment
            self._offer(visitor)
            return number
        return None

    def end(self, visitor: str) -> None:
        """Note that a scan of a visitor runs no more."""
        self._running[visitor] -= 1
        self._offer(visitor)

    def _offer(self, visitor: str) -> None:
        entry = self._entry(visitor)
        if entry is not None:
            heapq.heappush(self._next, entry)

    def _entry(self, visitor: str) -> tuple[float, int, str] | None:
        """Return what stands for a visitor in the order, None for one that may start nothing."""
        line = self._waiting[visitor]
        if not line or self._running[visitor] >= self._limit:
            return None
        return self._last.get(visitor, NEVER), line[0][1], visitor
