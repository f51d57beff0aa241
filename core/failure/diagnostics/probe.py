"""What a probe is given: a model's answers on held-out patches, and the means to ask it more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.measure.bootstrap import draw_weights, mean
from core.spectra.score import Score

Float = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Predict = Callable[[Float], Float]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """A model's answers, enough for the probes that ask nothing more.

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
        """K."""
        return int(self.logits.shape[1])

    @property
    def predicted(self) -> Ints:
        """The class of each patch, (N,)."""
        return np.asarray(self.logits.argmax(axis=1), np.int64)

    @property
    def right(self) -> Floats:
        """1 where the class is right, (N,)."""
        return np.asarray(self.predicted == self.labels, np.float64)

    @property
    def accuracy(self) -> Floats:
        """Accuracy of the sample and of each draw, (1 + draws,)."""
        return mean(self.right, self.weights)


@dataclass(frozen=True, eq=False)
class Examined:
    """A model, the held-out patches it is asked about and what it answered.

    values: (N, C, H, W) raw. predict: raw patches -> logits (N, K). score: the one-dimensional score, fitted on the
    training patches. centre: (C,) their mean spectrum. noise: (C,) of the detector. positions: (C,) of the channels.
    training: some raw training patches.
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

    @property
    def images(self) -> bool:
        """Whether a patch is more than one pixel."""
        return bool(self.values.shape[2] * self.values.shape[3] > 1)

    def ask(self, values: Float) -> Floats:
        """Return the logits of other patches."""
        return self.predict(np.ascontiguousarray(values, np.float32)).astype(np.float64)

    def classes_of(self, values: Float) -> Ints:
        """Return the class of other patches, (N,)."""
        return np.asarray(self.ask(values).argmax(axis=1), np.int64)

    def rng(self, name: str) -> np.random.Generator:
        """Return the random stream of one probe, which no other probe disturbs."""
        return np.random.default_rng([self.seed, *name.encode()])


def outcomes(
    logits: ArrayLike, labels: Ints, scores: Floats, plain: Ints, groups: Ints | None, draws: int, seed: int = 0
) -> Outcomes:
    """Return the answers with bootstrap weights drawn by ``groups``."""
    return Outcomes(
        np.asarray(logits, np.float64), labels, scores, plain, draw_weights(len(labels), groups, draws, seed)
    )


def above_chance(accuracy: ArrayLike, of: ArrayLike, classes: int) -> Floats:
    """Return (accuracy - c) / (of - c), c = 1 / K; nan where ``of`` is not above chance by 0.02."""
    chance = 1 / classes
    below = np.asarray(of, np.float64) - chance
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(below > 0.02, (np.asarray(accuracy, np.float64) - chance) / below, np.nan))
