"""Right and wrong answers of every model on every test set, over all seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.failure.chance import chance_of
from core.failure.data.dataset import HOME, Dataset
from core.failure.diagnostics.paired_accuracy import accuracy_gap
from core.failure.results import Gap
from core.measure.bootstrap import DRAWS, draw_weights, interval, mean, widened
from core.measure.intervals import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

APART = 1 << 32
"""Between the groups of two seeds that share none."""


class Tally:
    """What models answered; datasets: of each seed, in the order in which answers are added. folds: the datasets are
    folds of one set instead, in which every patch is tested once."""

    def __init__(self, datasets: Sequence[Dataset], *, folds: bool = False) -> None:
        self.datasets, self.folds = datasets, folds
        self.answers: dict[tuple[str, str], list[Floats]] = {}

    def add(self, model: str, test: str, correct: Floats) -> None:
        """Add the answers of the next seed of ``model`` on ``test``: 1 for each correct patch, else 0, (N,)."""
        self.answers.setdefault((model, test), []).append(correct)

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the models."""
        return tuple(dict.fromkeys(model for model, _ in self.answers))

    def chance(self) -> float:
        """Return the accuracy of always naming the commonest class of the test set "id" of all seeds."""
        return chance_of(np.concatenate([dataset.tests[HOME].labels for dataset in self.datasets]))

    def accuracies(self, model: str) -> dict[str, Interval]:
        """Return the accuracy of ``model`` on each test set; the intervals draw seeds and whole groups
        and are widened for few of them."""
        return {test: self._accuracy(model, test) for test in self.datasets[0].tests}

    def value(self, model: str, test: str) -> float:
        """Return the accuracy of ``model`` on ``test`` over all seeds."""
        return float(np.concatenate(self.answers[model, test]).mean())

    def gap(self, test: str, first: str, second: str) -> Gap:
        """Return D15: the accuracy of the model ``first`` minus that of ``second``."""
        one, other = (np.concatenate(self.answers[name, test]) for name in (first, second))
        return accuracy_gap(test, (first, second), one, other, self._groups(test))

    def _accuracy(self, model: str, test: str) -> Interval:
        parts = self.answers[model, test]
        correct, groups = np.concatenate(parts), self._groups(test)
        seeds = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        weights = draw_weights(len(correct), groups, DRAWS)
        if len(parts) > 1 and not self.folds:
            weights = weights * draw_weights(len(correct), seeds, DRAWS, seed=1)
        return widened(interval(mean(correct, weights)), len(np.unique(groups)))

    def _groups(self, test: str) -> Ints:
        """Return the group (N,) of each patch of a test set over all seeds: a patient or slide, or the patch itself.

        The seeds of a file share their patients; those of a simulation share nothing.
        """
        found: list[Ints] = []
        for number, dataset in enumerate(self.datasets):
            patches = dataset.tests[test]
            groups = np.arange(len(patches)) if patches.groups is None else patches.groups
            shared = dataset.source == "file" and patches.groups is not None
            found.append(groups if shared else groups + number * APART)
        return np.concatenate(found)
