"""The report says everything, in order, and no text of a study runs in it."""

from __future__ import annotations

import re
from dataclasses import replace

from core.measure.answers import Collected
from core.measure.findings import Results
from tests.webapp.pages.study_results import results
from tests.webapp.study.simulated import collected
from webapp.pages.study.results_page import page, views

HOSTILE = "<img src=x onerror=alert(1)>"
FOUND = results()


def body(study: Collected, found: Results) -> str:
    """Return the page without the code of its plots."""
    return page(study, found).partition("<body")[2]


def test_the_parts_stand_in_reading_order() -> None:
    heads = re.findall("<h2>([^<]*)</h2>", body(collected(), FOUND))
    assert heads == [
        "What was found", "Raters", "Real or synthetic", "Preference", "Scales", "Marks", "Agreement",
        "Measures and ratings", "Reading time", "What could not be computed or needs care", "How it was computed",
    ]  # fmt: skip


def test_every_figure_is_in_the_page_with_its_table() -> None:
    text = body(collected(), FOUND)
    shown = [chart for view in views(collected(), FOUND) for chart in view.charts]
    assert text.count('class="cs-figure"') == len([chart for chart in shown if chart.figure is not None]) == 11
    assert re.findall('data-twin="([^"]*)"', text) == [chart.name for chart in shown if chart.table is not None]


def test_the_page_says_what_it_is_and_how_it_was_made() -> None:
    text = body(collected(), FOUND)
    assert "Research use only, not for diagnosis. Raters are anonymous." in text
    assert "No item was answered by three raters." in text
    assert "Bootstraps have 1000 resamples and begin with seed 0." in text
    assert "Bradley and Terry 1952" in text


def test_a_report_with_the_names_of_raters_does_not_call_them_anonymous() -> None:
    study = collected()
    named = replace(study, raters=(replace(study.raters[0], name="Dr Grey"), *study.raters[1:]))
    text = body(named, FOUND)
    assert "Raters are anonymous" not in text
    assert "Raters are named" in text


def test_what_was_not_asked_is_left_out() -> None:
    few = replace(FOUND, detections=(), pairs=(), scales=(), marks=(), correlations=(), notes=())
    heads = re.findall("<h2>([^<]*)</h2>", body(collected(), few))
    assert heads == ["What was found", "Raters", "Agreement", "Reading time", "How it was computed"]


def test_no_text_of_a_study_becomes_html() -> None:
    study = replace(collected(raters=1, items=4), title=HOSTILE)
    found = replace(
        FOUND,
        title=HOSTILE,
        people=tuple(replace(one, name=study.raters[0].name, group=HOSTILE) for one in FOUND.people[:1]),
        detections=tuple(replace(one, who=HOSTILE) for one in FOUND.detections),
        fooling=tuple(replace(one, method=HOSTILE) for one in FOUND.fooling),
        pairs=tuple(replace(one, method=HOSTILE) for one in FOUND.pairs),
        strengths=tuple(replace(one, method=HOSTILE) for one in FOUND.strengths),
        scales=tuple(replace(one, question=HOSTILE, title=HOSTILE, low=HOSTILE) for one in FOUND.scales),
        agreements=tuple(replace(one, title=HOSTILE) for one in FOUND.agreements),
        correlations=tuple(replace(one, title=HOSTILE, measure=HOSTILE) for one in FOUND.correlations),
        marks=tuple(replace(one, method=HOSTILE) for one in FOUND.marks),
        notes=(HOSTILE,),
    )
    text = page(study, found)
    assert HOSTILE not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
