"""Difference in accuracy of two models on the same patches (D15)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.failure.results import Gap
from core.measure.bootstrap import interval, mean

Floats = NDArray[np.float64]


def mcnemar(first: Floats, second: Floats) -> float:
    """Return the two-sided exact p of McNemar's test for two (N,) arrays of right (1) and wrong (0) answers.

    >>> mcnemar(np.array([1.0, 1, 1, 0]), np.array([1.0, 0, 0, 0]))
    0.5
    """
    from scipy import stats

    only_first, only_second = int((first > second).sum()), int((second > first).sum())
    if only_first + only_second == 0:
        return 1.0
    return float(stats.binomtest(only_first, only_first + only_second, 0.5).pvalue)


def accuracy_gap(name: str, titles: tuple[str, str], first: Floats, second: Floats, weights: Floats) -> Gap:
    """Return D15: accuracy of the first model minus that of the second on the set ``name``, by group bootstrap.

    first, second: (N,) 1 for a correct answer, else 0. weights: (1 + draws, N).
    """
    return Gap(name, *titles, interval(mean(first - second, weights)), mcnemar(first, second))
