"""The audit of a user's predictions: diagnostics of logits, labels and mean spectra, without the model itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.failure.chance import chance_of
from core.failure.data.predictions import Predictions
from core.failure.diagnostics import logits
from core.failure.diagnostics.calibration import probabilities, reliability
from core.failure.diagnostics.learnt import learnt
from core.failure.diagnostics.model_under_test import Outcomes, confused, weighted_outcomes
from core.failure.diagnostics.one_number import one_number
from core.failure.models.plain_classifiers import Labelled, fit_one_number
from core.failure.results import Bands, Data, Model, Results
from core.failure.summary import parts_of
from core.failure.verdict import LIMITS, AuditScope, decide
from core.measure.bootstrap import interval
from core.spectra.score import Score, fit_score

Ints = NDArray[np.int64]

FOLDS = 5


def audit_predictions(predictions: Predictions, seed: int = 0, draws: int = 1000) -> Results:
    """Return D0 to D3, D10 and D13 of a model's predictions, and the verdict that they allow.

    draws: of the bootstrap.

    The one-dimensional score of each patch comes from a discriminant fitted on the other folds, whole groups apart.
    """
    scores, plain = _scores(predictions, seed)
    outcomes = weighted_outcomes(predictions.logits, predictions.labels, scores, plain, predictions.groups, draws, seed)
    diagnostics = (
        learnt(outcomes),
        logits.rank(outcomes),
        logits.one_component(outcomes),
        one_number(outcomes),
        logits.agreement(outcomes),
    )
    scope = AuditScope(predictions.groups is not None, shift=False, conflict=False, pictures=False)
    verdict = decide(diagnostics, scope)
    model = Model(
        "given",
        "Your model",
        "ir",
        "plain",
        "given",
        seed,
        0,
        0,
        (),
        float("nan"),
        {"id": interval(outcomes.accuracy)},
        diagnostics,
        (reliability("id", predictions.logits, predictions.labels, outcomes.weights),),
        (),
        (),
        tuple(map(float, scores)),
        tuple(tuple(map(float, row)) for row in probabilities(predictions.logits)),
        verdict,
        confusion={"id": confused(predictions.labels, outcomes.predicted, outcomes.classes)},
    )
    return Results(
        _data(predictions),
        {"draws": str(draws), "seed": str(seed)},
        (model,),
        (),
        (),
        (),
        (_bands(predictions, outcomes),),
        (),
        (),
        {"ir": verdict},
        LIMITS,
    )


def _scores(predictions: Predictions, seed: int) -> tuple[NDArray[np.float64], Ints]:
    """Return the score of each patch (N,) and the class that the score alone gives (N,), each from the other folds."""
    from sklearn.model_selection import StratifiedGroupKFold

    groups = np.arange(len(predictions.labels)) if predictions.groups is None else predictions.groups
    folds = max(2, min(FOLDS, len(np.unique(groups))))
    whole = fit_score(predictions.spectra, predictions.labels)
    scores, plain = whole.of(predictions.spectra), np.zeros(len(predictions.labels), np.int64)
    patches = predictions.spectra[:, :, None, None]
    positions = tuple(map(float, predictions.wavenumbers))
    folder = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for train, test in folder.split(predictions.spectra, predictions.labels, groups):
        if not len(train) or not len(test) or len(np.unique(predictions.labels[train])) < 2:
            continue
        part = fit_score(predictions.spectra[train], predictions.labels[train])
        scores[test] = _aligned(part, whole).of(predictions.spectra[test])
        given = Labelled(patches[train], predictions.labels[train], len(predictions.classes), positions)
        plain[test] = fit_one_number(given)(patches[test]).argmax(1)
    return scores, plain


def _aligned(part: Score, whole: Score) -> Score:
    """Return ``part`` with the sign of ``whole``."""
    sign = 1.0 if part.direction @ whole.pattern >= 0 else -1.0
    return Score(sign * part.direction, part.centre, sign * part.pattern)


def _data(predictions: Predictions) -> Data:
    notices = (
        () if predictions.groups is not None else ("No patient or slide is known: intervals count patches as alone.",)
    )
    groups = 0 if predictions.groups is None else len(np.unique(predictions.groups))
    return Data(
        "predictions",
        "file",
        "",
        predictions.classes,
        {"id": len(predictions.labels)},
        groups,
        (1, 1),
        tuple(map(float, predictions.wavenumbers)),
        notices,
        parts=parts_of("id", predictions.labels, predictions.groups, len(predictions.classes)),
        chance=chance_of(predictions.labels),
    )


def _bands(predictions: Predictions, outcomes: Outcomes) -> Bands:
    score = fit_score(predictions.spectra, predictions.labels)
    present = range(outcomes.classes)
    means = [
        predictions.spectra[predictions.labels == kind].mean(axis=0)
        if (predictions.labels == kind).any()
        else predictions.spectra[0] * np.nan
        for kind in present
    ]
    return Bands(
        "ir",
        tuple(f"{each:.0f}" for each in predictions.wavenumbers),
        tuple(map(float, predictions.wavenumbers)),
        tuple(tuple(map(float, each)) for each in means),
        tuple(map(float, score.pattern)),
        (),
    )
