"""Scales by method."""

from __future__ import annotations

from dataclasses import replace

from core.measure.bootstrap import Bootstrap
from core.measure.scales import scale
from tests.core.measure.rows import SCALE_ASKED, answer, image


def test_counts_mean_and_median_of_each_method() -> None:
    given = [answer("R1", item, image("ours"), realism=value) for item, value in enumerate([1, 4, 4, 5])]
    given += [answer("R2", 0, image("ours"), realism=2), answer("R1", 9, image("a"), realism=3)]
    given += [answer("R1", 10, image("a"), image("b"), realism=5), answer("R2", 9, image("a"))]
    found = scale(replace(SCALE_ASKED, low="no", high="yes"), given, Bootstrap(200, 0))
    assert (found.question, found.title, found.levels, found.low, found.high) == (
        "realism",
        "Realistic?",
        5,
        "no",
        "yes",
    )
    first, ours = found.methods
    assert (first.method, first.counts, first.n, first.median) == ("a", (0, 0, 1, 0, 0), 1, 3.0)
    assert (ours.method, ours.counts, ours.n, ours.median) == ("ours", (1, 1, 0, 2, 1), 5, 4.0)
    assert (ours.mean.value, ours.mean.n) == (16 / 5, 4)
    assert 1 <= ours.mean.low < 16 / 5 < ours.mean.high <= 5


def test_a_scale_without_answers() -> None:
    assert scale(SCALE_ASKED, [answer("R1", 1)], Bootstrap(10, 0)).methods == ()
