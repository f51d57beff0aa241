"""95 % intervals: Wilson for a share, a bootstrap over items for everything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from core.measure.bootstrap import draw_weights, interval, ratio
from core.measure.findings import Estimate

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Bools = NDArray[np.bool_]

NAN = float("nan")


def undefined(n: int = 0) -> Estimate:
    """Return the estimate of something that cannot be computed."""
    return Estimate(NAN, NAN, NAN, n)


def wilson(right: int, n: int) -> Estimate:
    """Return the share ``right`` of ``n`` with its Wilson score interval; nan without answers."""
    if n == 0:
        return undefined()
    bounds = stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
    # rounding can push a bound past the share by one unit in the last place
    share = right / n
    return Estimate(share, float(min(bounds.low, share)), float(max(bounds.high, share)), n)


def binomial_p(right: int, n: int) -> float:
    """Return the exact two-sided binomial p value of ``right`` of ``n`` against 0.5; nan without answers."""
    return float(stats.binomtest(right, n).pvalue) if n else NAN


@dataclass(frozen=True)
class Bootstrap:
    """Items drawn with replacement: answers to one item depend on each other, so that whole items are drawn."""

    resamples: int
    seed: int

    def weights(self, items: int) -> Floats:
        """Return how often each item counts, (1 + resamples, items); row 0 is the study itself. Not to be changed."""
        return _weights(items, self.resamples, self.seed)

    def estimate(self, values: ArrayLike, items: int) -> Estimate:
        """Return the first of ``values`` (1 + resamples,) with the interval that the others give; none of one item."""
        figure = interval(values)
        if items < 2:
            return Estimate(figure.value, NAN, NAN, items)
        return Estimate(figure.value, figure.low, figure.high, items)

    def of_sums(self, statistic: Callable[[Floats], Floats], parts: Floats) -> Estimate:
        """Return the estimate of ``statistic``, a function of sums over items.

        parts: (items, ...) what each item adds. statistic: sums (1 + resamples, ...) -> values (1 + resamples,).
        """
        items = len(parts)
        if not items:
            return undefined()
        sums = (self.weights(items) @ parts.reshape(items, -1)).reshape(-1, *parts.shape[1:])
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.estimate(statistic(sums), items)

    def mean(self, item: Whole, values: Floats) -> Estimate:
        """Return the mean of ``values`` (N,), of which each belongs to an item of ``item`` (N,)."""
        place, items = places(item)
        totals, counts = (np.bincount(place, part, minlength=items) for part in (values, np.ones(len(values))))
        return self.estimate(ratio(totals, counts, self.weights(items)), items) if items else undefined()


def places(item: Whole) -> tuple[Whole, int]:
    """Return where each entry of ``item`` (N,) stands among the different ones, in their order, and their number."""
    different, place = np.unique(item, return_inverse=True)
    return np.asarray(place, np.int64), len(different)


@lru_cache(maxsize=8)
def _weights(items: int, resamples: int, seed: int) -> Floats:
    weights = draw_weights(items, draws=resamples, seed=seed)
    weights.setflags(write=False)
    return weights
