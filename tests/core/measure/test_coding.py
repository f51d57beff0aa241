"""Which answers count and what they stand for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.measure.answers import Question
from core.measure.coding import categories, category, preferred, repeated, scored, table
from tests.core.measure.rows import PREFER_ASKED, REAL_ASKED, SCALE_ASKED, answer, image


def test_the_first_showing_of_a_proper_item_counts() -> None:
    first = answer("R1", 1, position=3, realism=2)
    later = answer("R1", 1, position=8, realism=4)
    again = answer("R1", 1, position=9, repeat=True, realism=5)
    others = [answer("R1", 2, use="training"), answer("R1", 3, use="catch")]
    counted = scored([again, later, first, *others])
    assert counted == [first]
    assert repeated([again, later, first, *others], counted) == [(first, again)]


def test_a_repeat_without_its_first_showing_counts_for_nothing() -> None:
    again = answer("R1", 1, repeat=True, realism=5)
    assert scored([again]) == []
    assert repeated([again], []) == []


def test_a_preference_is_for_an_image_whatever_its_side() -> None:
    ours, theirs = image("ours"), image("theirs")
    left, right = answer("R1", 1, ours, theirs, prefer="A"), answer("R1", 1, theirs, ours, prefer="B")
    assert preferred(left) == preferred(right) == (ours, theirs)
    assert category(PREFER_ASKED, left) == category(PREFER_ASKED, right) == 0
    assert category(PREFER_ASKED, answer("R1", 1, ours, theirs, prefer="B")) == 1


@pytest.mark.parametrize(
    "given",
    [answer("R1", 1, prefer="A"), answer("R1", 1, image(), image(), prefer="A"), answer("R1", 1, image(), image("b"))],
    ids=["one image", "twice the same", "no answer"],
)
def test_no_preference(given: object) -> None:
    assert preferred(given) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [None, 0, 6, 2.5, True, "3"])
def test_what_is_no_level_of_a_scale_is_missing(value: float | str | None) -> None:
    assert math.isnan(category(SCALE_ASKED, answer("R1", 1, realism=value)))


def test_categories() -> None:
    assert [category(SCALE_ASKED, answer("R1", 1, realism=level)) for level in (1, 5)] == [0, 4]
    assert [category(REAL_ASKED, answer("R1", 1, real=value)) for value in ("real", "synthetic")] == [0, 1]
    assert math.isnan(category(REAL_ASKED, answer("R1", 1, real="perhaps")))
    asked = (REAL_ASKED, PREFER_ASKED, SCALE_ASKED, Question("note", "text", ""), Question("mark", "mark", ""))
    assert [categories(question) for question in asked] == [2, 2, 5, 0, 0]


def test_the_table_holds_raters_and_items_with_answers() -> None:
    given = [
        answer("R2", 9, realism=5),
        answer("R1", 9, realism=1),
        answer("R1", 4, realism=2),
        answer("R3", 4, real="real"),
    ]
    assert np.array_equal(table(SCALE_ASKED, given), np.array([[1, 0], [math.nan, 4]]), equal_nan=True)
    assert table(SCALE_ASKED, []).shape == (0, 0)
