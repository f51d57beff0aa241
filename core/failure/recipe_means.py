"""The models of a run by recipe, seeds together: means of what was measured of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.failure.results import Model, Results
from core.measure.intervals import Interval


@dataclass(frozen=True)
class Recipe:
    """All seeds of one model: the mean of each figure, bounds included."""

    name: str
    title: str
    models: tuple[Model, ...]

    @property
    def first(self) -> Model:
        """The seed that is probed in full."""
        return self.models[0]

    def accuracy(self, test: str) -> Interval:
        """Return the accuracy on a test set, nan where it was not tested."""
        return mean([model.accuracy[test] for model in self.models if test in model.accuracy])

    def probe(self, name: str, part: str = "") -> Interval:
        """Return what a probe found, or its further figure ``part``; nan where it was not run."""
        found = [each for model in self.models for each in model.diagnostics if each.name == name]
        return mean([each.figures[part] if part else each.figure for each in found if not part or part in each.figures])


def recipes(results: Results) -> tuple[Recipe, ...]:
    """Return the models of a run in their order, seeds together."""
    names = dict.fromkeys(model.name for model in results.models)
    return tuple(
        Recipe(name, models[0].title, tuple(models))
        for name in names
        for models in [[model for model in results.models if model.name == name]]
    )


def mean(found: Sequence[Interval]) -> Interval:
    """Return the mean of the figures that were measured, bound by bound."""
    known = [each for each in found if math.isfinite(each.value)]
    if not known:
        return Interval(math.nan)
    parts = [[getattr(each, part) for each in known] for part in ("value", "low", "high")]
    return Interval(*(sum(part) / len(known) for part in parts))


def tests_of(results: Results) -> tuple[str, ...]:
    """Return the names of the test sets, the home set first."""
    names = dict.fromkeys(name for model in results.models for name in model.accuracy)
    return tuple(sorted(names, key=lambda name: name != "id"))


def usual_models(results: Results) -> tuple[str, str]:
    """Return the recipes to look at first, plain IR and plain RGB, or what there is; "" for none beside."""
    names = [each.name for each in recipes(results)]
    first = next((name for name in ("ir-erm", *names) if name in names), "")
    beside = next((name for name in ("rgb-erm", *names) if name in names and name != first), "")
    return first, beside
