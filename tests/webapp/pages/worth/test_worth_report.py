"""What the page and the exported file show of an augmentation study: figures with their tables, nothing that bites."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.augment.worth_results import from_json, to_json
from core.errors import UserError
from tests.webapp.pages.worth_made_up import HOSTILE, results
from webapp.pages.charts import worth_figures
from webapp.pages.worth.worth_report import page
from webapp.pages.worth.worth_sections import DRAWN, TABS, VIEWS, sections


def test_every_view_has_something_and_every_figure_a_table_with_its_numbers() -> None:
    made = sections(results())
    assert made.keys() == VIEWS.keys()
    for name, section in made.items():
        assert section.above, name
        assert (section.figure is not None) == (name in DRAWN)
        assert bool(section.below) == (name in DRAWN)
    assert "0.40 (0.20 to 0.60)" in made["rates"].below and "80 (70 to 90)" in made["arms"].below


def test_the_exchange_rate_is_a_map_over_base_and_multiple() -> None:
    figure = worth_figures.rates(results()).figure
    assert figure is not None
    [heat] = figure.data
    assert list(heat.y) == ["50 real", "100 real"] and list(heat.x) == ["1 ×", "4 ×"]
    assert [list(row) for row in heat.z] == [[0.4, 0.4], [0.2, 0.2]]
    assert heat.text[0][1] == "0.40 (0.35 to 0.45)"


def test_arms_lie_over_all_images_of_their_training_sets() -> None:
    figure = worth_figures.curves(results()).figure
    assert figure is not None
    lines = [trace for trace in figure.data if trace.legendgroup == "synthetic"]
    assert [list(trace.x) for trace in lines] == [[100, 250], [200, 500]]
    assert [trace.showlegend for trace in lines] == [True, False]
    assert not [trace for trace in figure.data if trace.legendgroup == "alone"]
    # 250 has no room beside 200
    assert list(figure.layout.xaxis.tickvals) == [25, 50, 100, 200, 500]


def test_a_fold_of_controls_is_there_where_there_are_any() -> None:
    words = "what else was compared"
    assert words in sections(results())["guideline"].above
    assert words not in sections(replace(results(), controls=(), trends=()))["guideline"].above


@pytest.mark.parametrize("copies", [False, True])
def test_a_generator_that_copies_is_shown_as_such(copies: bool) -> None:
    shown = sections(results(copies=copies))["copies"].above
    assert ("The generator copies" in shown) == copies and ("cs-banner" in shown) == copies
    assert shown.count("<img") == 4 and "distance 0.50" in shown


def test_simulated_images_are_marked_and_a_users_are_not() -> None:
    assert "SIMULATED" in sections(results())["guideline"].above
    assert "SIMULATED" not in sections(results(source="file"))["guideline"].above


def test_the_exported_file_holds_all_and_no_text_of_a_file_acts() -> None:
    text = page(results())
    assert all(f">{title}<" in text for title in TABS)
    assert text.count('class="cs-figure"') == len(DRAWN)
    assert HOSTILE not in text and "<img src=x" not in text
    assert "Research use only, not for diagnosis" in text


def test_json_comes_back_and_another_schema_is_refused() -> None:
    text = to_json(results())
    assert to_json(from_json(text)) == text
    for wrong in ("{}", text.replace("worth/1", "irrgb/1"), json.dumps({**json.loads(text), "more": 1})):
        with pytest.raises(UserError, match="bad_results"):
            from_json(wrong)
