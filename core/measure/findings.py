"""Results of the analysis of a study: frozen rows of numbers, nan where one could not be computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.measure.intervals import Estimate

Scope = Literal["all", "group", "rater"]
Level = Literal["nominal", "ordinal"]

# the name of all raters together
EVERYONE = "all raters"


@dataclass(frozen=True)
class RaterSummary:
    """Progress, time and care of one rater.

    done, total: showings. scored: answers that count in the statistics. seconds_median: s per showing, training left
    out. seconds_total: s over all showings. catch_right of catch_total catch items were answered as expected. left:
    share of forced choices for the left image (Wilson). repeated: share of hidden repeats answered as the first time,
    over all choices and scales (Wilson). scrolled: showings of which more than one slice was seen, of done. changes:
    answers changed before saving. revisions: saved answers that were changed later.
    """

    name: str
    group: str
    done: int
    total: int
    scored: int
    seconds_median: float
    seconds_total: float
    catch_right: int
    catch_total: int
    left: Estimate
    repeated: Estimate
    scrolled: int
    changes: int
    revisions: int


@dataclass(frozen=True)
class Detection:
    """Discrimination of synthetic from real images by all raters, a group or one rater.

    who: EVERYONE, the group or the rater. right of n answers were right; p: exact two-sided binomial against 0.5.
    accuracy, sensitivity (synthetic called synthetic), specificity (real called real): Wilson, which takes answers as
    independent. clustered: the accuracy again, with a bootstrap over items. dprime, criterion: signal detection with
    synthetic as the signal, log-linear correction, bootstrap over items; a criterion above 0 leans to "real".
    confidence_right, confidence_wrong: mean confidence of right and wrong answers, bootstrap over items.
    """

    who: str
    scope: Scope
    n: int
    right: int
    accuracy: Estimate
    clustered: Estimate
    p: float
    sensitivity: Estimate
    specificity: Estimate
    dprime: Estimate
    criterion: Estimate
    confidence_right: Estimate
    confidence_wrong: Estimate


@dataclass(frozen=True)
class Fooling:
    """Share of answers that called the images of one method real (Wilson); for real images the specificity."""

    method: str
    truth: Literal["real", "synthetic"]
    called_real: Estimate


@dataclass(frozen=True)
class Pair:
    """Preference of one method over another: wins of n, the share (Wilson), exact binomial p against 0.5."""

    method: str
    other: str
    wins: int
    n: int
    share: Estimate
    p: float


@dataclass(frozen=True)
class Strength:
    """Bradley-Terry log-strength of a method (mean zero, bootstrap over items) and its rank from 1."""

    method: str
    rank: int
    strength: Estimate
    wins: int
    n: int


@dataclass(frozen=True)
class MethodScale:
    """The answers to one scale for one method: count of each level from 1, mean (bootstrap over items), median."""

    method: str
    counts: tuple[int, ...]
    n: int
    mean: Estimate
    median: float


@dataclass(frozen=True)
class ScaleResult:
    """The answers to one scale for each method; low, high: meaning of the ends of the scale."""

    question: str
    title: str
    levels: int
    low: str
    high: str
    methods: tuple[MethodScale, ...]


@dataclass(frozen=True)
class Agreement:
    """Agreement on one question, of raters with each other and with themselves; every interval a bootstrap over items.

    alpha: Krippendorff, of the level given. kappa: mean of Cohen's kappa over pairs of raters with items in common,
    with quadratic weights where the level is ordinal. fleiss: Fleiss' kappa of nominal answers, over the items that
    equally many raters answered. icc: ICC(2,1) of scales, over the items that all raters answered. same: share of
    hidden repeats with the same answer; again: Cohen's kappa (weighted as above) of first and second answers.
    """

    question: str
    title: str
    level: Level
    raters: int
    alpha: Estimate
    kappa: Estimate
    fleiss: Estimate
    icc: Estimate
    same: Estimate
    again: Estimate


@dataclass(frozen=True)
class Correlation:
    """Correlation of a measure with ratings: Spearman's rho over items, bootstrap over items.

    question: a scale (mean rating of an item), "real" (share of raters who called a synthetic image real) or "prefer"
    (share preferring an image against the difference of the measure between the two images).
    """

    question: str
    title: str
    measure: str
    rho: Estimate


@dataclass(frozen=True)
class MarkResult:
    """Position of the marks on suspicious tissue in the images of one method.

    share: mean share of the mark that lies in made tissue (bootstrap over items). hit: share of marks of which at least
    half lies there (Wilson).
    """

    method: str
    share: Estimate
    hit: Estimate


@dataclass(frozen=True)
class Results:
    """All results of the analysis of a study.

    raters, items, answers: how many of each count in the statistics (training, catch items and repeats do not).
    resamples, seed: of the bootstrap. notes: sentences on what could not be computed or was left out, and why.
    """

    study: str
    title: str
    raters: int
    items: int
    answers: int
    resamples: int
    seed: int
    people: tuple[RaterSummary, ...]
    detections: tuple[Detection, ...]
    fooling: tuple[Fooling, ...]
    pairs: tuple[Pair, ...]
    strengths: tuple[Strength, ...]
    scales: tuple[ScaleResult, ...]
    agreements: tuple[Agreement, ...]
    correlations: tuple[Correlation, ...]
    marks: tuple[MarkResult, ...]
    notes: tuple[str, ...]
