"""Plain classifiers of the mean spectrum, against which every network is compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.spectra.score import fit_score

Float = NDArray[np.float32]
Ints = NDArray[np.int64]
Predict = Callable[[Float], Float]
Fit = Callable[[Float, Ints, int], Predict]


@dataclass(frozen=True)
class PlainClassifier:
    """A classifier. fit: (patches (N, C, H, W), labels (N,), classes K) -> function from patches to logits (N, K)."""

    name: str
    title: str
    fit: Fit


def fit_one_number(values: Float, labels: Ints, classes: int) -> Predict:
    """Return a linear discriminant of the one-dimensional score of the mean spectrum."""
    score = fit_score(_means(values), labels)
    model = _discriminant(score.of(_means(values))[:, None], labels)
    return lambda given: _logits(model, score.of(_means(given))[:, None], classes)


def fit_all_bands(values: Float, labels: Ints, classes: int) -> Predict:
    """Return a linear discriminant of all bands of the mean spectrum."""
    model = _discriminant(_means(values), labels)
    return lambda given: _logits(model, _means(given), classes)


def fit_mean_and_spread(values: Float, labels: Ints, classes: int) -> Predict:
    """Return a logistic regression on mean and standard deviation of each band."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=300))
    model.fit(_moments(values), labels)
    return lambda given: _logits(model, _moments(given), classes)


def fit_nearest(values: Float, labels: Ints, classes: int) -> Predict:
    """Return a nearest-neighbour classifier of mean spectra, which memorises its patients and so leaks most."""
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), KNeighborsClassifier(1))
    model.fit(_means(values), labels)
    return lambda given: _logits(model, _means(given), classes)


PLAIN_CLASSIFIERS = (
    PlainClassifier("score", "One number of the mean spectrum", fit_one_number),
    PlainClassifier("discriminant", "Linear discriminant, all bands", fit_all_bands),
    PlainClassifier("moments", "Logistic regression, mean and spread", fit_mean_and_spread),
)
NEAREST = PlainClassifier("nearest", "Nearest spectrum", fit_nearest)
LINEAR_CLASSIFIERS = ("score", "discriminant")
"""Those whose logits are linear in the mean spectrum."""


def title_of(name: str) -> str:
    """Return the title of the plain classifier ``name``."""
    return next(each.title for each in (*PLAIN_CLASSIFIERS, NEAREST) if each.name == name)


def _discriminant(features: Any, labels: Ints) -> Any:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(features, labels)


def _logits(model: Any, features: Any, classes: int) -> Float:
    """Return log-probabilities (N, K); a class that was not among the training labels gets the floor."""
    found = np.full((len(features), classes), np.log(1e-9), np.float32)
    found[:, model.classes_] = np.log(np.maximum(model.predict_proba(features), 1e-9))
    return found


def _means(values: Float) -> Float:
    return np.asarray(values.mean(axis=(2, 3)), np.float32)


def _moments(values: Float) -> Float:
    return np.concatenate([_means(values), values.std(axis=(2, 3))], axis=1)
