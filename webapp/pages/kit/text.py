"""Words for the page: numbers, durations, sizes."""

from __future__ import annotations

import math
from datetime import UTC, datetime

NAME = "Counterscan"
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


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Return in words how long before ``now`` (else this moment) ``moment`` was; both are aware."""
    passed = ((now or datetime.now(UTC)) - moment).total_seconds()
    if passed < 60:
        return "just now"
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if passed >= size:
            count = int(passed // size)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def times(values: tuple[float, ...] | list[float], digits: int = 2) -> str:
    """Return sizes along the axes joined by a multiplication sign."""
    return " × ".join(f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits else str(int(value)) for value in values)
