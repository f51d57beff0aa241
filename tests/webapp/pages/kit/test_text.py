"""Words for the page."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from webapp.pages.kit.text import ago, bytes_of, number, seconds, span, times


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


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.1, 0.4, "under 1 s"), (8.6, 9.3, "9 s"), (2, 7.6, "2–8 s"), (14, 41, "15–40 s"), (52, 98, "50–100 s"),
        (95, 150, "1.5–2.5 min"), (700, 1300, "12–22 min"), (3600, 7300, "1–2 h"), (1, math.inf, "–"),
    ],
)  # fmt: skip
def test_a_range_of_durations_is_no_more_exact_than_it_is_known(low: float, high: float, words: str) -> None:
    assert span(low, high) == words


@pytest.mark.parametrize(
    ("count", "words"), [(12, "12 B"), (320_400, "320 kB"), (1_449_000, "1.4 MB"), (26 * 10**9, "26 GB")]
)
def test_sizes_of_files_are_read_as_people_read_them(count: int, words: str) -> None:
    assert bytes_of(count) == words
