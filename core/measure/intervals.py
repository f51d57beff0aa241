"""Numbers with their 95 % interval; the Wilson interval of a share and the exact binomial test.

Wilson (1927), J Am Stat Assoc 22:209.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from scipy import special

NAN = float("nan")
LEVEL = 0.95
# what a normal variable exceeds on either side once in twenty times
NORMAL = float(special.ndtri((1 + LEVEL) / 2))
JSON_DIGITS = 5

Number = Annotated[
    float,
    BeforeValidator(lambda value: NAN if value is None else value),
    PlainSerializer(lambda value: float(f"{value:.{JSON_DIGITS}g}") if math.isfinite(value) else None),
    WithJsonSchema({"type": ["number", "null"]}),
]
"""A measured number; in JSON to five digits, and null where it is nan or infinite."""


@dataclass(frozen=True)
class Interval:
    """A measured number between the bounds of its 95 % interval; each is nan where it could not be measured."""

    value: Number
    low: Number = NAN
    high: Number = NAN


@dataclass(frozen=True)
class Estimate(Interval):
    """An interval with the number ``n`` that it rests on: answers, or items where items were resampled."""

    n: int = 0


def undefined(n: int = 0) -> Estimate:
    """Return the estimate of a number that cannot be computed."""
    return Estimate(NAN, NAN, NAN, n)


def wilson(successes: int, n: int) -> Estimate:
    """Return the share ``successes`` of ``n`` with its Wilson score interval; nan for ``n`` of 0."""
    if n == 0:
        return undefined()
    share, z = successes / n, NORMAL
    middle, reach = 2 * n * share + z**2, z * math.sqrt(4 * n * share * (1 - share) + z**2)
    # rounding can push a bound past the share by one unit in the last place
    low = min((middle - reach) / (2 * (n + z**2)), share) if successes else 0.0
    high = max((middle + reach) / (2 * (n + z**2)), share) if successes < n else 1.0
    return Estimate(share, low, high, n)


def binomial_p(successes: int, n: int) -> float:
    """Return the exact two-sided binomial p value of ``successes`` of ``n`` against 0.5; nan for ``n`` of 0."""
    # of the outcomes at most as likely, one half lies at either end
    return min(1.0, 2 * float(special.bdtr(min(successes, n - successes), n, 0.5))) if n else NAN
