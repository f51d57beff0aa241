"""What to do next with the models of a run: which remedy won, at what price, and what the verdicts call for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.failure.data.dataset import HOME
from core.failure.data.modality import TITLES
from core.failure.models.remedies import REMEDIES
from core.failure.results import Model, Results
from core.failure.thresholds import GAIN
from core.failure.titles import set_title

# a remedy wins by two points of accuracy away, and may cost as many at home before the loss is named first
CLEAR = 0.02
AWAY = ("conflict", "external")
LEAK = 0.05


@dataclass(frozen=True)
class Standing:
    """All seeds of one recipe: accuracy at home and away, training in epochs of plain training, and its verdict."""

    title: str
    remedy: str
    home: float
    away: float
    work: float
    level: str


def advise(results: Results) -> tuple[str, ...]:
    """Return sentences on what to do next, the most important first; at least one."""
    found = [sentence for modality in results.verdicts for sentence in _of_modality(results, modality)]
    found += list(_of_data(results))
    return tuple(dict.fromkeys(found)) or (
        "Test the model on slides of another laboratory, of another day and of another thickness before it is trusted.",
    )


def away_title(results: Results) -> str:
    """Return what accuracy away from home is measured on."""
    test = _away_test(results)
    return set_title(test).lower() if test else "the worst physical change up to severity 3"


def standings(results: Results, modality: str) -> tuple[Standing, ...]:
    """Return the recipes of one modality, plain training first as they were trained."""
    test = _away_test(results)
    names = dict.fromkeys(model.name for model in results.models if model.modality == modality)
    found = []
    for name in names:
        models = [model for model in results.models if model.name == name]
        remedy = REMEDIES.get(models[0].remedy)
        found.append(
            Standing(
                models[0].title,
                models[0].remedy,
                _mean([_accuracy(model, HOME) for model in models]),
                _mean([_accuracy(model, test) if test else _withstood(model) for model in models]),
                remedy.epochs * remedy.members if remedy else 1.0,
                models[0].verdict.level if models[0].verdict else "",
            )
        )
    return tuple(found)


def _of_modality(results: Results, modality: str) -> Iterator[str]:
    ranked = standings(results, modality)
    plain, others = ranked[0], ranked[1:]
    side = TITLES.get(modality, modality)
    place = away_title(results)
    best = max(others, key=lambda one: one.away if math.isfinite(one.away) else -1.0, default=None)
    if best is not None and best.away - plain.away >= CLEAR:
        yield _won(best, plain, place)
        if best.level in ("red", "amber"):
            yield f"{best.title} is {best.level} itself: read its row before it replaces plain training."
    elif best is not None:
        yield (
            f"{side}: no recipe that was tried is {100 * CLEAR:.0f} points better on {place} than {plain.title} "
            f"({plain.away:.2f}). Another shortcut needs another remedy: try the preset Full, or swapped scores and "
            "thickness with equal noise."
        )
    elif results.verdicts[modality].level != "none" and results.data.mode == "patches":
        yield f"{side}: no remedy was tried. Run again with the preset Standard, on the same data and seed."
    yield from _by_probes(results, modality)


def _won(best: Standing, plain: Standing, place: str) -> str:
    lost = plain.home - best.home
    price = f"costs {100 * lost:.0f} points at home" if lost >= 0.005 else "costs no accuracy at home"
    longer = f", and trains {best.work:g} times as long" if best.work > 1 else ""
    return (
        f"{best.title} won: {100 * (best.away - plain.away):.0f} points better than {plain.title} on {place} "
        f"({plain.away:.2f} to {best.away:.2f}). It {price} ({plain.home:.2f} to {best.home:.2f}){longer}."
    )


def _by_probes(results: Results, modality: str) -> Iterator[str]:
    plain = next(model for model in results.models if model.modality == modality)
    side = TITLES.get(modality, modality)
    figures = {each.name: each.figure.value for each in plain.diagnostics}
    if figures.get("gain", math.inf) < GAIN:
        yield f"{side}: a plain classifier does as well as the network. Use it, or give the network a harder task."
    if results.verdicts[modality].level == "red":
        yield (
            f"{side}: ask whether the number it leans on is chemistry. Compare its band pattern on another instrument "
            "and on sections of another thickness."
        )


def _of_data(results: Results) -> Iterator[str]:
    if results.data.source == "file" and not results.data.groups:
        yield "Name the patient or slide of each patch: without them the test may know the training."
    gaps = [each.figure.value for each in results.leakage if math.isfinite(each.figure.value)]
    if gaps and max(gaps) >= LEAK:
        yield (
            f"Split by patient: a split by spectrum promises up to {100 * max(gaps):.0f} points that a new patient "
            "does not give."
        )
    if results.data.source == "file" and 0 < results.data.groups < 10:
        yield f"Bring more patients or slides: {results.data.groups} leave intervals wide."


def _away_test(results: Results) -> str:
    """Return the test set away from home that shortcuts fail on first, "" where there is none."""
    tests = {name for model in results.models for name in model.accuracy}
    return next((name for name in AWAY if name in tests), "")


def _accuracy(model: Model, test: str) -> float:
    return model.accuracy[test].value if test in model.accuracy else math.nan


def _withstood(model: Model) -> float:
    """Return the accuracy that is left under the worst physical change."""
    drop = next((each.figure.value for each in model.diagnostics if each.name == "shift"), math.nan)
    return _accuracy(model, HOME) - drop


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan
