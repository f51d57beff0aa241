"""Leakage: the accuracy that a classifier gains when training and test share spectra of one patient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.failure.chance import chance_of
from core.failure.data.dataset import FOLDS
from core.failure.data.splits import folds, most_folds
from core.failure.models.plain_classifiers import NEAREST, Labelled, PlainClassifier, classifiers_of
from core.failure.results import Diagnostic
from core.measure.bootstrap import draw_weights, interval, mean
from core.measure.intervals import Interval
from core.spectra.patches import PatchSet

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Folds = tuple[Ints, ...]


def leakage(patches: PatchSet, seed: int = 0, draws: int = 1000) -> tuple[Diagnostic, ...]:
    """Return the accuracy of each plain classifier, which is the title, in folds over spectra minus that in folds over
    groups.

    Five folds, or as many as the groups of the rarest class allow; intervals draw whole groups. Empty without groups,
    or with too few.
    """
    both = _folds(patches, seed)
    if both is None:
        return ()
    weights = draw_weights(len(patches), patches.groups, draws, seed)
    common = Interval(chance_of(patches.labels))
    return tuple(
        _compare(plain, patches, both, weights, common) for plain in (*classifiers_of("ir", spatial=False), NEAREST)
    )


def _compare(
    plain: PlainClassifier, patches: PatchSet, both_folds: tuple[Folds, Folds], weights: Floats, common: Interval
) -> Diagnostic:
    mixed, apart = (_correct(plain, patches, each) for each in both_folds)
    found = {
        "by_spectrum": interval(mean(mixed, weights)),
        "by_group": interval(mean(apart, weights)),
        "majority": common,
    }
    why = "Accuracy over spectra is what a random split reports; accuracy over groups is what a new patient gets."
    return Diagnostic(
        "LEAK",
        plain.name,
        plain.title,
        interval(mean(mixed - apart, weights)),
        False,
        why,
        found,
    )


def _correct(plain: PlainClassifier, patches: PatchSet, both_folds: Folds) -> Floats:
    correct, positions = np.zeros(len(patches)), tuple(map(float, patches.wavenumbers))
    for test in both_folds:
        train = np.setdiff1d(np.arange(len(patches)), test)
        predict = plain.fit(Labelled(patches.ir[train], patches.labels[train], len(patches.classes), positions))
        correct[test] = predict(patches.ir[test]).argmax(axis=1) == patches.labels[test]
    return correct


def _folds(patches: PatchSet, seed: int) -> tuple[Folds, Folds] | None:
    """Return the test spectra of folds over spectra and of as many folds over groups; None where that cannot be."""
    try:
        by_group = most_folds(patches, FOLDS, seed, "group")
    except UserError:
        return None
    return folds(patches, len(by_group), seed, "patch"), by_group
