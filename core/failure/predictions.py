"""Judging answers alone: logits, labels and mean spectra of a model that is not here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.failure.caveats import LIMITS
from core.failure.diagnostics import dependence, logits
from core.failure.diagnostics.calibration import probabilities, reliability
from core.failure.diagnostics.probe import Outcomes, outcomes
from core.failure.results import Bands, Data, Model, Results
from core.failure.verdict import Known, decide
from core.measure.bootstrap import interval
from core.spectra.score import Score, fit_score

Float = NDArray[np.float32]
Ints = NDArray[np.int64]

FOLDS = 5
FEWEST = 40


@dataclass(frozen=True, eq=False)
class Predictions:
    """logits: (N, K). labels: (N,). spectra: (N, B) mean spectrum of each patch, absorbance. wavenumbers: (B,) cm^-1.
    groups: (N,) patient or slide, or None."""

    logits: Float
    labels: Ints
    spectra: Float
    wavenumbers: NDArray[np.float64]
    classes: tuple[str, ...]
    groups: Ints | None = None

    def __post_init__(self) -> None:
        parts = {"logits": 2, "spectra": 2, "labels": 1, "wavenumbers": 1, "groups": 1}
        given = {name: getattr(self, name) for name in parts if getattr(self, name) is not None}
        shaped = all(given[name].ndim == parts[name] for name in given)
        rows = {len(part) for name, part in given.items() if name != "wavenumbers" and part.ndim}
        count = len(self.labels)
        fits = shaped and rows == {count} and self.spectra.shape[1] == len(self.wavenumbers)
        if not fits or not 2 <= len(self.classes) == self.logits.shape[1]:
            raise UserError(
                "patches_mismatch",
                "The logits, labels and spectra do not have matching sizes.",
                "Give N x K logits, N labels from 0 to K - 1 and N x B mean spectra.",
            )
        if (
            count < FEWEST
            or len(np.unique(self.labels)) < 2
            or not 0 <= self.labels.min() <= self.labels.max() < len(self.classes)
        ):
            raise UserError(
                "patches_mismatch",
                f"These are not {FEWEST} or more answers with labels of two or more classes.",
                "Give more patches, and number the classes from 0.",
            )
        if not (np.isfinite(self.logits).all() and np.isfinite(self.spectra).all()):
            raise UserError("patches_mismatch", "Some numbers are not finite.", "Leave those patches out.")


def examine_predictions(given: Predictions, seed: int = 0, draws: int = 1000) -> Results:
    """Return D1 to D3, D10 and D13 of a model's answers, and the verdict that they allow.

    The one-dimensional score of each patch comes from a discriminant fitted on the other folds, whole groups apart.
    """
    scores, plain = _scores(given, seed)
    asked = outcomes(given.logits, given.labels, scores, plain, given.groups, draws, seed)
    diagnostics = (
        logits.rank(asked),
        logits.one_component(asked),
        dependence.one_number(asked),
        logits.agreement(asked),
    )
    known = Known(given.groups is not None, shift=False, conflict=False, pictures=False)
    verdict = decide(diagnostics, known)
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
        {"id": interval(asked.accuracy)},
        diagnostics,
        (reliability("id", given.logits, given.labels, asked.weights),),
        (),
        (),
        tuple(map(float, scores)),
        tuple(tuple(map(float, row)) for row in probabilities(given.logits)),
        verdict,
    )
    return Results(
        _data(given),
        {"draws": str(draws), "seed": str(seed)},
        (model,),
        (),
        (),
        (),
        (_bands(given, asked),),
        (),
        (),
        {"ir": verdict},
        LIMITS,
    )


def _scores(given: Predictions, seed: int) -> tuple[NDArray[np.float64], Ints]:
    """Return score and class by the score alone of each patch, each from the other folds."""
    from sklearn.model_selection import StratifiedGroupKFold

    from core.failure.models.shallow import fit_one_number

    groups = np.arange(len(given.labels)) if given.groups is None else given.groups
    folds = max(2, min(FOLDS, len(np.unique(groups))))
    whole = fit_score(given.spectra, given.labels)
    scores, plain = whole.of(given.spectra), np.zeros(len(given.labels), np.int64)
    patches = given.spectra[:, :, None, None]
    dealer = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for train, test in dealer.split(given.spectra, given.labels, groups):
        if not len(train) or not len(test) or len(np.unique(given.labels[train])) < 2:
            continue
        part = fit_score(given.spectra[train], given.labels[train])
        scores[test] = _aligned(part, whole).of(given.spectra[test])
        plain[test] = fit_one_number(patches[train], given.labels[train], len(given.classes))(patches[test]).argmax(1)
    return scores, plain


def _aligned(part: Score, whole: Score) -> Score:
    """Return ``part`` with the sign of ``whole``."""
    sign = 1.0 if part.direction @ whole.pattern >= 0 else -1.0
    return Score(sign * part.direction, part.centre, sign * part.pattern)


def _data(given: Predictions) -> Data:
    notices = () if given.groups is not None else ("No patient or slide is known: intervals count patches as alone.",)
    groups = 0 if given.groups is None else len(np.unique(given.groups))
    return Data(
        "predictions",
        "file",
        "",
        given.classes,
        {"id": len(given.labels)},
        groups,
        (1, 1),
        tuple(map(float, given.wavenumbers)),
        notices,
    )


def _bands(given: Predictions, asked: Outcomes) -> Bands:
    score = fit_score(given.spectra, given.labels)
    present = range(asked.classes)
    means = [
        given.spectra[given.labels == kind].mean(axis=0) if (given.labels == kind).any() else given.spectra[0] * np.nan
        for kind in present
    ]
    return Bands(
        "ir",
        tuple(f"{each:.0f}" for each in given.wavenumbers),
        tuple(map(float, given.wavenumbers)),
        tuple(tuple(map(float, each)) for each in means),
        tuple(map(float, score.pattern)),
        (),
    )
