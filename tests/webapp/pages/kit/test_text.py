"""Words for the page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from webapp.pages.kit.text import ago, number, seconds, times


@pytest.mark.parametrize(
    ("value", "digits", "words"),
    [(1.234, 2, "1.23"), (-0.5, 1, "−0.5"), (float("nan"), 2, "–"), (None, 2, "–"), ("x", 2, "–"), (3, 0, "3")],
)
def test_numbers(value: object, digits: int, words: str) -> None:
    assert number(value, digits) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.2, "under 1 s"), (4.4, "4 s"), (60, "1 min"), (125, "2 min 5 s"), (3700, "1 h 1 min"), (None, "–")],
)
def test_durations(value: float | None, words: str) -> None:
    assert seconds(value) == words


@pytest.mark.parametrize(
    ("passed", "words"), [(5, "just now"), (60, "1 minute ago"), (7200, "2 hours ago"), (90000, "1 day ago")]
)
def test_how_long_ago(passed: int, words: str) -> None:
    now = datetime(2026, 1, 2, 12, tzinfo=UTC)
    assert ago(now - timedelta(seconds=passed), now) == words


def test_sizes() -> None:
    assert times((1.0, 1.5, 0.94)) == "1 × 1.5 × 0.94"
    assert times((182, 218, 182), 0) == "182 × 218 × 182"
