from __future__ import annotations

from core.plurals import count


def test_one_thing_has_no_s() -> None:
    assert (count(1, "rater"), count(2, "rater"), count(0, "rater")) == ("1 rater", "2 raters", "0 raters")
    assert (count("1", "hour"), count("1.5", "hour")) == ("1 hour", "1.5 hours")
