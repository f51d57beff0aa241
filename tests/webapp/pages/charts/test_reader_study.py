"""Every figure of a reader study says what its table says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.measure.findings import EVERYONE, Results
from tests.webapp.pages.study_results import GROUP, UNKNOWN, results
from tests.webapp.study.simulated import collected
from webapp.pages.charts import reader_study
from webapp.pages.charts.figure import Chart

MAKERS: tuple[Callable[[Results], Chart], ...] = (
    reader_study.completion,
    reader_study.accuracy,
    reader_study.fooling,
    reader_study.pairs,
    reader_study.ranking,
    reader_study.marks,
    reader_study.agreement,
    reader_study.correlation,
)
EMPTY = replace(
    results(), people=(), detections=(), fooling=(), pairs=(), strengths=(), marks=(), agreements=(), correlations=()
)


def drawn(chart: Chart) -> list[dict[str, Any]]:
    """Return the traces of a chart as the browser gets them."""
    assert chart.figure is not None
    assert chart.table is not None
    assert chart.table.rows
    assert {len(row) for row in chart.table.rows} == {len(chart.table.head)}
    traces: list[dict[str, Any]] = json.loads(chart.figure.to_json())["data"]
    return traces


@pytest.mark.parametrize("maker", MAKERS)
def test_every_figure_has_a_table(maker: Callable[[Results], Chart]) -> None:
    assert drawn(maker(results()))


@pytest.mark.parametrize("maker", MAKERS)
def test_a_figure_without_numbers_says_why(maker: Callable[[Results], Chart]) -> None:
    chart = maker(EMPTY)
    assert chart.figure is None
    assert chart.table is None
    assert chart.sentence.endswith(".")


def test_completion_is_done_and_left_of_all() -> None:
    done, left = drawn(reader_study.completion(results()))
    assert (done["x"], left["x"]) == ([70, 0], [0, 70])


def test_accuracy_is_shown_for_all_then_groups_then_raters() -> None:
    chart = reader_study.accuracy(results())
    assert [trace["x"] for trace in drawn(chart)] == [[0.58], [0.65, 0.5], [0.65]]
    assert chart.figure is not None and chart.table is not None
    assert chart.figure.layout.shapes[0].x0 == 0.5
    assert [row[0] for row in chart.table.rows] == [EVERYONE, GROUP, "resident", "R01"]
    assert chart.table.rows[0][3:6] == ("0.580 (0.520 to 0.640)", "0.580 (0.500 to 0.660)", "0.010")


def test_real_images_are_told_from_synthetic_ones() -> None:
    real, synthetic = drawn(reader_study.fooling(results()))
    assert (real["text"], synthetic["text"]) == (["scanner"], ["diffusion"])
    assert real["marker"]["symbol"] != synthetic["marker"]["symbol"]


def test_methods_stand_by_rank() -> None:
    (trace,) = drawn(reader_study.ranking(results()))
    assert trace["text"] == ["1. diffusion", "2. repaint", "3. biharmonic"]
    assert trace["x"] == [1.2, 0.2, -1.4]


def test_agreement_leaves_out_what_is_not_known() -> None:
    traces = {trace["name"]: trace for trace in drawn(reader_study.agreement(results()))}
    assert traces["ICC(2,1)"]["text"] == ["Anatomy"]
    assert traces["Fleiss’ κ"]["text"] == ["Is this scan real?"]
    silent = replace(results().agreements[0], alpha=UNKNOWN, kappa=UNKNOWN, fleiss=UNKNOWN, again=UNKNOWN)
    assert reader_study.agreement(replace(results(), agreements=(silent,))).figure is None


def test_measures_are_rows_and_questions_are_marks() -> None:
    (trace,) = drawn(reader_study.correlation(results()))
    assert (trace["text"], trace["x"]) == (["psnr", "lpips"], [0.3, -0.6])


def test_times_are_those_of_showings_after_training() -> None:
    study = collected(raters=1, items=8)
    answers = tuple(
        replace(answer, seconds=1000.0 if answer.use == "training" else float(index))
        for index, answer in enumerate(study.answers)
    )
    kept = [answer.seconds for answer in answers if answer.use != "training"]
    chart = reader_study.times(replace(study, answers=answers), results())
    (trace,) = drawn(chart)
    assert trace["median"] == [sorted(kept)[len(kept) // 2] if len(kept) % 2 else sum(kept) / len(kept)]
    assert trace["upperfence"][0] < 1000
    # the other rater has not answered
    assert chart.table is not None
    assert [row[0] for row in chart.table.rows] == ["R01"]


def test_without_answers_there_are_no_times() -> None:
    chart = reader_study.times(replace(collected(raters=1, items=4), answers=()), results())
    assert chart.figure is None


def test_a_small_chance_is_not_called_zero() -> None:
    assert reader_study.chance(0.0) == "under 0.001"
    assert reader_study.chance(0.0312) == "0.031"
