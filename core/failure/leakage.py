"""How much better a classifier looks when spectra of one patient are in training and test at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.failure.interval import draw_weights, interval, mean
from core.failure.patches import PatchSet
from core.failure.preprocess import derivative_matrix
from core.failure.results import Diagnostic, Figure
from core.failure.shallow import NEAREST, PLAIN, Plain, Predict

Float = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FOLDS = 5
COMPONENTS = 12


def leakage(patches: PatchSet, seed: int = 0, draws: int = 1000) -> tuple[Diagnostic, ...]:
    """Return, for each plain classifier, its accuracy in five folds over spectra minus that in five folds over groups.

    Intervals draw whole groups. Empty for fewer groups than folds.
    """
    if patches.groups is None or len(np.unique(patches.groups)) < FOLDS:
        return ()
    # two ways to deal the same spectra into folds
    both = (_random_folds(patches, seed), _group_folds(patches, seed))
    weights = draw_weights(len(patches), patches.groups, draws, seed)
    common = Figure(float(np.bincount(patches.labels).max() / len(patches)))
    return tuple(_compare(plain, patches, both, weights, common) for plain in _classifiers(patches))


def _compare(plain: Plain, patches: PatchSet, folds: tuple[Ints, Ints], weights: Floats, common: Figure) -> Diagnostic:
    mixed, apart = (_right(plain, patches, each) for each in folds)
    found = {
        "by_spectrum": interval(mean(mixed, weights)),
        "by_group": interval(mean(apart, weights)),
        "majority": common,
    }
    why = "Accuracy over spectra is what a random split reports; accuracy over groups is what a new patient gets."
    return Diagnostic(
        "LEAK",
        plain.name,
        f"{plain.title}: accuracy that comes from knowing the patient",
        interval(mean(mixed - apart, weights)),
        False,
        why,
        found,
    )


def _classifiers(patches: PatchSet) -> tuple[Plain, ...]:
    matrix = derivative_matrix(tuple(map(float, patches.wavenumbers)))

    def fit(values: Float, labels: Ints, classes: int) -> Predict:
        return _fit_derivative(values, labels, classes, matrix)

    derivative = Plain("derivative", "Second derivative, 12 components, linear discriminant", fit)
    return (derivative, *(each for each in PLAIN if each.name != "moments"), NEAREST)


def _fit_derivative(values: Float, labels: Ints, classes: int, matrix: Floats) -> Predict:
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline

    def features(given: Float) -> Floats:
        return np.asarray(given.mean(axis=(2, 3), dtype=np.float64) @ matrix.T)

    count = min(COMPONENTS, values.shape[1], len(values) - 1)
    model = make_pipeline(PCA(count, random_state=0), LinearDiscriminantAnalysis()).fit(features(values), labels)

    def predict(given: Float) -> Float:
        found = np.full((len(given), classes), np.log(1e-9), np.float32)
        found[:, model.classes_] = np.log(np.maximum(model.predict_proba(features(given)), 1e-9))
        return found

    return predict


def _right(plain: Plain, patches: PatchSet, folds: Ints) -> Floats:
    right = np.zeros(len(patches))
    for fold in range(FOLDS):
        test = folds == fold
        if test.any() and (~test).any():
            predict = plain.fit(patches.ir[~test], patches.labels[~test], len(patches.classes))
            right[test] = predict(patches.ir[test]).argmax(axis=1) == patches.labels[test]
    return right


def _random_folds(patches: PatchSet, seed: int) -> Ints:
    """Deal the spectra of each class into folds."""
    rng = np.random.default_rng(seed)
    folds = np.zeros(len(patches), np.int64)
    for kind in range(len(patches.classes)):
        mine = rng.permutation(np.flatnonzero(patches.labels == kind))
        folds[mine] = np.arange(len(mine)) % FOLDS
    return folds


def _group_folds(patches: PatchSet, seed: int) -> Ints:
    """Deal whole groups into folds so that classes are spread as evenly as can be."""
    from sklearn.model_selection import StratifiedGroupKFold

    folds = np.zeros(len(patches), np.int64)
    dealer = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for number, (_, test) in enumerate(dealer.split(patches.spectra(), patches.labels, patches.groups)):
        folds[test] = number
    return folds
