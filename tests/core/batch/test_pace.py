from __future__ import annotations

from core.batch.pace import Pace


def test_the_rate_counts_what_was_done_and_what_is_under_way() -> None:
    now = 0.0
    pace = Pace(10, lambda: now)
    pace.ended("kept", "kept")
    assert (pace.standing().rate, pace.standing().left, pace.standing().ended) == (None, None, 1)
    now = 100.0
    pace.progress("a", 0.0)
    pace.progress("b", 0.5)
    now = 104.0
    assert pace.standing().rate is None
    pace.ended("a", "done")
    now = 160.0
    standing = pace.standing()
    # one and a half in a minute; ten, less one kept, one done and a half
    assert standing.rate == 90.0 and standing.left == 300.0
    assert standing.under_way == {"b": 0.5}


def test_a_scan_that_will_be_tried_again_has_not_ended_and_a_failed_one_is_no_progress() -> None:
    now = 0.0
    pace = Pace(2, lambda: now)
    pace.progress("a", 0.9)
    now = 60.0
    pace.ended("a", None)
    assert (pace.standing().ended, pace.standing().under_way, pace.standing().rate) == (0, {}, None)
    pace.ended("a", "failed")
    assert pace.standing().counts == {"failed": 1} and pace.standing().rate is None
