"""What a diagnostic is given: a model's answers on held-out patches, and the model itself for further patches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.failure.chance import chance_of
from core.failure.data.normalisation import NOT_NORMALISED, Normalisation
from core.measure.bootstrap import draw_weights, mean
from core.spectra.score import Score

Float = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Predict = Callable[[Float], Float]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """A model's answers on N held-out patches of K classes.

    logits: (N, K). labels: (N,). scores: (N,) the one-dimensional score of each patch. plain: (N,) the class that a
    linear discriminant of that score alone gives. weights: (1 + draws, N) of the bootstrap, by group.
    """

    logits: Floats
    labels: Ints
    scores: Floats
    plain: Ints
    weights: Floats

    @property
    def classes(self) -> int:
        """Number of classes, K."""
        return int(self.logits.shape[1])

    @property
    def predicted(self) -> Ints:
        """Predicted class of each patch, (N,)."""
        return np.asarray(self.logits.argmax(axis=1), np.int64)

    @property
    def correct(self) -> Floats:
        """1 where the predicted class is the label, else 0, (N,)."""
        return np.asarray(self.predicted == self.labels, np.float64)

    @property
    def accuracy(self) -> Floats:
        """Accuracy of the sample and of each draw, (1 + draws,)."""
        return mean(self.correct, self.weights)

    @property
    def chance(self) -> float:
        """Accuracy of always naming the commonest class."""
        return chance_of(self.labels)

    def take(self, rows: Ints) -> Outcomes:
        """Return the outcomes of the patches ``rows``."""
        return Outcomes(
            self.logits[rows], self.labels[rows], self.scores[rows], self.plain[rows], self.weights[:, rows]
        )


@dataclass(frozen=True, eq=False)
class ModelUnderTest:
    """A model, held-out patches and its outcomes on them.

    predict: raw patches (N, C, H, W) -> logits (N, K). values: (N, C, H, W) float32, the held-out patches, raw.
    training: some raw training patches. score: the one-dimensional score, fitted on the training patches; centre:
    (C,) their mean spectrum. noise: (C,) standard deviation of the detector's noise. names: (C,) of the channels.
    normalisation: of the patches as they came; changed patches are normalised again before ``predict``. axis: what the
    positions of the channels are called.
    """

    outcomes: Outcomes
    predict: Predict
    values: Float
    training: Float
    score: Score
    centre: Floats
    noise: Floats
    names: Sequence[str]
    seed: int = 0
    normalisation: Normalisation = NOT_NORMALISED
    axis: str = ""

    @property
    def spatial(self) -> bool:
        """Whether a patch is more than one pixel."""
        return bool(self.values.shape[2] * self.values.shape[3] > 1)

    def logits_of(self, values: Float) -> Floats:
        """Return the logits (N, K) of other patches (N, C, H, W)."""
        given = self.normalisation.restore(np.ascontiguousarray(values, np.float32))
        return self.predict(given).astype(np.float64)

    def classes_of(self, values: Float) -> Ints:
        """Return the predicted classes (N,) of other patches (N, C, H, W)."""
        return np.asarray(self.logits_of(values).argmax(axis=1), np.int64)

    def rng(self, name: str) -> np.random.Generator:
        """Return the random stream of the diagnostic ``name``, independent of those of others."""
        return np.random.default_rng([self.seed, *name.encode()])

    def some(self, count: int) -> ModelUnderTest:
        """Return the same model with ``count`` patches alone, drawn at random, as they lie by class or slide."""
        if len(self.outcomes.labels) <= count:
            return self
        rows = np.sort(self.rng("some").choice(len(self.outcomes.labels), count, replace=False))
        return replace(self, outcomes=self.outcomes.take(rows), values=self.values[rows])


def confused(labels: Ints, predicted: Ints, classes: int) -> tuple[tuple[int, ...], ...]:
    """Return how many patches of each class (rows) were taken for each class.

    >>> confused(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    ((1, 1), (0, 1))
    """
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (labels, predicted), 1)
    return tuple(tuple(map(int, row)) for row in table)


def weighted_outcomes(
    logits: ArrayLike, labels: Ints, scores: Floats, plain: Ints, groups: Ints | None, draws: int, seed: int = 0
) -> Outcomes:
    """Return outcomes with ``draws`` bootstrap weights that draw whole ``groups`` (N,), or patches without groups."""
    return Outcomes(
        np.asarray(logits, np.float64), labels, scores, plain, draw_weights(len(labels), groups, draws, seed)
    )


def above_chance(accuracy: ArrayLike, of: ArrayLike, chance: float) -> Floats:
    """Return (accuracy - chance) / (of - chance); nan where ``of`` is not above chance by 0.02.

    >>> above_chance([0.25, 0.5, 0.9], [0.75, 0.75, 0.26], 0.25).round(2).tolist()
    [0.0, 0.5, nan]
    """
    below = np.asarray(of, np.float64) - chance
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(below > 0.02, (np.asarray(accuracy, np.float64) - chance) / below, np.nan))
