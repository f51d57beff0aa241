"""Plain classifiers of the mean spectrum, against which every network is compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.spectra.derivative import second_derivative
from core.spectra.emsc import fit_emsc
from core.spectra.score import fit_score

Float = NDArray[np.float32]
Ints = NDArray[np.int64]
Predict = Callable[[Float], Float]
Positions = tuple[float, ...]

COMPONENTS, LATENT = 12, 10
"""Principal components, and latent variables of PLS."""
TREES, TREE_SPECTRA = 100, 2000


@dataclass(frozen=True)
class Labelled:
    """What a classifier is fitted on: patches (N, C, H, W), labels (N,), K classes, positions (C,) of the channels."""

    values: Float
    labels: Ints
    classes: int
    positions: Positions


@dataclass(frozen=True)
class PlainClassifier:
    """A classifier. fit: labelled patches -> function from patches to logits (N, K). spectral: it needs bands that
    follow each other, which colours do not. images: it needs more than one pixel. linear: its logits are linear in the
    mean spectrum."""

    name: str
    title: str
    fit: Callable[[Labelled], Predict]
    spectral: bool = False
    images: bool = False
    linear: bool = False


def fit_one_number(given: Labelled) -> Predict:
    """Return a linear discriminant of the one-dimensional score of the mean spectrum."""
    score = fit_score(_means(given.values), given.labels)
    return _fitted(_discriminant(), given, lambda values: score.of(_means(values))[:, None])


def fit_all_bands(given: Labelled) -> Predict:
    """Return a linear discriminant of all bands of the mean spectrum."""
    return _fitted(_discriminant(), given, _means)


def fit_mean_and_spread(given: Labelled) -> Predict:
    """Return a logistic regression on mean and standard deviation of each band."""
    from sklearn.linear_model import LogisticRegression

    return _fitted(_scaled(LogisticRegression(C=1.0, max_iter=300)), given, _moments)


def fit_nearest(given: Labelled) -> Predict:
    """Return a nearest-neighbour classifier of mean spectra, which memorises its patients and so leaks most."""
    from sklearn.neighbors import KNeighborsClassifier

    return _fitted(_scaled(KNeighborsClassifier(1)), given, _means)


def fit_emsc_discriminant(given: Labelled) -> Predict:
    """Return a linear discriminant of mean spectra corrected by extended multiplicative signal correction."""
    emsc = fit_emsc(_means(given.values), given.positions)
    return _fitted(_discriminant(), given, lambda values: emsc.correct(_means(values)))


def fit_components(given: Labelled) -> Predict:
    """Return PCA-LDA of second derivatives: a linear discriminant of their leading components."""
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline

    count = min(COMPONENTS, given.values.shape[1], len(given.values) - 1)
    model = make_pipeline(PCA(count, random_state=0), LinearDiscriminantAnalysis())
    return _fitted(model, given, lambda values: second_derivative(_means(values), given.positions))


def fit_latent(given: Labelled) -> Predict:
    """Return PLS-DA of second derivatives: partial least squares onto one column a class (Barker and Rayens 2003, J
    Chemom 17:166), the largest of which is the answer."""
    from sklearn.cross_decomposition import PLSRegression

    features = second_derivative(_means(given.values), given.positions)
    # PLSRegression stops at a residual of 0 in units of the spectra, which derivatives are below
    size = max(float(features.std()), 1e-12)
    model = PLSRegression(min(LATENT, features.shape[1], len(features) - 1), scale=False)
    model.fit(features / size, np.eye(given.classes)[given.labels])

    def predict(values: Float) -> Float:
        shares = model.predict(second_derivative(_means(values), given.positions) / size)
        kept = np.maximum(shares, 1e-9)
        return np.asarray(np.log(kept / kept.sum(axis=1, keepdims=True)), np.float32)

    return predict


def fit_forest(given: Labelled) -> Predict:
    """Return a random forest (Breiman 2001) of mean spectra, each tree on at most 2000 of them."""
    from sklearn.ensemble import RandomForestClassifier

    most = TREE_SPECTRA if len(given.values) > TREE_SPECTRA else None
    model = RandomForestClassifier(TREES, random_state=0, max_samples=most).fit(_means(given.values), given.labels)
    trees = [each.tree_ for each in model.estimators_]

    def shares(values: Float) -> Any:
        # as ``predict_proba``, which checks its input and starts a parallel job for every tree anew
        means = np.asarray(_means(values), np.float32)
        return sum(tree.predict(means) for tree in trees) / len(trees)

    return _answering(shares, model.classes_, given.classes)


PLAIN_CLASSIFIERS = (
    PlainClassifier("score", "One number of the mean spectrum", fit_one_number, linear=True),
    PlainClassifier("discriminant", "Linear discriminant, all bands", fit_all_bands, linear=True),
    PlainClassifier("emsc", "EMSC, linear discriminant", fit_emsc_discriminant, spectral=True),
    PlainClassifier("derivative", "Second derivative, PCA-LDA", fit_components, spectral=True, linear=True),
    PlainClassifier("pls", "Second derivative, PLS-DA", fit_latent, spectral=True, linear=True),
    PlainClassifier("forest", "Random forest", fit_forest),
    PlainClassifier("moments", "Logistic regression, mean and spread", fit_mean_and_spread, images=True),
)
NEAREST = PlainClassifier("nearest", "Nearest spectrum", fit_nearest)
KNOWN = {each.name: each for each in (*PLAIN_CLASSIFIERS, NEAREST)}
"""Every plain classifier by name."""


def classifiers_of(modality: str, spatial: bool) -> tuple[PlainClassifier, ...]:
    """Return the plain classifiers that patches of a modality allow."""
    return tuple(
        each for each in PLAIN_CLASSIFIERS if (spatial or not each.images) and (modality == "ir" or not each.spectral)
    )


def _fitted(model: Any, given: Labelled, features: Callable[[Float], Any]) -> Predict:
    """Return the log-probabilities (N, K) of ``model`` fitted on ``features`` of patches; a class that was not among
    the training labels gets the floor."""
    model.fit(features(given.values), given.labels)
    return _answering(lambda values: model.predict_proba(features(values)), model.classes_, given.classes)


def _answering(shares: Callable[[Float], Any], known: Any, classes: int) -> Predict:
    """Return the log-probabilities (N, K) that ``shares`` (N, ``known``) of patches are; a class that is not ``known``
    gets the floor."""

    def predict(values: Float) -> Float:
        found = np.full((len(values), classes), np.log(1e-9), np.float32)
        found[:, known] = np.log(np.maximum(shares(values), 1e-9))
        return found

    return predict


def _discriminant() -> Any:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")


def _scaled(model: Any) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), model)


def _means(values: Float) -> Float:
    return np.asarray(values.mean(axis=(2, 3)), np.float32)


def _moments(values: Float) -> Float:
    return np.concatenate([_means(values), values.std(axis=(2, 3))], axis=1)
