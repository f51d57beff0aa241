"""How far raters agree with each other and with themselves.

Every coefficient is a function of sums over items, so that a bootstrap over items is one product of matrices.
Krippendorff (2004), Content Analysis; Cohen (1968), Psychol Bull 70:213; Fleiss (1971), Psychol Bull 76:378; Shrout and
Fleiss (1979), Psychol Bull 86:420.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from core.measure.answers import Answer, Question
from core.measure.coding import categories, category, table
from core.measure.findings import Agreement, Estimate, Level
from core.measure.intervals import NAN, Bootstrap, Floats, Whole, places, undefined


def krippendorff_alpha(ratings: Floats, level: Literal["nominal", "ordinal", "interval"]) -> float:
    """Return Krippendorff's alpha of (raters, items) numbers with nan for missing; nan where all answers are equal."""
    values = np.unique(ratings[~np.isnan(ratings)])
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(_alpha(_coincidences(ratings, values).sum(0)[None], values, level)[0])


def cohen_kappa(counts: Floats, *, weighted: bool) -> float:
    """Return Cohen's kappa of a (K, K) table of two ratings, with quadratic weights if ``weighted``."""
    # slow to import, and only the analysis of a study needs it
    from statsmodels.stats.inter_rater import cohens_kappa

    if counts.sum() == 0:
        return NAN
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(cohens_kappa(counts, wt="quadratic" if weighted else None, return_results=False))


def fleiss_kappa(counts: Floats) -> float:
    """Return Fleiss' kappa of (items, K) counts of answers, equally many per item."""
    from statsmodels.stats.inter_rater import fleiss_kappa as value  # slow to import

    with np.errstate(divide="ignore", invalid="ignore"):
        return float(value(counts))


def icc(ratings: Floats) -> float:
    """Return ICC(2,1), two-way random effects, absolute agreement, one rater, of (raters, items) without gaps."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(_icc(_squares(ratings).sum(0)[None], len(ratings))[0])


def alpha_estimate(ratings: Floats, level: Level, bootstrap: Bootstrap) -> Estimate:
    """Return Krippendorff's alpha over the items that two raters or more answered."""
    used = ratings[:, (~np.isnan(ratings)).sum(0) >= 2]
    values = np.unique(used[~np.isnan(used)])
    return bootstrap.of_sums(lambda sums: _alpha(sums, values, level), _coincidences(used, values))


def kappa_estimate(ratings: Floats, levels: int, bootstrap: Bootstrap, *, weighted: bool) -> Estimate:
    """Return the mean of Cohen's kappa over all pairs of raters with two items or more in common.

    ratings: (raters, items) categories from 0 to ``levels`` - 1, nan for missing.
    """
    used = ratings[:, (~np.isnan(ratings)).sum(0) >= 2]
    values = [
        _kappas_with(rater, used, levels, bootstrap, weighted=weighted) for rater in range(len(used) - 1) if used.size
    ]
    kappas = np.concatenate(values, axis=1) if values else np.zeros((0, 0))
    return bootstrap.estimate(_finite_mean(kappas), used.shape[1]) if kappas.size else undefined(used.shape[1])


def fleiss_estimate(ratings: Floats, levels: int, bootstrap: Bootstrap) -> Estimate:
    """Return Fleiss' kappa over the items with one number of answers, the number that covers most answers."""
    counts = (ratings[..., None] == np.arange(levels)).sum(0).astype(float)  # (items, K)
    answered = counts.sum(1)
    several = np.unique(answered[answered >= 2])
    if not len(several):
        return undefined()
    number = max(several, key=lambda number: (number * (answered == number).sum(), number))
    counts = counts[answered == number]
    items = len(counts)
    parts = np.column_stack([counts, (counts**2).sum(1)])
    with np.errstate(divide="ignore", invalid="ignore"):
        values = _fleiss(bootstrap.weights(items) @ parts, items * number, number)
    values[0] = fleiss_kappa(counts)
    return bootstrap.estimate(values, items)


def icc_estimate(ratings: Floats, bootstrap: Bootstrap) -> Estimate:
    """Return ICC(2,1) over the items that all raters answered; nan for one rater."""
    whole = ratings[:, ~np.isnan(ratings).any(0)]
    if len(whole) < 2 or whole.shape[1] < 2:
        return undefined(whole.shape[1])
    return bootstrap.of_sums(lambda sums: _icc(sums, len(whole)), _squares(whole))


def repeat_estimates(
    first: Floats, again: Floats, item: Whole, levels: int, bootstrap: Bootstrap, *, weighted: bool
) -> tuple[Estimate, Estimate]:
    """Return the share of equal first and second answers, and Cohen's kappa of them.

    first, again: (N,) categories from 0. item: (N,) which item was answered twice.
    """
    place, items = places(item)
    if not items:
        return undefined(), undefined()
    distances = _distances(levels, weighted)
    single = [codes[:, None] == np.arange(levels) for codes in (first, again)]
    apart = distances[first.astype(int), again.astype(int)]
    parts = np.zeros((items, 1 + 2 * levels))
    np.add.at(parts, place, np.column_stack([apart, *single]))
    values = _kappa(bootstrap.weights(items) @ parts, levels, distances)
    values[0] = cohen_kappa(_counts(first, again, levels), weighted=weighted)
    return bootstrap.mean(item, (first == again).astype(float)), bootstrap.estimate(values, items)


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


def _kappas_with(rater: int, ratings: Floats, levels: int, bootstrap: Bootstrap, *, weighted: bool) -> Floats:
    """Return kappa of ``rater`` with each later rater of two items or more in common, (1 + resamples, others)."""
    given = ~np.isnan(ratings)
    others = np.arange(rater + 1, len(ratings))
    others = others[(given[rater] & given[others]).sum(1) >= 2]
    both = given[rater] & given[others]  # (others, items)
    steps = np.where(both, ratings[others] - ratings[rater], 0)
    single = ratings[..., None] == np.arange(levels)  # (raters, items, K)
    parts = np.concatenate(
        [
            (steps**2 if weighted else (steps != 0).astype(float))[..., None],
            single[rater] & both[..., None],
            single[others] & both[..., None],
        ],
        axis=-1,
    )
    sums = np.tensordot(bootstrap.weights(ratings.shape[1]), parts, axes=(1, 1))  # (1 + resamples, others, 1 + 2 K)
    kappas = _kappa(sums, levels, _distances(levels, weighted))
    kappas[0] = [
        cohen_kappa(_counts(ratings[rater, shared], ratings[other, shared], levels), weighted=weighted)
        for other, shared in zip(others, both, strict=True)
    ]
    return kappas


def _coincidences(ratings: Floats, values: Floats) -> Floats:
    """Return the coincidence matrix that each item adds, (items, V, V); zero for items with fewer than two answers."""
    counts = (ratings[..., None] == values).sum(0).astype(float)  # (items, V)
    answered = counts.sum(1)
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(len(values))
    weight = np.where(answered >= 2, 1 / np.maximum(answered - 1, 1), 0)
    return np.asarray(pairs * weight[:, None, None])


def _alpha(coincidences: Floats, values: Floats, level: str) -> Floats:
    """Return alpha of (R, V, V) coincidences as (R,)."""
    margins = coincidences.sum(-1)
    # where each value stands on its scale: ranks depend on how often the values occur
    place = np.cumsum(margins, -1) - margins / 2 if level == "ordinal" else np.broadcast_to(values, margins.shape)
    apart = (place[:, :, None] - place[:, None, :]) ** 2
    if level == "nominal":
        apart = np.broadcast_to(1 - np.eye(len(values)), coincidences.shape)
    observed = (coincidences * apart).sum((-2, -1))
    expected = (margins[:, :, None] * margins[:, None, :] * apart).sum((-2, -1))
    return np.asarray(1 - (margins.sum(-1) - 1) * observed / expected)


def _distances(levels: int, weighted: bool) -> Floats:
    steps = np.subtract.outer(np.arange(levels), np.arange(levels)).astype(float)
    return steps**2 if weighted else (steps != 0).astype(float)


def _counts(first: Floats, second: Floats, levels: int) -> Floats:
    counts = np.zeros((levels, levels))
    np.add.at(counts, (first.astype(int), second.astype(int)), 1)
    return counts


def _kappa(sums: Floats, levels: int, distances: Floats) -> Floats:
    """Return kappa of (..., 1 + 2 K) sums: the distances of the pairs, then how often each rater gave each category."""
    apart, mine, theirs = np.split(sums, [1, 1 + levels], axis=-1)
    expected = ((mine @ distances) * theirs).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - apart[..., 0] * mine.sum(-1) / expected)


def _finite_mean(kappas: Floats) -> Floats:
    """Return the mean over the pairs of raters, (R, pairs), for which kappa is defined; nan where it is for none."""
    finite = np.isfinite(kappas)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(finite, kappas, 0).sum(1) / finite.sum(1))


def _fleiss(sums: Floats, answers: float, number: float) -> Floats:
    """Return Fleiss' kappa of (R, K + 1) sums: counts of the categories, then of their squares per item."""
    expected = ((sums[:, :-1] / answers) ** 2).sum(1)
    observed = (sums[:, -1] - answers) / (answers * (number - 1))
    return np.asarray((observed - expected) / (1 - expected))


def _squares(ratings: Floats) -> Floats:
    """Return what each item adds to the sums of squares, (items, 3 + raters); (raters, items) ratings are centred."""
    centred = (ratings - ratings.mean()).T
    return np.column_stack([np.ones(len(centred)), centred.sum(1) ** 2, (centred**2).sum(1), centred])


def _icc(sums: Floats, raters: int) -> Floats:
    """Return ICC(2,1) of (R, 3 + raters) sums."""
    items, of_items, total, per_rater = sums[:, 0], sums[:, 1], sums[:, 2], sums[:, 3:]
    constant = per_rater.sum(1) ** 2 / (items * raters)
    between_items = of_items / raters - constant
    between_raters = (per_rater**2).sum(1) / items - constant
    rest = (total - constant) - between_items - between_raters
    by_item, by_rater = between_items / (items - 1), between_raters / (raters - 1)
    error = rest / ((items - 1) * (raters - 1))
    return np.asarray((by_item - error) / (by_item + (raters - 1) * error + raters * (by_rater - error) / items))
