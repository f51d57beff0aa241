"""The diagnostics of all seeds of one model together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from core.failure.corruptions.shift_words import LOSS
from core.failure.diagnostics.calibration import calibration_rise
from core.failure.diagnostics.shift import loss_of, losses
from core.failure.results import Diagnostic, Model
from core.measure.intervals import Interval


def over_seeds(found: Sequence[Interval]) -> Interval:
    """Return the mean of the figures that were measured, one a seed, between their lowest and their highest bound.

    >>> over_seeds([Interval(0.5, 0.375, 0.625), Interval(0.75, 0.5, 1.0)])
    Interval(value=0.625, low=0.375, high=1.0)
    """
    known = [each for each in found if math.isfinite(each.value)]
    if len(known) < 2:
        return known[0] if known else Interval(math.nan)
    ends = [[end for end in (each.low, each.value, each.high) if math.isfinite(end)] for each in known]
    return Interval(sum(each.value for each in known) / len(known), min(map(min, ends)), max(map(max, ends)))


def pooled(models: Sequence[Model]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of all seeds of one model together: those that the first seed has."""
    first, *rest = models
    if not rest:
        return first.diagnostics
    later = [each for model in rest for each in model.diagnostics]
    return tuple(_pool([each, *(one for one in later if one.name == each.name)]) for each in first.diagnostics)


def _pool(found: Sequence[Diagnostic]) -> Diagnostic:
    first = found[0]
    figures = {
        name: over_seeds([each.figures[name] for each in found if name in each.figures]) for name in first.figures
    }
    if first.name == "shift":
        # the worst shift of one seed need not be that of another
        lost = losses(replace(first, figures=figures))
        further = {name: each for name, each in figures.items() if name != "amount" and not name.startswith(LOSS)}
        return replace(loss_of(lost, further), reason=first.reason)
    if first.name == "calibration":
        return replace(calibration_rise(figures), reason=first.reason)
    return replace(first, figure=over_seeds([each.figure for each in found]), figures=figures)
