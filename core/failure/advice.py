"""What to do next with the models of a run: which remedy won, at what price, and what the verdicts call for."""

from __future__ import annotations

import math
from collections.abc import Iterator

from core.failure.data.dataset import HOME
from core.failure.data.modality import TITLES
from core.failure.models.remedies import REMEDIES
from core.failure.recipe_means import Recipe, recipes, tests_of
from core.failure.results import Results
from core.failure.thresholds import GAIN

# so many points of accuracy away from home make a remedy the winner
CLEAR = 0.02
HALF_A_POINT = 0.005
# sets away from home, those first that a shortcut fails on
AWAY = {"conflict": "patches with the shortcut at random", "external": "slides of another laboratory"}
LEAK = 0.05


def advise(results: Results) -> tuple[str, ...]:
    """Return sentences on what to do next, the most important first; at least one."""
    sides = [side for side in results.verdicts if side in TITLES]
    found = [sentence for side in sides for sentence in _of_modality(results, side)]
    found += list(_of_data(results))
    return tuple(dict.fromkeys(found)) or (
        "Test the model on slides of another laboratory, of another day and of another thickness before it is trusted.",
    )


def winner(results: Results, modality: str) -> Recipe | None:
    """Return the recipe after the first one of ``modality`` that is best away from home, None without others."""
    test = next((name for name in AWAY if name in tests_of(results)), "")
    others = [each for each in recipes(results) if each.first.modality == modality][1:]
    known = [each for each in others if math.isfinite(_away(each, test))]
    return max(known, key=lambda each: _away(each, test), default=None)


def _of_modality(results: Results, modality: str) -> Iterator[str]:
    plain = next(each for each in recipes(results) if each.first.modality == modality)
    test = next((name for name in AWAY if name in tests_of(results)), "")
    best = winner(results, modality)
    if results.verdicts[modality].level == "unlearnt":
        yield (
            f"{TITLES.get(modality, modality)}: nothing was learnt, so no probe counts. Train longer, on more patches, "
            "or check that the labels belong to the tissue."
        )
        return
    side, place = TITLES.get(modality, modality), AWAY.get(test, "the worst physical change up to severity 3")
    if best is not None and _away(best, test) - _away(plain, test) >= CLEAR:
        yield _won(best, plain, (_away(best, test), _away(plain, test)), place)
        if best.first.verdict is not None and best.first.verdict.level in ("red", "amber"):
            yield f"{best.title} is {best.first.verdict.level} itself: read its row before it is used."
    elif best is not None and _tried(results):
        yield (
            f"{side}: no recipe that was tried is {100 * CLEAR:.0f} points better than the first one on {place} "
            f"({_away(plain, test):.2f}). Another shortcut needs another remedy: try the preset Full."
        )
    elif results.verdicts[modality].level != "none" and results.data.mode == "patches" and not _tried(results):
        yield f"{side}: no remedy was tried. Run again with the preset Standard, on the same data and seed."
    yield from _by_probes(results, plain)


def _tried(results: Results) -> bool:
    """Return whether any remedy was tried."""
    return any(model.remedy not in ("erm", "plain", "given") for model in results.models)


def _won(best: Recipe, plain: Recipe, away: tuple[float, float], place: str) -> str:
    home = best.accuracy(HOME).value, plain.accuracy(HOME).value
    lost = home[1] - home[0]
    price = f"costs {100 * lost:.0f} points at home" if lost >= HALF_A_POINT else "costs no accuracy at home"
    remedy = REMEDIES.get(best.first.remedy)
    work = remedy.epochs * remedy.members if remedy else 1.0
    longer = f", and trains {work:g} times as long" if work > 1 else ""
    return (
        f"{best.title} won: {100 * (away[0] - away[1]):.0f} points better than {plain.title} on {place} "
        f"({away[1]:.2f} to {away[0]:.2f}). It {price} ({home[1]:.2f} to {home[0]:.2f}){longer}."
    )


def _by_probes(results: Results, plain: Recipe) -> Iterator[str]:
    modality = plain.first.modality
    side = TITLES.get(modality, modality)
    if plain.probe("gain").value < GAIN:
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


def _away(recipe: Recipe, test: str) -> float:
    """Return the accuracy on the set ``test``; without one, what is left under the worst physical change."""
    return recipe.accuracy(test).value if test else recipe.accuracy(HOME).value - recipe.probe("shift").value
