"""The bars of a scale grow from its middle, low answers to the left."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.webapp.pages.study_results import scale
from webapp.pages.charts.likert import likert


def bars(levels: int) -> list[dict[str, Any]]:
    chart = likert(scale(levels))
    assert chart.figure is not None
    found: list[dict[str, Any]] = json.loads(chart.figure.to_json())["data"]
    return found


@pytest.mark.parametrize("levels", [2, 3, 4, 5, 7, 10])
def test_all_answers_are_drawn_once(levels: int) -> None:
    assert sum(abs(bar["x"][0]) for bar in bars(levels)) == pytest.approx(1)
    shown = [bar["name"] for bar in bars(levels) if bar["showlegend"]]
    assert sorted(shown, key=int) == [str(level) for level in range(1, levels + 1)]


def test_low_answers_are_left_high_ones_right_and_the_middle_is_split() -> None:
    # answers 1 to 5, of which each has as many as its number
    found = [(bar["name"], round(15 * bar["x"][0], 9)) for bar in bars(5)]
    assert found == [("3", -1.5), ("3", 1.5), ("2", -2.0), ("1", -1.0), ("4", 4.0), ("5", 5.0)]


def test_levels_differ_in_colour() -> None:
    assert len({bar["marker"]["color"] for bar in bars(7)}) == 7


def test_the_table_counts_every_level() -> None:
    table = likert(scale(4)).table
    assert table is not None
    assert table.head == ("Method", "Answers", "1: bad", "2", "3", "4: good", "Mean", "Median")
    assert table.rows == (("diffusion", 10, 1, 2, 3, 4, "3.50 (3.40 to 3.60)", "4.0"),)


def test_a_scale_that_nobody_answered_has_no_figure() -> None:
    found = scale(5)
    chart = likert(replace(found, methods=found.methods[1:]))
    assert chart.figure is None
    assert "Nobody" in chart.sentence
