"""How many real images synthetic ones were worth, with intervals over seeds and groups of test images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.augment.learning_curve import Curve, fit_curve
from core.measure.bootstrap import draw_weights, interval
from core.measure.intervals import LEVEL, Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DRAWS = 1000
# cells that a fit of log k needs, and the share of draws in which it must be possible
FEWEST_CELLS, POSSIBLE = 3, 0.5


@dataclass(frozen=True, order=True)
class Arm:
    """One way to make a training set: ``base`` real images and ``added`` others, made as ``name`` says."""

    name: str
    base: int
    added: int = 0


@dataclass(frozen=True)
class Rate:
    """What the ``added`` images of an arm were worth.

    accuracy: of its classifiers. gain: minus that of the base set alone. worth: k, the real images that would have
    lowered the error as much. rate: k / added, the worth of one image. most: the largest k that can be seen, where the
    real images end.
    """

    arm: Arm
    accuracy: Interval
    gain: Interval
    worth: Interval
    rate: Interval
    most: int

    @property
    def beyond(self) -> bool:
        """Whether k lies at the end of the real images, so that it may be more."""
        return self.worth.value >= self.most


@dataclass(frozen=True)
class Trend:
    """log k = intercept + by_added log m + by_base log n0."""

    by_added: Interval
    by_base: Interval


class Exchange:
    """Errors of all arms in every bootstrap draw, and the curve over real images that they are read off.

    correct: arm and seed -> which test images were classified correctly, (T,) bool; every arm has the same seeds.
    groups: (T,) patient or slide of each test image. Test images are drawn in whole groups. Seeds, of which there are
    few, get normal weights with which their mean varies by its standard error (exchangeably weighted bootstrap,
    Praestgaard & Wellner 1993, Ann Probab 21:2053): draws of two or three of them would be a handful of values.
    """

    def __init__(
        self, correct: Mapping[tuple[Arm, int], Bools], groups: Ints, real: str, draws: int = DRAWS, seed: int = 0
    ) -> None:
        self.real = real
        seeds = sorted({seed for _, seed in correct})
        arms = sorted({arm for arm, _ in correct})
        weights = draw_weights(len(groups), groups, draws, seed)
        totals = np.maximum(weights.sum(axis=1), 1)
        chosen = _seed_weights(len(seeds), draws, seed)
        self._errors: dict[Arm, Floats] = {}
        # of each seed, without a bootstrap: (seeds,)
        self._logs: dict[Arm, Floats] = {}
        for arm in arms:
            right = np.stack([correct[arm, each] for each in seeds], axis=1).astype(np.float64)
            self._logs[arm] = np.log(np.maximum(1 - right.mean(axis=0), 0.5 / len(groups)))
            shares = (weights @ right) / totals[:, None]
            # half an image wrong at least: a logarithm is taken
            self._errors[arm] = np.maximum(1 - (shares * chosen).sum(axis=1), 0.5 / len(groups))
        self.counts = np.array(sorted(arm.base for arm in arms if arm.name == real), np.int64)
        self.curve: Curve = fit_curve(
            self.counts, np.stack([self._errors[Arm(real, int(count))] for count in self.counts], axis=1)
        )

    @property
    def arms(self) -> tuple[Arm, ...]:
        """All arms but those of real images alone, in order of name and size."""
        return tuple(arm for arm in sorted(self._errors) if arm.name != self.real)

    @property
    def real_arms(self) -> tuple[Arm, ...]:
        """The arms of real images alone, fewest first."""
        return tuple(arm for arm in sorted(self._errors) if arm.name == self.real)

    @property
    def flat(self) -> bool:
        """Whether all real images were not shown to do better than the fewest: then no number of them is worth anything
        and no rate can be read off the curve."""
        first, last = (self._errors[arm] for arm in (self.real_arms[0], self.real_arms[-1]))
        return not interval(first - last).low > 0

    def accuracy(self, arm: Arm) -> Interval:
        """Return the accuracy of an arm's classifiers, mean over seeds."""
        return interval(1 - self._errors[arm])

    def fitted(self, count: float) -> Interval:
        """Return the accuracy of the curve at ``count`` real images."""
        return interval(1 - self.curve.error(count))

    def rate(self, arm: Arm) -> Rate:
        """Return what the images added in ``arm`` were worth beside its own base set."""
        error, base = self._errors[arm], self._errors[Arm(self.real, arm.base)]
        worth, most = self.worth(arm), int(self.counts[-1]) - arm.base
        return Rate(
            arm,
            interval(1 - error),
            interval(base - error),
            bounded_interval(worth, most),
            bounded_interval(worth / max(arm.added, 1), most / max(arm.added, 1)),
            most,
        )

    def worth(self, arm: Arm) -> Floats:
        """Return k in each draw, (1 + draws,): the count at which the curve has the arm's error, minus its base.

        Of what the arm's own base sets happened to be better or worse than the curve, the share is taken off that the
        arm follows (a control variate: the slope of its log errors over those of the base sets, seed by seed, from 0 to
        1). k is no more than there are real images, and no less than -base.
        """
        own = Arm(self.real, arm.base)
        followed = _slope(self._logs[arm], self._logs[own])
        chance = self._errors[own] / self.curve.error(arm.base)
        reached = self.curve.count(self._errors[arm] * chance**-followed)
        # to a millionth of an image, so that equal errors are worth 0
        return np.round(np.minimum(reached, float(self.counts[-1])) - arm.base, 6)

    def saturation(self, name: str, base: int) -> int | None:
        """Return the smallest number of added images after which no larger number was better (95 % interval), None
        where the largest number was still better than every other."""
        arms = [arm for arm in self.arms if arm.name == name and arm.base == base]
        for place, arm in enumerate(arms[:-1]):
            gains = [interval(self._errors[arm] - self._errors[later]) for later in arms[place + 1 :]]
            if all(gain.low <= 0 for gain in gains):
                return arm.added
        return None

    def trend(self, name: str) -> Trend | None:
        """Return how k changes with the number added and with the base size, None where k is not above 0 in enough
        cells."""
        arms = [arm for arm in self.arms if arm.name == name]
        worth = np.stack([self.worth(arm) for arm in arms], axis=1) if arms else np.zeros((1, 0))
        logs = np.log(np.array([[arm.added, arm.base] for arm in arms], np.float64)).reshape(-1, 2)
        slopes = np.array([_slopes(row, logs) for row in worth])
        if np.isfinite(slopes[:, 0]).mean() < POSSIBLE or not np.isfinite(slopes[0, 0]):
            return None
        return Trend(interval(slopes[:, 0]), interval(slopes[:, 1]))


def _seed_weights(count: int, draws: int, seed: int) -> Floats:
    """Return weights of ``count`` seeds, (1 + draws, count), of sum 1, with which their mean varies as a mean of so
    many does; row 0 has equal ones, and so has every row where there is one seed alone."""
    rng = np.random.default_rng([seed, count, 7])
    normal = rng.standard_normal((draws, count))
    apart = normal - normal.mean(axis=1, keepdims=True)
    return 1 / count + np.vstack([np.zeros(count), apart / np.sqrt(max(count * (count - 1), 1))])


def bounded_interval(values: Floats, most: float) -> Interval:
    """Return the first of ``values`` (1 + draws,), none of them above ``most``, with the 95 % interval of the others.

    Where the first is ``most`` itself, many others are too, and no bias can be read off how many lie below it: plain
    percentiles, which a bias correction would lift off the truth.
    """
    if values[0] < most or len(values) < 3:
        return interval(values)
    low = float(np.quantile(values[1:], (1 - LEVEL) / 2))
    return Interval(float(values[0]), low, float(values[0]))


def _slope(values: Floats, over: Floats) -> float:
    """Return the slope of ``values`` over ``over`` (seeds,), from 0 to 1; 1 where ``over`` does not vary, so that what
    equals its base set is worth 0 even where the curve misses both."""
    spread = float(((over - over.mean()) ** 2).sum())
    if spread == 0:
        return 1.0
    return float(np.clip(((values - values.mean()) * (over - over.mean())).sum() / spread, 0, 1))


def _slopes(worth: Floats, logs: Floats) -> Floats:
    """Return the slopes (2,) of log ``worth`` (cells,) over ``logs`` (cells, 2), nan where they cannot be found."""
    kept = worth > 0
    found = np.full(2, np.nan)
    columns = [column for column in range(2) if len(np.unique(logs[kept, column])) > 1]
    if kept.sum() < FEWEST_CELLS or 0 not in columns:
        return found
    design = np.column_stack([np.ones(int(kept.sum())), logs[kept][:, columns]])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return found
    found[columns] = np.linalg.lstsq(design, np.log(worth[kept]), rcond=None)[0][1:]
    return found


def real_counts(bases: Sequence[int], largest: int, smallest_share: float = 0.5) -> tuple[int, ...]:
    """Return the numbers of real images at which the curve is measured: half of the smallest base, the bases, and
    doublings up to ``largest``.

    >>> real_counts((50, 100), 420)
    (25, 50, 100, 200, 400)
    >>> real_counts((50,), 130)
    (25, 50, 100, 130)
    """
    found = {max(2, round(smallest_share * min(bases))), *bases}
    count = max(bases)
    while 2 * count <= largest:
        count *= 2
        found.add(count)
    if largest > 1.25 * count:
        found.add(largest)
    return tuple(sorted(found))
