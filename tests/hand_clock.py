"""Time that passes when a test lets it."""

from __future__ import annotations

import time


class HandClock:
    """A clock as the server reads it, which begins now and stands still."""

    def __init__(self) -> None:
        self._now = time.time()

    def time(self) -> float:
        """Return the seconds since 1970."""
        return self._now

    def monotonic(self) -> float:
        """Return the same."""
        return self._now

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
