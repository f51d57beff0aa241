"""Rank correlation of image measures with ratings (Spearman 1904, Am J Psychol 15:72)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from core.measure.answers import CONFIDENCE, PREFER, REAL, Answer, Question
from core.measure.bootstrap import Bootstrap, Floats
from core.measure.coding import category, in_order, preferred
from core.measure.findings import Correlation
from core.measure.intervals import NAN, Estimate, undefined

# fewest items for a rank correlation
ENOUGH = 3

Number = Callable[[Answer], float]


def correlations(
    questions: Iterable[Question], answers: Sequence[Answer], bootstrap: Bootstrap
) -> tuple[Correlation, ...]:
    """Return the correlation of every question that rates an image with every measure that images have."""
    measures = sorted({name for answer in answers for image in answer.images for name in image.measures})
    single = {name: _by_item(answers, partial(_measured, measure=name)) for name in measures}
    double = {name: _by_item(answers, partial(_difference, measure=name)) for name in measures}
    found = []
    for question in questions:
        opinion = _opinion(question)
        rated = _by_item(answers, opinion) if opinion else {}
        measured = double if question.name == PREFER else single
        for name in measures:
            items = sorted(rated.keys() & measured[name].keys())
            if items:
                pairs = np.array([(rated[item], measured[name][item]) for item in items])
                rho = _rho(pairs, bootstrap, mirrored=question.name == PREFER)
                found.append(Correlation(question.name, question.title, name, rho))
    return tuple(found)


def spearman(first: ArrayLike, second: ArrayLike, weights: Floats) -> Floats:
    """Return Spearman's rho of ``first`` and ``second`` (N,) for each row of ``weights`` (R, N), as (R,).

    weights: how often each pair counts. Ties share their mean rank; nan where either is constant.
    """
    one, two = (_ranks(np.asarray(values, np.float64), weights) for values in (first, second))
    with np.errstate(divide="ignore", invalid="ignore"):
        product, *squares = (
            np.einsum("rn,rn,rn->r", weights, left, right) for left, right in ((one, two), (one, one), (two, two))
        )
        return np.asarray(product / np.sqrt(squares[0] * squares[1]))


def _opinion(question: Question) -> Number | None:
    """Return the function that reads a rating of an image from an answer; None where ``question`` rates no image."""
    if question.name == PREFER:
        return _preference
    if question.name == REAL:
        return _called_real
    if question.kind != "scale" or question.name == CONFIDENCE:
        return None
    return lambda answer: category(question, answer) if len(answer.images) == 1 else NAN


def _rho(pairs: Floats, bootstrap: Bootstrap, *, mirrored: bool) -> Estimate:
    items = len(pairs)
    if items < ENOUGH:
        return undefined(items)
    weights = bootstrap.weights(items)
    if mirrored:
        # the order of the two images is arbitrary, so each pair counts in both directions
        pairs, weights = np.concatenate([pairs, -pairs]), np.tile(weights, 2)
    return bootstrap.estimate(spearman(pairs[:, 0], pairs[:, 1], weights), items)


def _by_item(answers: Sequence[Answer], number: Number) -> dict[int, float]:
    """Return the mean of a number over the answers to each item that have it."""
    found: dict[int, list[float]] = {}
    for answer in answers:
        value = number(answer)
        if math.isfinite(value):
            found.setdefault(answer.item, []).append(value)
    # equal numbers stay equal, however many there are: a mean of them could differ in its last digit
    return {item: values[0] if len(set(values)) == 1 else sum(values) / len(values) for item, values in found.items()}


def _called_real(answer: Answer) -> float:
    value = answer.values.get(REAL)
    synthetic = len(answer.images) == 1 and answer.images[0].truth == "synthetic"
    return float(value == "real") if synthetic and value in ("real", "synthetic") else NAN


def _preference(answer: Answer) -> float:
    chosen = preferred(answer)
    return NAN if chosen is None else (1.0 if in_order(chosen) else -1.0)


def _measured(answer: Answer, measure: str) -> float:
    return answer.images[0].measures.get(measure, NAN) if len(answer.images) == 1 else NAN


def _difference(answer: Answer, measure: str) -> float:
    """Return the difference of ``measure`` between two images, the first by method, case and truth minus the other."""
    if len(answer.images) != 2:
        return NAN
    left, right = (image.measures.get(measure, NAN) for image in answer.images)
    return left - right if in_order(answer.images) else right - left


def _ranks(values: Floats, weights: Floats) -> Floats:
    """Return the ranks of ``values`` (N,) less the mean rank, in the sample of each row of ``weights``, (R, N)."""
    order = np.argsort(values, kind="stable")
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(weights.astype(np.int32)[:, order], axis=1)[:, np.cumsum(counts) - 1]
    starts = np.concatenate([np.zeros_like(ends[:, :1]), ends[:, :-1]], axis=1)
    # equal values share the mean of their ranks; the middle of all ranks is half the number of answers
    return np.asarray(((starts + ends - ends[:, -1:]) / 2)[:, place])
