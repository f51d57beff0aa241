"""Words for the page: numbers, durations, sizes."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from core.plurals import count

NAME = "Counterscan"
# size of a unit of time in seconds, its name, its steps in an estimate, and how many of it are given in the next
SCALES = (
    (1, "s", 1, 10), (1, "s", 5, 120), (60, "min", 0.5, 10), (60, "min", 1, 100), (3600, "h", 0.5, math.inf),
)  # fmt: skip
TAGLINE = "Research use only, not for diagnosis. Synthetic tissue is marked as such."


def number(value: object, digits: int = 2) -> str:
    """Return a number with ``digits`` decimals, an en dash for None, NaN and what is no number."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return "–"
    return f"{value:.{digits}f}".replace("-", "−")


def seconds(value: float | None) -> str:
    """Return a duration as people say it: ``"4 s"``, ``"2 min 5 s"``."""
    if value is None or not math.isfinite(value):
        return "–"
    whole = max(0, round(value))
    if whole < 60:
        return f"{whole} s" if whole else "under 1 s"
    minutes, rest = divmod(whole, 60)
    if not rest and minutes < 60:
        return f"{minutes} min"
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def span(low: float, high: float) -> str:
    """Return a range of durations as exactly as an estimate deserves: ``"15–40 s"``, ``"1.5–2.5 min"``, ``"2 h"``."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "–"
    if high < 1:
        return seconds(high)
    size, unit, step = next(one[:3] for one in SCALES if high < one[0] * one[3])
    first, last = (step * max(1, round(value / size / step)) for value in (low, high))
    return f"{last:g} {unit}" if first == last else f"{first:g}–{last:g} {unit}"


def bytes_of(count: int) -> str:
    """Return a size of files as people read it: ``"320 kB"``, ``"1.4 MB"``."""
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.1f} {unit}" if size < 10 and unit not in ("B", "kB") else f"{size:.0f} {unit}"


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Return in words how long before ``now`` (else this moment) ``moment`` was; both are aware."""
    passed = ((now or datetime.now(UTC)) - moment).total_seconds()
    if passed < 60:
        return "just now"
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if passed >= size:
            return f"{count(int(passed // size), unit)} ago"
    return "just now"


def times(values: tuple[float, ...] | list[float], digits: int = 2) -> str:
    """Return sizes along the axes joined by a multiplication sign."""
    return " × ".join(f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits else str(int(value)) for value in values)


def age_of(age: timedelta | None) -> str:
    """Return an age in words, "" for none."""
    if age is None:
        return ""
    hours = age.total_seconds() / 3600
    number, unit = (hours, "hour") if hours >= 1 else (60 * hours, "minute")
    return count(f"{number:g}", unit)
