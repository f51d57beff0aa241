"""The figure of slices says what the table says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from webapp.pages.charts.slice_steps import slices

ROWS: list[dict[str, Any]] = [
    {"title": "Ours", "consistency": [0.9, 1.0, 1.1]},
    {"title": "Slice by slice", "consistency": [0.8, None, 2.0]},
    {"title": "Flat", "consistency": [None, None, None]},
]


def test_every_method_has_a_mark_for_each_axis() -> None:
    chart = slices({"table": ROWS})
    assert chart is not None and chart.figure is not None
    made = json.loads(chart.figure.to_json())
    across = [trace["x"] for trace in made["data"]]
    assert across == [[0.9, 0.8], [1.0, None], [1.1, 2.0]]
    assert {tuple(trace["y"]) for trace in made["data"]} == {("Ours", "Slice by slice")}
    # told apart without colours
    assert len({trace["marker"]["symbol"] for trace in made["data"]}) == 3
    line = made["layout"]["shapes"][0]
    assert (line["x0"], line["x1"]) == (1, 1)


@pytest.mark.parametrize("rows", [[], ROWS[:1], [ROWS[0], ROWS[2]], [ROWS[0], {"title": "Old"}]])
def test_one_method_alone_has_no_figure(rows: list[dict[str, Any]]) -> None:
    assert slices({"table": rows}) is None
