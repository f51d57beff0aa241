"""Whether a model has learnt anything (D0): the gate before every other diagnostic."""

from __future__ import annotations

from core.failure.diagnostics.model_under_test import Outcomes
from core.failure.results import Diagnostic
from core.measure.bootstrap import interval, units, widened
from core.measure.intervals import Interval


def learnt(outcomes: Outcomes) -> Diagnostic:
    """Return D0 of one model on its patches, by group bootstrap."""
    return gate(widened(interval(outcomes.accuracy), units(outcomes.weights)), outcomes.chance)


def gate(accuracy: Interval, chance: float) -> Diagnostic:
    """Return D0: ``accuracy`` less that of always naming the commonest class of the same patches, ``chance``."""
    return Diagnostic(
        "D0",
        "learnt",
        "Accuracy over always naming the commonest class",
        Interval(accuracy.value - chance, accuracy.low - chance, accuracy.high - chance),
        True,
        "Decides first: where the interval reaches 0 the model has learnt nothing, and no other probe counts.",
        {"accuracy": accuracy, "chance": Interval(chance)},
    )
