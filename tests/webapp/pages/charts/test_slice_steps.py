"""The figure of slices says what the table says."""

from __future__ import annotations

import json

import pytest

from core.result import Row
from webapp.pages.charts.slice_steps import slices

ROWS = [
    Row("ours", "Ours", {"consistency": (0.9, 1.0, 1.1)}),
    Row("slicewise", "Slice by slice", {"consistency": (0.8, None, 2.0)}),
    Row("flat", "Flat", {"consistency": (None, None, None)}),
]


def test_every_method_has_a_mark_for_each_axis() -> None:
    chart = slices(ROWS)
    assert chart is not None and chart.figure is not None
    made = json.loads(chart.figure.to_json())
    across = [trace["x"] for trace in made["data"]]
    assert across == [[0.9, 0.8], [1.0, None], [1.1, 2.0]]
    assert {tuple(trace["y"]) for trace in made["data"]} == {("Ours", "Slice by slice")}
    # told apart without colours
    assert len({trace["marker"]["symbol"] for trace in made["data"]}) == 3
    line = made["layout"]["shapes"][0]
    assert (line["x0"], line["x1"]) == (1, 1)


@pytest.mark.parametrize("rows", [[], ROWS[:1], [ROWS[0], ROWS[2]], [ROWS[0], Row("old", "Old")]])
def test_one_method_alone_has_no_figure(rows: list[Row]) -> None:
    assert slices(rows) is None
