from collections.abc import Generator
from typing import Any, cast

import numpy as np
import pytest

from core.bench.calibrate import calibrate, fit
from core.bench.case import Entrant
from core.events import Progress
from core.imaging.problem import Estimate, Sources
from tests.core.bench.test_case import BRAIN, TRUTH, Copying, doubting


def test_the_factor_makes_the_interval_hold_ninety_of_a_hundred() -> None:
    rng = np.random.default_rng(0)
    # errors of deviation 2 where 1 was claimed: |error| over 1.645
    ratios = {name: np.abs(rng.normal(0, 2, 20_000)) / 1.645 for name in ("a", "b", "c")}
    found = fit(ratios)
    assert found.factor == pytest.approx(2, abs=0.03)
    assert found.before == pytest.approx(0.589, abs=0.01)
    assert found.held == pytest.approx(0.9, abs=0.001)
    assert found.by_subject == pytest.approx(dict.fromkeys("abc", found.before), abs=0.02)
    assert all(share == pytest.approx(0.9, abs=0.01) for share in found.left_out.values())


def test_a_subject_unlike_the_others_is_seen_when_left_out() -> None:
    ratios = {"a": np.linspace(0, 1, 1000), "b": np.linspace(0, 1, 1000), "odd": np.linspace(0, 3, 1000)}
    left_out = fit(ratios).left_out
    assert left_out["odd"] < 0.35 < 0.9 < left_out["a"]


def test_a_single_subject_cannot_be_left_out() -> None:
    assert fit({"a": np.linspace(0, 2, 100)}).left_out == {}


def test_a_network_that_claims_too_little_doubt_is_given_more() -> None:
    # half of the truth is missing where a tenth was claimed
    found = calibrate([Copying()], Entrant("net", "Network", lambda problem: doubting(0.5)))
    assert found[""].factor == pytest.approx(0.9 * 0.5 / (1.645 * 0.1), rel=0.05)


def test_a_method_without_doubts_cannot_be_calibrated() -> None:
    def sure(problem: object) -> Generator[Progress, None, Estimate]:
        yield Progress(0.0, 0, 1, "guessing")
        return Estimate(TRUTH)

    with pytest.raises(ValueError, match="no standard deviation"):
        calibrate([Copying()], Entrant("plain", "Plain", sure))


def test_each_target_of_a_translation_has_its_own_factor() -> None:
    def case(target: str) -> Copying:
        return Copying(problem=cast(Any, Sources({"flair": TRUTH}, BRAIN, target)))

    def made(problem: Sources) -> Generator[Progress, None, Estimate]:
        return (yield from doubting(0.5 if problem.target == "t1" else 0.8))

    found = calibrate([case("t1"), case("t2")], Entrant("net", "Network", made))
    assert set(found) == {"t1", "t2"}
    assert found["t1"].factor == pytest.approx(0.9 * 0.5 / (1.645 * 0.1), rel=0.05)
    assert found["t2"].factor == pytest.approx(0.9 * 0.2 / (1.645 * 0.1), rel=0.05)
    first, *others = found["t1"].described("translate to T1", 1.23456).splitlines()
    assert first.startswith("translate to T1: factor 1.235; ")
    assert len(others) == 1 and others[0].startswith("  1015: ")
