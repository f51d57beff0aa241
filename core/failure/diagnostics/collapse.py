"""Collapse as it happens: how much of a network's answers one number explains, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.failure.data.modality import mean_spectra
from core.failure.diagnostics.battery import ModalityFits
from core.failure.diagnostics.model_under_test import Outcomes
from core.failure.diagnostics.one_number import one_number
from core.failure.results import Line

Float = NDArray[np.float32]
Ints = NDArray[np.int64]

WATCHED = 160
"""Test patches, drawn at random, that are answered after every epoch."""
NAMES = ("accuracy", "one_number", "within")


@dataclass(eq=False)
class CollapseWatch:
    """Test patches that a network answers after every epoch, and what one number explained of the answers so far.

    values: (N, C, H, W), raw; labels: (N,); scores: (N,) the one-dimensional score of each.
    """

    values: Float
    labels: Ints
    scores: NDArray[np.float64]
    found: list[tuple[float, ...]] = field(default_factory=list)

    def add(self, logits: Float) -> None:
        """Add the answers (N, K) after one more epoch."""
        answers = np.asarray(logits, np.float64)
        outcomes = Outcomes(answers, self.labels, self.scores, self.labels, np.ones((1, len(answers))))
        share = one_number(outcomes)
        self.found.append((float(outcomes.accuracy[0]), share.figure.value, share.figures["within"].value))

    def lines(self) -> tuple[Line, ...]:
        """Return accuracy, R2 of one number and its share within the classes over the epochs."""
        epochs = tuple(float(number + 1) for number in range(len(self.found)))
        return tuple(
            Line(name, epochs, tuple(row[place] for row in self.found), "epoch", "share")
            for place, name in enumerate(NAMES)
        )


def watch(fits: ModalityFits) -> CollapseWatch:
    """Return a watch on random test patches of one modality."""
    values, labels = fits.values("id"), fits.dataset.tests["id"].labels
    some = np.random.default_rng(fits.seed).permutation(len(labels))[:WATCHED]
    return CollapseWatch(values[some], labels[some], fits.score.of(mean_spectra(values[some])))
