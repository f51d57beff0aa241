"""Marks of what looked suspicious."""

from __future__ import annotations

from core.measure.bootstrap import Bootstrap
from core.measure.marks import marks
from tests.core.measure.rows import answer, image


def test_share_and_hits_of_each_method() -> None:
    given = [answer("R1", item, image("ours"), mark=share) for item, share in enumerate([0.2, 0.5, 1.0, None])]
    given += [answer("R2", 0, image("ours"), mark=0.7), answer("R1", 7, image("a"), mark=0.0), answer("R1", 8)]
    first, ours = marks(given, Bootstrap(100, 0))
    assert (first.method, first.share.value, first.hit.value) == ("a", 0.0, 0.0)
    assert (ours.method, ours.share.value, ours.share.n) == ("ours", 0.6, 3)
    assert (ours.hit.value, ours.hit.n) == (0.75, 4)


def test_nothing_marked() -> None:
    assert marks([answer("R1", 1, mark=None), answer("R1", 2, image(), image("b"), mark=0.4)], Bootstrap(10, 0)) == ()
