"""All views of a run, in the order in which they are read: what the page and the exported file show."""

from __future__ import annotations

from collections.abc import Sequence

from core.failure.advice import advise
from core.failure.recipe_means import recipes
from core.failure.results import Model, Results
from core.failure.titles import band_axis
from webapp.pages.charts import captions, collapse_curves, model_accuracy, model_shift, score_curves, wavenumbers
from webapp.pages.charts.figure import Chart
from webapp.pages.kit.view_place import Section
from webapp.pages.lab import gallery, result_boxes

# name of a view -> the tab it stands in; several views of one tab stand one below the other
VIEWS = {
    "verdict": "Verdict",
    "bars": "Verdict",
    "leaks": "Verdict",
    "score": "One number",
    "history": "One number",
    "numbers": "One number",
    "swap": "Swap",
    "pattern": "Bands",
    "separation": "Bands",
    "needed": "Bands",
    "attribution": "Bands",
    "robustness": "Robustness",
    "contamination": "Robustness",
    "calibration": "Calibration",
    "abstention": "Calibration",
    "remedies": "Remedies",
    "tissue": "Tissue",
    "probes": "Probes",
    "limits": "Limits",
}
DRAWN = (
    "bars",
    "leaks",
    "score",
    "history",
    "numbers",
    "swap",
    "pattern",
    "separation",
    "needed",
    "attribution",
    "robustness",
    "contamination",
    "calibration",
    "abstention",
)
"""Views with a figure."""
REMEDIES_SENTENCE = (
    "A remedy helps where accuracy away from home rises and that at home stays; press a column's head to sort. Another "
    "shortcut may need another remedy."
)
TABS = tuple(dict.fromkeys(VIEWS.values()))


def choices(results: Results) -> list[tuple[str, str]]:
    """Return (title, name) of every model that can be looked at."""
    return [(each.title, each.name) for each in recipes(results)]


def sections(results: Results, look: str, beside: str) -> dict[str, Section]:
    """Return every view of ``results``; look, beside: names of the models that the views of single models show."""
    found = {each.name: each.first for each in recipes(results)}
    models = [found[name] for name in dict.fromkeys((look, beside)) if name in found]
    classes, words = results.data.classes, band_axis(results.data.technique)
    one: Sequence[Model] = models[:1]
    made = {
        "verdict": Section(result_boxes.verdicts(results)),
        "bars": _of(model_accuracy.bars(results)),
        "leaks": _of(model_accuracy.leaks(results.leakage)),
        "score": _of(score_curves.one_number(models, classes)),
        "history": _of(collapse_curves.history(models)),
        "numbers": _of(collapse_curves.numbers(models)),
        "swap": _of(model_accuracy.swap(results)),
        "pattern": _of(wavenumbers.pattern(results.bands, classes, words)),
        "separation": _of(wavenumbers.separation(results.prior, words)),
        "needed": _of(next((chart for model in models if (chart := wavenumbers.needed(model, words))), None)),
        "attribution": _of(
            next((wavenumbers.attribution(model, results.bands, classes, words) for model in one), None)
        ),
        "robustness": _of(model_shift.robustness(models)),
        "contamination": _of(collapse_curves.contamination(results.contamination)),
        "calibration": _of(score_curves.calibration(models)),
        "abstention": _of(collapse_curves.abstention(models)),
        "remedies": Section(result_boxes.remedies(results, "Remedies", REMEDIES_SENTENCE, advise(results))),
        "tissue": Section(gallery.gallery(results, models)),
        "probes": Section(result_boxes.probes(models, results)),
        "limits": Section(result_boxes.limits(results)),
    }
    return {name: made[name] for name in VIEWS}


def comparison(title: str, other: Results) -> dict[str, Section]:
    """Return the verdict and the bars of another run, to stand beside those of this one."""
    return {
        "verdict": Section(result_boxes.verdicts(other, title)),
        "bars": _of(model_accuracy.bars(other, "Accuracy at home and away, the other run")),
        "remedies": Section(result_boxes.remedies(other, "Remedies, the other run")),
    }


def _of(chart: Chart | None) -> Section:
    if chart is None:
        return Section()
    return Section(captions.head(chart), chart.figure, captions.twin(chart))
