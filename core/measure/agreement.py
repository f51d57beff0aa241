"""Agreement of raters with each other and with themselves.

Every coefficient takes ratings of N items and weights (R, N), how often each item counts, and returns (R,) values, so
that all resamples of a bootstrap over items are one product of matrices. Ratings are categories from 0; nan is missing.

Krippendorff (2004), Content Analysis, chapter 11; Cohen (1968), Psychol Bull 70:213; Fleiss (1971), Psychol Bull
76:378; Shrout and Fleiss (1979), Psychol Bull 86:420.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from core.measure.answers import Answer, Question
from core.measure.bootstrap import Bootstrap, Floats, Whole, positions
from core.measure.coding import categories, category, table
from core.measure.findings import Agreement, Level
from core.measure.intervals import Estimate, undefined


def krippendorff_alpha(ratings: Floats, level: Literal["nominal", "ordinal", "interval"], weights: Floats) -> Floats:
    """Return Krippendorff's alpha of ``ratings`` (raters, N) for each row of ``weights`` (R, N).

    alpha = 1 - D_o / D_e, observed over expected disagreement of the coincidence matrix (Krippendorff 2004, chapter
    11). Items with fewer than two ratings count for nothing; nan where all ratings are equal.
    """
    values = np.unique(ratings[~np.isnan(ratings)])
    sums = np.tensordot(weights, _coincidences(ratings, values), axes=1)  # (R, V, V)
    margins = sums.sum(-1)
    # the place of each value on its scale: ranks depend on how often the values occur
    place = np.cumsum(margins, -1) - margins / 2 if level == "ordinal" else np.broadcast_to(values, margins.shape)
    distance = (place[:, :, None] - place[:, None, :]) ** 2
    if level == "nominal":
        distance = np.broadcast_to(1 - np.eye(len(values)), sums.shape)
    observed = (sums * distance).sum((-2, -1))
    expected = (margins[:, :, None] * margins[:, None, :] * distance).sum((-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - (margins.sum(-1) - 1) * observed / expected)


def cohen_kappa(first: Floats, second: Floats, levels: int, weights: Floats, *, weighted: bool) -> Floats:
    """Return Cohen's kappa of two raters for each row of ``weights`` (R, N), as (R, ...).

    first, second: (..., N) ratings, 0 to ``levels`` - 1; items that one of them did not rate count for nothing.
    weighted: disagreements count by the square of their distance. kappa = 1 - sum(v p_o) / sum(v p_e) with the
    disagreements v (Cohen 1968); nan where all ratings are equal.
    """
    first, second = np.broadcast_arrays(first, second)
    both = ~(np.isnan(first) | np.isnan(second))
    steps = np.where(both, first - second, 0)
    single = [(ratings[..., None] == np.arange(levels)) & both[..., None] for ratings in (first, second)]
    parts = np.concatenate([_disagreement(steps, weighted)[..., None], *single], axis=-1)  # (..., N, 1 + 2 K)
    observed, mine, theirs = np.split(np.tensordot(weights, parts, axes=(1, -2)), [1, 1 + levels], axis=-1)
    distances = _disagreement(np.subtract.outer(np.arange(levels), np.arange(levels)), weighted)
    expected = ((mine @ distances) * theirs).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - observed[..., 0] * mine.sum(-1) / expected)


def fleiss_kappa(counts: Floats, weights: Floats) -> Floats:
    """Return Fleiss' kappa of ``counts`` (N, K) for each row of ``weights`` (R, N); nan where all ratings are equal.

    counts: how many raters chose each category, equally many per item.
    kappa = (P - P_e) / (1 - P_e): mean agreement of pairs of raters, and that of chance (Fleiss 1971).
    """
    number = counts[0].sum()
    parts = np.column_stack([counts, (counts**2).sum(1)])
    sums = weights @ parts
    answers = number * weights.sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = ((sums[:, :-1] / answers[:, None]) ** 2).sum(1)
        observed = (sums[:, -1] - answers) / (answers * (number - 1))
        return np.asarray((observed - expected) / (1 - expected))


def icc(ratings: Floats, weights: Floats) -> Floats:
    """Return ICC(2,1) of ``ratings`` (raters, N) without gaps for each row of ``weights`` (R, N).

    Two-way random effects, absolute agreement, one rater: (BMS - EMS) / (BMS + (k - 1) EMS + k (JMS - EMS) / N) with
    the mean squares of items, raters and error (Shrout and Fleiss 1979, case 2).
    """
    raters = len(ratings)
    centred = (ratings - ratings.mean()).T
    parts = np.column_stack([np.ones(len(centred)), centred.sum(1) ** 2, (centred**2).sum(1), centred])
    sums = weights @ parts
    items, of_items, total, per_rater = sums[:, 0], sums[:, 1], sums[:, 2], sums[:, 3:]
    with np.errstate(divide="ignore", invalid="ignore"):
        constant = per_rater.sum(1) ** 2 / (items * raters)
        between_items = of_items / raters - constant
        between_raters = (per_rater**2).sum(1) / items - constant
        rest = (total - constant) - between_items - between_raters
        by_item, by_rater = between_items / (items - 1), between_raters / (raters - 1)
        error = rest / ((items - 1) * (raters - 1))
        return np.asarray((by_item - error) / (by_item + (raters - 1) * error + raters * (by_rater - error) / items))


def alpha_estimate(ratings: Floats, level: Level, bootstrap: Bootstrap) -> Estimate:
    """Return Krippendorff's alpha of ``ratings`` (raters, items) over the items that two raters or more answered."""
    used = _shared(ratings)
    items = used.shape[1]
    return bootstrap.estimate(krippendorff_alpha(used, level, bootstrap.weights(items)), items)


def kappa_estimate(ratings: Floats, levels: int, bootstrap: Bootstrap, *, weighted: bool) -> Estimate:
    """Return the mean of Cohen's kappa over all pairs of raters with two items or more in common.

    ratings: (raters, items) categories from 0 to ``levels`` - 1, nan for missing.
    """
    used = _shared(ratings)
    given, items = ~np.isnan(used), used.shape[1]
    weights = bootstrap.weights(items)
    kappas = []
    for rater in range(len(used) - 1):
        others = used[rater + 1 :][(given[rater] & given[rater + 1 :]).sum(1) >= 2]
        if len(others):
            kappas.append(cohen_kappa(used[rater], others, levels, weights, weighted=weighted))
    return bootstrap.estimate(_finite_mean(np.concatenate(kappas, axis=1)), items) if kappas else undefined(items)


def fleiss_estimate(ratings: Floats, levels: int, bootstrap: Bootstrap) -> Estimate:
    """Return Fleiss' kappa of ``ratings`` (raters, items) over the items with one and the same number of answers.

    Of several such numbers the one that covers most answers is taken.
    """
    counts = (ratings[..., None] == np.arange(levels)).sum(0).astype(float)  # (items, K)
    answered = counts.sum(1)
    several = np.unique(answered[answered >= 2])
    if not len(several):
        return undefined()
    number = max(several, key=lambda number: (number * (answered == number).sum(), number))
    counts = counts[answered == number]
    return bootstrap.estimate(fleiss_kappa(counts, bootstrap.weights(len(counts))), len(counts))


def icc_estimate(ratings: Floats, bootstrap: Bootstrap) -> Estimate:
    """Return ICC(2,1) of ``ratings`` (raters, items) over the items that all raters answered; nan for one rater."""
    whole = ratings[:, ~np.isnan(ratings).any(0)]
    items = whole.shape[1]
    return bootstrap.estimate(icc(whole, bootstrap.weights(items)), items) if min(whole.shape) > 1 else undefined(items)


def repeat_estimates(
    first: Floats, again: Floats, item: Whole, levels: int, bootstrap: Bootstrap, *, weighted: bool
) -> tuple[Estimate, Estimate]:
    """Return the share of equal first and second answers, and Cohen's kappa of them.

    first, again: (N,) categories from 0. item: (N,) the item that was answered twice.
    """
    place, items = positions(item)
    if not items:
        return undefined(), undefined()
    kappas = cohen_kappa(first, again, levels, bootstrap.weights(items)[:, place], weighted=weighted)
    return bootstrap.mean(item, (first == again).astype(float)), bootstrap.estimate(kappas, items)


def agreement(
    question: Question, answers: Sequence[Answer], repeats: Sequence[tuple[Answer, Answer]], bootstrap: Bootstrap
) -> Agreement:
    """Return every coefficient of one question that is a choice or a scale.

    answers: those that count. repeats: first and later answers of a rater to the same item.
    """
    scale = question.kind == "scale"
    level: Level = "ordinal" if scale else "nominal"
    levels = categories(question)
    ratings = table(question, answers)
    pairs = [(one.item, category(question, one), category(question, two)) for one, two in repeats]
    item, first, again = np.array([pair for pair in pairs if not np.isnan(pair[1:]).any()]).reshape(-1, 3).T
    same, kappa_again = repeat_estimates(first, again, item.astype(np.int64), levels, bootstrap, weighted=scale)
    return Agreement(
        question=question.name,
        title=question.title,
        level=level,
        raters=len(ratings),
        alpha=alpha_estimate(ratings, level, bootstrap),
        kappa=kappa_estimate(ratings, levels, bootstrap, weighted=scale),
        fleiss=undefined() if scale else fleiss_estimate(ratings, levels, bootstrap),
        icc=icc_estimate(ratings, bootstrap) if scale else undefined(),
        same=same,
        again=kappa_again,
    )


def _shared(ratings: Floats) -> Floats:
    """Return the columns of ``ratings`` (raters, items) with two ratings or more."""
    return ratings[:, (~np.isnan(ratings)).sum(0) >= 2]


def _coincidences(ratings: Floats, values: Floats) -> Floats:
    """Return the coincidence matrix that each item adds, (items, V, V); zero for items with fewer than two answers."""
    counts = (ratings[..., None] == values).sum(0).astype(float)  # (items, V)
    answered = counts.sum(1)
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(len(values))
    weight = np.where(answered >= 2, 1 / np.maximum(answered - 1, 1), 0)
    return np.asarray(pairs * weight[:, None, None])


def _disagreement(steps: Floats, weighted: bool) -> Floats:
    return np.asarray(steps**2 if weighted else steps != 0, np.float64)


def _finite_mean(kappas: Floats) -> Floats:
    """Return the mean over the pairs of raters, (R, pairs), for which kappa is defined; nan where it is for none."""
    finite = np.isfinite(kappas)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(finite, kappas, 0).sum(1) / finite.sum(1))
