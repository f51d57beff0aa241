"""What the failure lab shows beside its figures: verdicts, remedies, probes, what was examined."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from core.failure.corruptions.shift_words import figure_title
from core.failure.recipe_means import Recipe, recipes, tests_of
from core.failure.results import Data, Diagnostic, Gap, Model, Results, Shallow, Verdict
from core.failure.titles import set_title
from core.measure.intervals import Interval
from webapp.pages.charts.captions import table
from webapp.pages.charts.figure import Cell, Table, worded
from webapp.pages.kit.boxes import notes
from webapp.pages.kit.templates import EMPTY, joined, piece
from webapp.pages.kit.text import number

NEVER = (
    "No verdict here says that a model is safe, and nothing here is for clinical use: probes can miss a failure, and "
    "what was not tested is not known."
)
SHORT_SIDES = {"data": "Data", "rgb": "RGB", "ir": "IR"}
LEVELS = {"red": "Red", "amber": "Amber", "none": "No failure found", "unlearnt": "Nothing learnt"}
MARKS = {"red": "✕", "amber": "!", "none": "–", "unlearnt": "∅"}


def verdicts(results: Results, title: str = "") -> Markup:
    """Return a card for each modality: level, sentence, reasons and what was not tested; never that a model is safe."""
    return piece(
        "lab",
        "verdicts",
        is_simulated=results.data.source == "simulated",
        subject=title or source(results.data),
        cards=[_verdict(side, found) for side, found in results.verdicts.items()],
        never=NEVER,
        paired=_paired(results.paired),
    )


def source(data: Data) -> str:
    """Return what was examined, in words."""
    if data.source == "simulated":
        return f"Simulated tissue: {data.tissue}"
    kinds = {
        "patches": "Patches of your file",
        "spectra": "Spectra of your file",
        "predictions": "Answers of your model",
    }
    return kinds.get(data.mode, data.mode)


# heading -> the diagnostic and its further figure, of the numbers that decide
DECIDING = {
    "One number": ("one_number", "within"),
    "Follows swap": ("swap", ""),
    "Shuffled": ("shuffle", "logits"),
    "Amount": ("shift", "amount"),
    "Worst shift": ("shift", ""),
    "ECE rise": ("calibration", ""),
    "Follows noise": ("noise_floor", ""),
    "Gain": ("gain", ""),
}


def remedies(results: Results, title: str, sentence: str = "", advice: Sequence[str] = ()) -> Markup:
    """Return every recipe and plain classifier with accuracies and the numbers that decide, below what to do next; the
    page's script sorts it by a click on a head."""
    tests = [test for test in tests_of(results) if test != "id"]
    columns = (
        "Recipe",
        set_title("id"),
        "Lower bound",
        *map(set_title, tests),
    )
    heads = (*columns, *DECIDING, "Verdict")
    rows = tuple(_recipe(each, tests) for each in recipes(results))
    plain = tuple(_plain(each, tests, len(heads)) for each in results.shallow)
    chance = f"; chance is {results.data.chance:.2f}" if math.isfinite(results.data.chance) else ""
    caption = f"Every recipe over its seeds, with the numbers that decide{chance}"
    found = table(Table(caption, heads, (*rows, *plain)))
    return piece("lab", "remedies", title=title, advice=advice, sentence=sentence, table=found)


def probes(models: Sequence[Model], results: Results) -> Markup:
    """Return every probe of the models and of the data, and whether it decides the verdict."""
    parts = [_probes(f"{model.title}", model.diagnostics) for model in models]
    if results.prior:
        parts.append(_probes("The data, before any model", results.prior))
    return joined(parts)


def limits(results: Results) -> Markup:
    """Return what was examined, how, what was not tested, and what every result must be read with."""
    data = results.data
    rows = {
        "Data": source(data),
        "Patches": ", ".join(f"{count} {set_title(name).lower()}" for name, count in data.counts.items()),
        "Patients or slides": str(data.groups) if data.groups else "not known",
        "Size": f"{data.size[0]} × {data.size[1]} pixels, {len(data.wavenumbers)} bands",
        "Classes": ", ".join(data.classes),
        **{name.capitalize(): value for name, value in results.settings.items() if value},
    }
    return piece(
        "lab",
        "limits",
        rows=piece("boxes", "rows", values=rows),
        notes=notes(data.notices),
        untested=tuple(dict.fromkeys(line for each in results.verdicts.values() for line in each.not_tested)),
        limits=results.limits,
    )


def _verdict(side: str, found: Verdict) -> Mapping[str, object]:
    level = found.level if found.level in LEVELS else "amber"
    return {
        "side": side,
        "level": level,
        "mark": MARKS[level],
        "title": f"{SHORT_SIDES.get(side, side)}: {LEVELS[level]}",
        "text": found.text,
        "reasons": found.reasons,
        "not_tested": found.not_tested,
    }


def _paired(gaps: Sequence[Gap]) -> Markup:
    if not gaps:
        return EMPTY
    rows = tuple(
        (set_title(each.name), each.first, each.second, worded(each.difference), _chance(each.p)) for each in gaps
    )
    heads = ("Patches", "First", "Second", "First minus second", "p (by patient or slide)")
    shown = table(Table("The same patches seen both ways: difference of accuracies with 95 % intervals", heads, rows))
    return piece("lab", "paired", table=shown)


def _chance(p: float) -> str:
    return "under 0.001" if p < 0.001 else number(p, 3)


def _recipe(each: Recipe, tests: Sequence[str]) -> tuple[Cell, ...]:
    home = each.accuracy("id")
    away = [each.accuracy(test).value for test in tests]
    verdict = each.first.verdict
    return (
        each.title,
        home.value,
        home.low,
        *away,
        *(each.probe(*probe).value for probe in DECIDING.values()),
        LEVELS.get(verdict.level, verdict.level) if verdict else "–",
    )


def _plain(each: Shallow, tests: Sequence[str], columns: int) -> tuple[Cell, ...]:
    home, nothing = each.accuracy["id"], Interval(math.nan)
    away = [each.accuracy.get(test, nothing).value for test in tests]
    found: list[Cell] = [f"{SHORT_SIDES[each.modality]}: {each.title} (plain)", home.value, home.low, *away]
    return (*found, *[None] * (columns - len(found) - 1), "–")


def _probes(title: str, found: Iterable[Diagnostic]) -> Markup:
    return piece("lab", "probes", title=title, rows=[_probe(each) for each in found])


def _probe(each: Diagnostic) -> Mapping[str, object]:
    further = [f"{figure_title(name)} {number(figure.value, 3)}" for name, figure in each.figures.items()]
    return {
        "code": each.code,
        "title": each.title,
        "value": worded(each.figure),
        "further": ", ".join(further),
        "decides": each.decides,
        "reason": each.reason.removeprefix("Decides: " if each.decides else "Not used for the verdict: "),
    }
