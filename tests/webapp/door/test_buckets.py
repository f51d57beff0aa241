from __future__ import annotations

import pytest

from webapp.door import buckets
from webapp.door.buckets import Buckets


class Clock:
    """A clock that stands still until it is set."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_a_bucket_empties_and_fills_at_its_rate() -> None:
    clock = Clock()
    bucket = Buckets(3, 2.0, clock)
    assert [bucket.take("a") for _ in range(4)] == [True, True, True, False]
    assert bucket.take("b")
    clock.now = 0.49
    assert not bucket.take("a")
    clock.now = 0.5
    assert [bucket.take("a") for _ in range(2)] == [True, False]
    clock.now = 1000.0
    assert [bucket.take("a") for _ in range(4)] == [True, True, True, False]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "REMEMBERED", 3)
    bucket = Buckets(1, 1.0)
    for number in range(10):
        bucket.take(str(number))
    assert not bucket.take("9") and bucket.take("0")
