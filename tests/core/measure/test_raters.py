"""How each rater worked."""

from __future__ import annotations

import math
from dataclasses import replace

from core.measure.answers import Rater
from core.measure.coding import repeated, scored
from core.measure.findings import RaterSummary
from core.measure.raters import as_expected, summaries
from tests.core.measure.rows import answer, image, study

ROWS = (
    answer("R1", 0, use="training", seconds=60.0, expected={"real": "real"}, real="synthetic"),
    answer("R1", 1, image("a"), image("b"), seconds=4.0, prefer="A", slices={"axial": 1}),
    answer("R1", 2, image("a"), image("b"), seconds=6.0, prefer="B", realism=3, slices={"axial": 1, "coronal": 4}),
    answer("R1", 3, image("a"), image("b"), seconds=8.0, prefer="A"),
    answer("R1", 2, image("b"), image("a"), repeat=True, seconds=9.0, prefer="A", realism=4),
    answer("R1", 4, use="catch", seconds=math.nan, expected={"real": "real", "realism": 5}, real="real", realism=5),
    answer("R1", 5, use="catch", seconds=2.0, expected={"real": "real"}, real="synthetic"),
    answer("R2", 1, real="real"),
)


def summary(name: str) -> RaterSummary:
    collected = study(*ROWS)
    collected = replace(collected, raters=(*collected.raters, Rater("R3", "g", 0, 9)))
    counted = scored(collected.answers)
    found = summaries(collected, counted, repeated(collected.answers, counted))
    assert [one.name for one in found] == ["R1", "R2", "R3"]
    return {one.name: one for one in found}[name]


def test_time_sides_catches_and_repeats() -> None:
    found = summary("R1")
    assert (found.scored, found.done, found.total) == (3, 1, 9)
    assert (found.seconds_median, found.seconds_total) == (6.0, 89.0)
    assert (found.catch_right, found.catch_total) == (1, 2)
    assert (found.left.value, found.left.n) == (2 / 3, 3)
    # the same image was preferred again, on the other side; the scale differs
    assert (found.repeated.value, found.repeated.n) == (0.5, 2)
    assert (found.scrolled, found.changes, found.revisions) == (1, 7, 14)


def test_one_who_has_not_begun() -> None:
    found = summary("R3")
    assert (found.scored, found.catch_total, found.seconds_total) == (0, 0, 0)
    assert math.isnan(found.seconds_median)
    assert math.isnan(found.left.value)


def test_everything_expected_must_be_answered() -> None:
    expected: dict[str, str | int] = {"real": "real", "realism": 5}
    assert as_expected(answer("R1", 1, expected=expected, real="real", realism=5))
    assert not as_expected(answer("R1", 1, expected=expected, real="real", realism=4))
    assert not as_expected(answer("R1", 1, expected=expected, real="real"))
