"""All views of a run, in the order in which they are read: what the page and the exported file show."""

from __future__ import annotations

from collections.abc import Sequence

from core.failure.results import Model, Results
from webapp.pages.charts import captions, model_accuracy, model_shift, score_curves, wavenumbers
from webapp.pages.charts.figure import Chart
from webapp.pages.kit.view_place import Section
from webapp.pages.lab import gallery, result_boxes

# name of a view -> the tab it stands in; several views of one tab stand one below the other
VIEWS = {
    "verdict": "Verdict",
    "bars": "Verdict",
    "leaks": "Verdict",
    "score": "One number",
    "swap": "Swap",
    "pattern": "Bands",
    "separation": "Bands",
    "needed": "Bands",
    "attribution": "Bands",
    "robustness": "Robustness",
    "calibration": "Calibration",
    "remedies": "Remedies",
    "tissue": "Tissue",
    "probes": "Probes",
    "limits": "Limits",
}
DRAWN = (
    "bars",
    "leaks",
    "score",
    "swap",
    "pattern",
    "separation",
    "needed",
    "attribution",
    "robustness",
    "calibration",
)
"""Views with a figure."""
REMEDIES_SENTENCE = (
    "A remedy helps where the gap closes and accuracy at home stays; press a column's head to sort. Another shortcut "
    "may need another remedy."
)
TABS = tuple(dict.fromkeys(VIEWS.values()))


def choices(results: Results) -> list[tuple[str, str]]:
    """Return (title, name) of every model that can be looked at."""
    return [(each.title, each.name) for each in model_accuracy.recipes(results)]


def usual(results: Results) -> tuple[str, str]:
    """Return the models to look at first, plain IR and plain RGB, or what there is; "" for none beside."""
    names = [name for _, name in choices(results)]
    first = next((name for name in ("ir-erm", *names) if name in names), "")
    beside = next((name for name in ("rgb-erm", *names) if name in names and name != first), "")
    return first, beside


def sections(results: Results, look: str, beside: str) -> dict[str, Section]:
    """Return every view of ``results``; look, beside: names of the models that the views of single models show."""
    found = {each.name: each.first for each in model_accuracy.recipes(results)}
    models = [found[name] for name in dict.fromkeys((look, beside)) if name in found]
    classes = results.data.classes
    one: Sequence[Model] = models[:1]
    made = {
        "verdict": Section(result_boxes.verdicts(results)),
        "bars": _of(model_accuracy.bars(results)),
        "leaks": _of(model_accuracy.leaks(results.leakage)),
        "score": _of(score_curves.one_number(models, classes)),
        "swap": _of(model_accuracy.swap(results)),
        "pattern": _of(wavenumbers.pattern(results.bands, classes)),
        "separation": _of(wavenumbers.separation(results.prior)),
        "needed": _of(next((chart for model in models if (chart := wavenumbers.needed(model))), None)),
        "attribution": _of(next((wavenumbers.attribution(model, results.bands, classes) for model in one), None)),
        "robustness": _of(model_shift.robustness(models)),
        "calibration": _of(score_curves.calibration(models)),
        "remedies": Section(result_boxes.remedies(results, "Remedies", REMEDIES_SENTENCE)),
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
