"""Every figure says what its table says."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.failure.recipe_means import recipes
from core.failure.results import Diagnostic, Line
from core.failure.titles import band_axis
from core.measure.intervals import Interval
from core.report.lab.result_plots import band_runs
from tests.webapp.pages.lab_results import CLASSES, diagnostics, leak, model, results
from webapp.pages.charts import model_accuracy, model_shift, score_curves, wavenumbers
from webapp.pages.charts.figure import Chart, errors, opaque, worded


def drawn(chart: Chart | None) -> list[dict[str, Any]]:
    """Return the traces of a chart as the browser gets them."""
    assert chart is not None
    assert chart.figure is not None
    assert chart.table is not None
    assert chart.table.rows
    assert {len(row) for row in chart.table.rows} == {len(chart.table.head)}
    assert "cdn" not in chart.figure.to_json()
    traces: list[dict[str, Any]] = json.loads(chart.figure.to_json())["data"]
    return traces


def test_bars_stand_at_the_mean_of_the_seeds_with_their_bounds() -> None:
    chart = model_accuracy.bars(results())
    traces = drawn(chart)
    assert [trace["name"] for trace in traces] == ["In distribution", "External slides", "Shortcut at random"]
    home = traces[0]
    assert home["x"] == pytest.approx([0.97, 0.9])
    bounds = home["error_x"]
    # from the lowest to the highest bound of a seed
    assert bounds["array"] == pytest.approx([0.02, 0.07])
    assert bounds["arrayminus"] == pytest.approx([0.03, 0.08])
    assert chart.figure is not None and chart.figure.layout.shapes[0].x0 == 0.4
    # told apart without colours
    shapes = [trace["marker"]["pattern"]["shape"] for trace in traces]
    assert len(set(shapes)) == 3
    table = chart.table
    assert table is not None
    assert table.rows[1][1] == "0.900 (0.820 to 0.970)"
    assert table.rows[2] == ("One number (plain)", "0.700 (0.670 to 0.720)", None, None)
    assert table.rows[3] == ("Always the commonest class", 0.4, None, None)


def test_the_interval_over_seeds_and_groups_stands_where_it_was_measured() -> None:
    found = replace(results(), accuracies={"ir-erm": {"id": Interval(0.9, 0.7, 0.95)}})
    table = model_accuracy.bars(found).table
    assert table is not None and table.rows[1][1] == "0.900 (0.700 to 0.950)"
    assert recipes(found)[1].accuracy("external").value == pytest.approx(0.65)


def test_a_probe_that_was_not_asked_has_no_bar() -> None:
    found = results()
    silent = replace(found, models=tuple(replace(each, diagnostics=()) for each in found.models))
    chart = model_accuracy.swap(silent)
    assert chart.figure is None
    assert "not run" in chart.sentence


def test_swapped_answers_go_to_the_donor_stay_or_go_elsewhere() -> None:
    traces = drawn(model_accuracy.swap(results()))
    assert np.sum([trace["x"] for trace in traces], axis=0) == pytest.approx([1.0, 1.0])


def test_the_curve_over_the_score_is_the_mean_of_its_patches() -> None:
    one = model("ir-erm", "IR", "ir")
    at, means = score_curves.binned(np.array(one.score), np.array(one.probabilities))
    assert (np.diff(at) > 0).all()
    assert means.sum(axis=1) == pytest.approx(np.ones(20))
    lines = [trace for trace in drawn(score_curves.one_number([one], CLASSES)) if trace["mode"] == "lines"]
    assert len(lines) == len(CLASSES)
    assert lines[0]["y"] == pytest.approx(means[:, 0], abs=1e-3)
    assert len({line["line"]["dash"] for line in lines}) == len(CLASSES)


def test_few_patches_are_not_drawn_along_a_number() -> None:
    few = replace(model("a", "A", "ir"), score=(0.1, 0.2), probabilities=((1.0, 0.0, 0.0),) * 2)
    assert score_curves.one_number([few], CLASSES).figure is None


def test_calibration_shows_every_set_against_the_diagonal() -> None:
    chart = score_curves.calibration([model("a", "A", "ir"), model("b", "B", "rgb")])
    assert len(drawn(chart)) == 2 * (1 + 3)
    assert "elsewhere" in chart.warning


def test_robustness_warns_of_noise_and_lists_every_severity() -> None:
    chart = model_shift.robustness([model("a", "A", "ir")])
    traces = drawn(chart)
    assert "no sign of health" in chart.warning
    assert {trace["name"] for trace in traces} == {"Noise", "Thicker section"}
    assert chart.table is not None
    assert chart.table.head[3:6] == ("Severity 0", "Severity 1", "Severity 3")
    thick = next(row for row in chart.table.rows if row[1] == "Thicker section")
    assert thick[2:6] == ("physical", 0.95, 0.6, 0.4)
    assert thick[6] == pytest.approx(0.3)


def test_lines_do_not_bridge_a_wide_gap_between_bands() -> None:
    assert band_runs([2924, 2852, 1782, 1752, 1722, 1692]) == [slice(0, 2), slice(2, 6)]
    assert band_runs([1000]) == [slice(0, 1)]


def test_spectra_run_from_high_to_low_wavenumbers() -> None:
    chart = wavenumbers.pattern(results().bands, CLASSES, band_axis("infrared"))
    assert len(drawn(chart)) >= len(CLASSES) + 1
    assert chart.figure is not None
    assert chart.figure.layout.xaxis.autorange == "reversed"
    assert wavenumbers.pattern((), CLASSES, band_axis("infrared")).figure is None


def test_shifts_run_from_low_to_high_and_are_not_called_absorbance() -> None:
    chart = wavenumbers.pattern(results().bands, CLASSES, band_axis("raman"))
    assert chart.figure is not None and chart.table is not None
    layout = chart.figure.layout
    assert layout.xaxis.autorange is True and layout.xaxis2.title.text == "Raman shift, cm⁻¹"
    assert layout.yaxis.title.text == "relative counts" and chart.table.caption == "Relative counts"


def test_bands_are_drawn_in_the_order_in_which_they_are_kept() -> None:
    lines = (
        Line("accuracy", (1.0, 2.0), (0.5, 0.9), "bands", "accuracy"),
        Line("order", (1.0, 2.0), (1655.0, 1085.0), "choice", "wavenumber"),
    )
    single = Line("permuted", (1655.0, 1085.0), (0.1, 0.2), "wavenumber", "lost")
    asked = (
        Diagnostic("D7", "bands", "Bands", Interval(2.0), False, "", {}, lines),
        Diagnostic("D9", "occlusion", "Single bands", Interval(0.2), False, "", {}, (single,)),
    )
    chart = wavenumbers.needed(replace(model("a", "A", "ir"), diagnostics=asked), band_axis("infrared"))
    assert len(drawn(chart)) == 2
    assert chart is not None
    assert chart.table is not None
    assert chart.table.rows == ((1.0, 1655.0), (2.0, 1085.0))
    assert wavenumbers.needed(replace(model("a", "A", "ir"), diagnostics=diagnostics()), band_axis("infrared")) is None


def test_attribution_names_the_strongest_bands() -> None:
    chart = wavenumbers.attribution(model("a", "A", "ir"), results().bands, CLASSES, band_axis("infrared"))
    drawn(chart)
    assert chart is not None
    assert chart.table is not None
    assert chart.table.rows[0] == ("7", CLASSES[0], "stroma", "2924 (against)", "1085 (for)", "1655 (against)")


def test_leaking_patients_are_shown_beside_the_commonest_class() -> None:
    traces = drawn(model_accuracy.leaks([leak()]))
    assert [trace["x"] for trace in traces] == [[0.9], [0.6]]
    assert model_accuracy.leaks([]) is None


@pytest.mark.parametrize("before", ["", "Accuracy that comes from knowing the patient: "])
def test_every_classifier_that_leaks_has_a_row_of_its_own(before: str) -> None:
    titles = ("Nearest spectrum", "Linear discriminant, all bands", "One number of the spectrum")
    chart = model_accuracy.leaks([replace(leak(), title=before + title) for title in titles])
    assert chart is not None and chart.table is not None
    assert [row[0] for row in chart.table.rows] == list(titles)
    assert [trace["y"] for trace in drawn(chart)] == [list(titles)] * 2


def test_an_unknown_bound_is_no_bar_and_no_word() -> None:
    assert errors([Interval(0.5)])["array"] == [0.0]
    assert worded(Interval(0.5)) == "0.500"
    assert worded(Interval(math.nan)) == "–"
    assert opaque("#0a0b0c", 0.5) == "rgba(10,11,12,0.5)"
