"""What the analysis of a small study could have found, in round numbers."""

from __future__ import annotations

import math

from core.measure.findings import (
    EVERYONE,
    Agreement,
    Correlation,
    Detection,
    Fooling,
    MarkResult,
    MethodScale,
    Pair,
    RaterSummary,
    Results,
    ScaleResult,
    Scope,
    Strength,
)
from core.measure.intervals import Estimate

UNKNOWN = Estimate(math.nan, math.nan, math.nan, 0)
GROUP = "neuroradiologist, 5 to 10 years"


def estimate(value: float, n: int = 60, half: float = 0.1) -> Estimate:
    """Return a number with an interval of ``half`` on each side."""
    return Estimate(value, value - half, value + half, n)


def results() -> Results:
    """Return what a study of two raters and three methods has found; one rater has not answered."""
    return Results(
        study="6f1e",
        title="Which inpainting convinces?",
        raters=1,
        items=60,
        answers=240,
        resamples=1000,
        seed=0,
        people=(_rater("R01", GROUP, 70, 70), _rater("R02", "resident", 0, 70)),
        detections=(
            _detection(EVERYONE, "all", 0.58, 0.01),
            _detection(GROUP, "group", 0.65, 0.001),
            _detection("resident", "group", 0.5, 1.0),
            _detection("R01", "rater", 0.65, 0.0001),
        ),
        fooling=(Fooling("scanner", "real", estimate(0.7)), Fooling("diffusion", "synthetic", estimate(0.4))),
        pairs=(
            Pair("diffusion", "repaint", 33, 60, estimate(0.55), 0.52),
            Pair("biharmonic", "diffusion", 6, 60, estimate(0.1, half=0.05), 0.0),
        ),
        strengths=(
            Strength("repaint", 2, estimate(0.2), 50, 120),
            Strength("diffusion", 1, estimate(1.2), 90, 120),
            Strength("biharmonic", 3, estimate(-1.4), 10, 120),
        ),
        scales=(scale(5), scale(4)),
        agreements=(
            Agreement(
                "real", "Is this scan real?", "nominal", 2, alpha=estimate(0.4), kappa=estimate(0.41),
                fleiss=estimate(0.39), icc=UNKNOWN, same=estimate(0.9), again=estimate(0.8),
            ),
            Agreement(
                "anatomy", "Anatomy", "ordinal", 2, alpha=estimate(0.6), kappa=estimate(0.61), fleiss=UNKNOWN,
                icc=estimate(0.59), same=UNKNOWN, again=UNKNOWN,
            ),
        ),
        correlations=(
            Correlation("realism", "Realism", "psnr", estimate(0.3)),
            Correlation("realism", "Realism", "lpips", estimate(-0.6)),
            Correlation("prefer", "Which is better?", "psnr", UNKNOWN),
        ),
        marks=(MarkResult("diffusion", estimate(0.6), estimate(0.5, 20)),),
        notes=("No item was answered by three raters.",),
    )  # fmt: skip


def scale(levels: int) -> ScaleResult:
    """Return the answers to a scale: one method with every level as often as its number, one without answers."""
    counts = tuple(range(1, levels + 1))
    found = MethodScale("diffusion", counts, sum(counts), estimate(3.5), 4.0)
    silent = MethodScale("repaint", (0,) * levels, 0, UNKNOWN, math.nan)
    return ScaleResult(f"scale{levels}", f"Scale of {levels}", levels, "bad", "good", (found, silent))


def _rater(name: str, group: str, done: int, total: int) -> RaterSummary:
    known = done > 0
    return RaterSummary(
        name, group, done, total, scored=60 if known else 0, seconds_median=12.0 if known else math.nan,
        seconds_total=900.0 if known else 0.0, catch_right=3 if known else 0, catch_total=4 if known else 0,
        left=estimate(0.5) if known else UNKNOWN, repeated=UNKNOWN, scrolled=50, changes=4, revisions=1,
    )  # fmt: skip


def _detection(who: str, scope: Scope, accuracy: float, p: float) -> Detection:
    return Detection(
        who, scope, 240, round(240 * accuracy), estimate(accuracy, 240, 0.06), estimate(accuracy, 60, 0.08), p,
        sensitivity=estimate(0.6), specificity=estimate(0.56), dprime=estimate(0.4), criterion=estimate(-0.1),
        confidence_right=estimate(3.5, half=0.2), confidence_wrong=UNKNOWN,
    )  # fmt: skip
