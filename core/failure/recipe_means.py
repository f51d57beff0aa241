"""The models of a run by recipe, seeds together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from core.failure.pooling import over_seeds, pooled
from core.failure.results import Model, Results
from core.measure.intervals import Interval


@dataclass(frozen=True)
class Recipe:
    """All seeds of one model. accuracies: of each test set over the seeds, which runs of earlier versions lack."""

    name: str
    title: str
    models: tuple[Model, ...]
    accuracies: Mapping[str, Interval]

    @property
    def first(self) -> Model:
        """The seed that is probed in full."""
        return self.models[0]

    def accuracy(self, test: str) -> Interval:
        """Return the accuracy on a test set over seeds, nan where it was not tested."""
        each = [model.accuracy[test] for model in self.models if test in model.accuracy]
        return self.accuracies.get(test) or over_seeds(each)

    def probe(self, name: str, part: str = "") -> Interval:
        """Return what a probe found over seeds, or its further figure ``part``; nan where it was not run."""
        found = [each for each in pooled(self.models) if each.name == name and (not part or part in each.figures)]
        return next((each.figures[part] if part else each.figure for each in found), Interval(math.nan))


def recipes(results: Results) -> tuple[Recipe, ...]:
    """Return the models of a run in their order, seeds together."""
    seeds: dict[str, list[Model]] = {}
    for model in results.models:
        seeds.setdefault(model.name, []).append(model)
    return tuple(
        Recipe(name, models[0].title, tuple(models), results.accuracies.get(name, {})) for name, models in seeds.items()
    )


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
