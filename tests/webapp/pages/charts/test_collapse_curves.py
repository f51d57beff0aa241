from __future__ import annotations

from dataclasses import replace

from core.failure.results import Diagnostic, Line
from tests.webapp.pages.charts.test_figure import drawn
from tests.webapp.pages.lab_results import figure, model
from webapp.pages.charts import collapse_curves

EPOCHS = (1.0, 2.0)
HISTORY = tuple(
    Line(name, EPOCHS, values)
    for name, values in (("accuracy", (0.4, 0.9)), ("one_number", (0.8, 0.3)), ("within", (0.6, float("nan"))))
)
NUMBERS = Diagnostic(
    "D3k", "few_numbers", "Numbers", figure(0.6), False, "",
    {"one": figure(0.2), "two": figure(0.5), "three": figure(0.6), "swap_one": figure(0.1)},
    (Line("explained", (1.0, 2.0, 3.0), (0.2, 0.5, 0.6)), Line("swap", (1.0, 2.0, 3.0), (0.1, 0.2, 0.3))),
)  # fmt: skip
ABSTENTION = Diagnostic(
    "D17", "abstention", "Knows", figure(0.7), False, "", {"area conflict": figure(0.7), "kept conflict": figure(0.4)},
    (Line("id", (0.5, 1.0), (1.0, 0.9)), Line("conflict", (0.5, 1.0), (0.8, 0.5))),
)  # fmt: skip
ONE, OTHER = (
    replace(model(name, name, side), history=HISTORY, diagnostics=(NUMBERS, ABSTENTION))
    for name, side in (("IR", "ir"), ("RGB", "rgb"))
)


def test_collapse_is_drawn_epoch_by_epoch_for_each_side() -> None:
    chart = collapse_curves.history([ONE, OTHER])
    assert chart is not None and chart.table is not None
    assert [trace["y"] for trace in drawn(chart)][:2] == [[0.4, 0.9], [0.8, 0.3]]
    assert chart.table.rows[1][:4] == ("IR", 2, 0.9, 0.3) and len(chart.table.rows) == 4
    # told apart without colours, and named once
    assert len({trace["line"]["dash"] for trace in drawn(chart)}) == 3
    assert sum(trace["showlegend"] for trace in drawn(chart)) == 3


def test_two_and_three_numbers_stand_beside_one() -> None:
    chart = collapse_curves.numbers([ONE])
    assert chart is not None and chart.table is not None
    assert chart.table.head == (
        "Model", "one number", "two numbers", "three numbers", "follows one", "follows two", "follows three",
    )  # fmt: skip
    assert chart.table.rows[0][2].startswith("0.500") and chart.table.rows[0][5] is None  # type: ignore[union-attr]


def test_what_a_model_answers_away_from_home_is_in_the_table() -> None:
    chart = collapse_curves.abstention([ONE])
    assert chart is not None and chart.table is not None
    away = chart.table.rows[1]
    assert away[1] == "Shortcut at random" and away[2].startswith("0.700") and away[-1] == 0.5  # type: ignore[union-attr]


def test_the_gap_of_a_planted_confounder_has_a_column_for_each_share() -> None:
    lines = tuple(Line(name, (0.0, 1.0), values) for name, values in (("aligned", (0.6, 0.9)), ("random", (0.6, 0.4))))
    swept = Diagnostic(
        "D18", "ir-erm", "Plain", figure(0.25), False, "", {"gap_0%": figure(0.0), "gap_100%": figure(0.5)}, lines
    )
    chart = collapse_curves.contamination([swept])
    assert chart is not None and chart.table is not None and collapse_curves.contamination([]) is None
    assert chart.table.head == ("Model", "Sensitivity", "0%", "100%")
    assert chart.table.rows[0][3].startswith("0.500")  # type: ignore[union-attr]
    assert [trace["name"] for trace in drawn(chart)] == ["Confounder of the class", "Confounder at random"]


def test_runs_of_earlier_versions_have_no_such_figures() -> None:
    earlier = model("IR", "IR", "ir")
    assert [
        make([earlier]) for make in (collapse_curves.history, collapse_curves.numbers, collapse_curves.abstention)
    ] == [None] * 3
