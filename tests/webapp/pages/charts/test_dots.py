"""Marks stand at their numbers, in the row of their name; what is not known is not drawn."""

from __future__ import annotations

import json
from typing import Any

import plotly.graph_objects as go

from tests.webapp.pages.study_results import UNKNOWN, estimate
from webapp.pages.charts.dots import Series, dots, label


def traces(figure: go.Figure) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(figure.to_json())["data"]
    return found


def test_a_mark_stands_at_its_number_with_its_bounds() -> None:
    (trace,) = traces(dots(["a", "b"], [Series("one", {0: estimate(0.4), 1: UNKNOWN})], "share", 0.5))
    assert (trace["x"], trace["y"]) == ([0.4], [0])
    assert trace["error_x"]["array"] == [0.5 - 0.4]
    assert trace["error_x"]["arrayminus"] == [0.4 - (0.4 - 0.1)]
    assert trace["text"] == ["a"]


def test_marks_of_one_row_stand_apart_and_in_their_row() -> None:
    series = [Series(name, {0: estimate(0.4), 1: estimate(0.6)}) for name in "abc"]
    found = traces(dots(["x", "y"], series, "share", None))
    first = [trace["y"][0] for trace in found]
    assert first == sorted(set(first))
    assert max(map(abs, first)) < 0.5
    # told apart without colours
    assert len({trace["marker"]["symbol"] for trace in found}) == 3


def test_series_that_share_no_row_stand_on_their_rows() -> None:
    series = [Series("a", {0: estimate(0.4)}), Series("b", {1: estimate(0.6)})]
    assert [trace["y"] for trace in traces(dots(["x", "y"], series, "share", None))] == [[0], [1]]


def test_two_rows_of_one_name_stay_two() -> None:
    figure = dots(["x", "x"], [Series("a", {0: estimate(0.4), 1: estimate(0.6)})], "share", None)
    axis = json.loads(figure.to_json())["layout"]["yaxis"]
    assert (axis["tickvals"], axis["ticktext"]) == ([0, 1], ["x", "x"])


def test_a_label_is_written_letter_by_letter_in_short_lines() -> None:
    assert label("<b>bold</b>") == "&lt;b&gt;bold&lt;/b&gt;"
    assert label("neuroradiologist, 5 to 10 years") == "neuroradiologist, 5<br>to 10 years"
    assert label("") == "–"
