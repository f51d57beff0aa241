"""Shortcuts of two and three numbers of the mean spectrum (D3k): what they explain, and answers that follow them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.failure.data.modality import mean_spectra
from core.failure.diagnostics.model_under_test import ModelUnderTest, Outcomes
from core.failure.diagnostics.swap import draw_pairs
from core.failure.results import Diagnostic, Line
from core.measure.bootstrap import interval, ratio
from core.measure.intervals import Interval
from core.spectra.score import Scores

Floats = NDArray[np.float64]

NUMBERS = ("one", "two", "three")
TREES, LEAF, FEWEST = 60, 5, 60


def few_numbers(model: ModelUnderTest, scores: Scores) -> Diagnostic:
    """Return D3k: share of the logits within a class that one, two and three ``scores`` explain along any surface; and
    how often the answer becomes the donor's when as many are swapped.

    The share is 1 - sum |z - f(t)|^2 / sum |z|^2 of logits z centred in each class, f a random forest (Breiman 2001) of
    the scores t that predicts each patch by the trees that were grown without it; below 0 they explain nothing.
    """
    outcomes = model.outcomes
    own = scores.of(mean_spectra(model.values))
    counts = range(1, own.shape[1] + 1)
    shares = [_share(outcomes, own[:, :count]) for count in counts]
    swaps = [_followed(model, scores, own, count) for count in counts]
    found = dict(zip(NUMBERS, shares, strict=False))
    found |= {f"swap_{name}": figure for name, figure in zip(NUMBERS, swaps, strict=False)}
    numbers = tuple(float(count) for count in counts)
    lines = tuple(
        Line(name, numbers, tuple(each.value for each in figures), "numbers", "share")
        for name, figures in (("explained", shares), ("swap", swaps))
    )
    why = "Not used for the verdict: no threshold was measured; where it rises much over one number, look for a second."
    title = "Share of the logits within a class that three numbers of the mean spectrum explain"
    return Diagnostic("D3k", "few_numbers", title, shares[-1], False, why, found, lines)


def _share(outcomes: Outcomes, scores: Floats) -> Interval:
    from sklearn.ensemble import RandomForestRegressor

    logits = outcomes.logits.copy()
    for kind in np.unique(outcomes.labels):
        mine = outcomes.labels == kind
        logits[mine] -= logits[mine].mean(axis=0)
    size = (logits**2).sum(axis=1)
    if len(logits) < FEWEST or size.sum() < 1e-12:
        return Interval(float("nan"))
    known = np.column_stack([scores, outcomes.labels])
    forest = RandomForestRegressor(TREES, min_samples_leaf=LEAF, oob_score=True, random_state=0).fit(known, logits)
    left = ((logits - forest.oob_prediction_.reshape(logits.shape)) ** 2).sum(axis=1)
    return interval(1 - ratio(left, size, outcomes.weights))


def _followed(model: ModelUnderTest, scores: Scores, own: Floats, count: int) -> Interval:
    classes = model.outcomes.predicted
    pairs = draw_pairs(classes, model.rng("few numbers"))
    if not len(pairs.patches):
        return Interval(0.0)
    change = (own[pairs.donors] - own[pairs.patches])[:, :count] @ scores.patterns[:count]
    swapped = model.values[pairs.patches] + change[:, :, None, None].astype(np.float32)
    followed = model.classes_of(swapped) == classes[pairs.donors]
    return interval(ratio(followed, np.ones(len(followed)), model.outcomes.weights[:, pairs.patches]))
