"""Progress, time and care of each rater, and the share of repeats answered as before."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from core.measure.answers import PREFER, Answer, Collected, Rater
from core.measure.coding import SIDES, categories, category
from core.measure.findings import RaterSummary
from core.measure.intervals import NAN, Estimate, wilson


def summaries(
    collected: Collected, scored: Sequence[Answer], repeats: Sequence[tuple[Answer, Answer]]
) -> tuple[RaterSummary, ...]:
    """Return one summary per rater of the study, also of raters who did not begin."""
    return tuple(
        _summary(
            rater,
            [answer for answer in collected.answers if answer.rater == rater.name],
            [answer for answer in scored if answer.rater == rater.name],
            _same(collected, [pair for pair in repeats if pair[0].rater == rater.name]),
        )
        for rater in collected.raters
    )


def as_expected(answer: Answer) -> bool:
    """Return whether all answers to a training or catch item are the expected ones."""
    return all(answer.values.get(name) == value for name, value in answer.expected.items())


def _summary(rater: Rater, answers: Sequence[Answer], scored: Sequence[Answer], repeated: Estimate) -> RaterSummary:
    catches = [as_expected(answer) for answer in answers if answer.use == "catch" and answer.expected]
    seconds = [answer.seconds for answer in answers if answer.use != "training" and math.isfinite(answer.seconds)]
    sides = [answer.values[PREFER] for answer in scored if answer.values.get(PREFER) in SIDES]
    return RaterSummary(
        name=rater.name,
        group=rater.group,
        done=rater.done,
        total=rater.total,
        scored=len(scored),
        seconds_median=float(np.median(seconds)) if seconds else NAN,
        seconds_total=sum(answer.seconds for answer in answers if math.isfinite(answer.seconds)),
        catch_right=sum(catches),
        catch_total=len(catches),
        left=wilson(sides.count(SIDES[0]), len(sides)),
        repeated=repeated,
        scrolled=sum(any(visited > 1 for visited in answer.slices.values()) for answer in answers),
        changes=sum(answer.changes for answer in answers),
        revisions=sum(answer.revisions for answer in answers),
    )


def _same(collected: Collected, repeats: Sequence[tuple[Answer, Answer]]) -> Estimate:
    """Return the share of equal answers to all questions that have categories."""
    codes = [
        (category(question, first), category(question, again))
        for question in collected.questions
        if categories(question)
        for first, again in repeats
    ]
    both = [first == again for first, again in codes if not math.isnan(first) and not math.isnan(again)]
    return wilson(sum(both), len(both))
