"""The results of a reader study as one HTML page that opens without a network: summary, figures, methods."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from markupsafe import Markup

from core.measure.answers import Collected
from core.measure.findings import Results
from webapp.pages.charts import reader_study as charts
from webapp.pages.charts.captions import head, twin
from webapp.pages.charts.figure import Chart
from webapp.pages.charts.likert import likert
from webapp.pages.kit.boxes import notes
from webapp.pages.kit.offline import document, drawn, section
from webapp.pages.kit.templates import joined, piece
from webapp.pages.study.sentences import METHODS, summary

SUBJECT = "Reader study. Research use only, not for diagnosis."
# names of raters without their labels
ANONYMOUS = re.compile(r"R\d+")


@dataclass(frozen=True, eq=False)
class View:
    """One section of the results with its figures."""

    title: str
    charts: tuple[Chart, ...]


def page(collected: Collected, results: Results) -> str:
    """Return the whole report as HTML."""
    shown = (section(view.title, joined(map(_chart, view.charts))) for view in views(collected, results))
    missing = [section("What could not be computed or needs care", notes(results.notes))] if results.notes else []
    how = (*METHODS, f"Bootstraps have {results.resamples} resamples and begin with seed {results.seed}.")
    found = section("What was found", _lines(summary(results), "cs-lines cs-found"))
    body = joined((found, *shown, *missing, section("How it was computed", _lines(how))))
    hidden = all(ANONYMOUS.fullmatch(rater.name) for rater in collected.raters)
    who = "Raters are anonymous." if hidden else "Raters are named: do not pass this on without their consent."
    return document(results.title or "Reader study", f"{SUBJECT} {who}", body)


def views(collected: Collected, results: Results) -> tuple[View, ...]:
    """Return the sections in reading order; those of questions that the study does not have are left out."""
    parts: tuple[tuple[str, object, Callable[[], tuple[Chart, ...]]], ...] = (
        ("Raters", True, lambda: (charts.completion(results),)),
        ("Real or synthetic", results.detections, lambda: (charts.accuracy(results), charts.fooling(results))),
        ("Preference", results.pairs, lambda: (charts.pairs(results), charts.ranking(results))),
        ("Scales", results.scales, lambda: tuple(map(likert, results.scales))),
        ("Marks", results.marks, lambda: (charts.marks(results),)),
        ("Agreement", True, lambda: (charts.agreement(results),)),
        ("Measures and ratings", results.correlations, lambda: (charts.correlation(results),)),
        ("Reading time", True, lambda: (charts.times(collected, results),)),
    )
    return tuple(View(title, make()) for title, asked, make in parts if asked)


def _chart(chart: Chart) -> Markup:
    return joined((head(chart), drawn(chart.figure), twin(chart)))


def _lines(lines: Iterable[str], classes: str = "cs-lines") -> Markup:
    return piece("boxes", "lines", lines=tuple(lines), classes=classes)
