"""Telling synthetic images from real ones."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from core.measure.accuracy import detections, fooling, signal_detection, verdicts
from core.measure.answers import Answer
from core.measure.bootstrap import Bootstrap
from core.measure.findings import EVERYONE
from tests.core.measure.rows import Watched, answer, image

SCAN, MADE = image("scanner", truth="real"), image("ours")
inverse = NormalDist().inv_cdf


def judged(rater: str, group: str, *called: str) -> list[Answer]:
    """Return answers about images that are real and synthetic in turn."""
    return [
        answer(rater, item, MADE if item % 2 else SCAN, group=group, real=value, confidence=item % 5 + 1)
        for item, value in enumerate(called)
    ]


def test_signal_detection_by_the_normal_distribution() -> None:
    dprime, criterion = signal_detection(np.array([[15.0, 20.0, 4.0, 18.0]]))
    hit, alarm = inverse(15.5 / 21), inverse(4.5 / 19)
    assert dprime[0] == pytest.approx(hit - alarm, abs=1e-9)
    assert criterion[0] == pytest.approx(-(hit + alarm) / 2, abs=1e-9)


def test_signal_detection_is_finite_for_the_perfect_and_undefined_without_noise() -> None:
    values = signal_detection(np.array([[20.0, 20, 0, 20], [20, 20, 0, 0]]))
    assert [math.isfinite(value) for value in values[0]] == [True, False]
    assert values[0][0] == pytest.approx(2 * inverse(20.5 / 21), abs=1e-9)
    assert values[1][0] == pytest.approx(0, abs=1e-9)


def test_those_who_call_everything_real_lean_to_real() -> None:
    (everyone, rater) = detections(verdicts(judged("R1", "g", *["real"] * 10)), Bootstrap(50, 0))
    assert rater.criterion.value > 0
    assert (everyone.dprime.value, rater.dprime.value) == pytest.approx((0.0, 0.0))
    assert (everyone.sensitivity.value, everyone.specificity.value) == (0.0, 1.0)


def test_everyone_each_group_and_each_rater() -> None:
    given = [
        *judged("R1", "old", "real", "synthetic", "real", "real"),
        *judged("R2", "young", "synthetic", "synthetic", "real", "synthetic"),
    ]
    found = detections(verdicts(given), Bootstrap(200, 0))
    assert [(one.who, one.scope, one.right, one.n) for one in found] == [
        (EVERYONE, "all", 6, 8),
        ("old", "group", 3, 4),
        ("young", "group", 3, 4),
        ("R1", "rater", 3, 4),
        ("R2", "rater", 3, 4),
    ]
    everyone = found[0]
    assert (everyone.accuracy.value, everyone.accuracy.n) == (0.75, 8)
    assert (everyone.clustered.value, everyone.clustered.n) == (0.75, 4)
    assert (everyone.sensitivity.value, everyone.specificity.value) == (0.75, 0.75)
    assert everyone.p == pytest.approx(2 * (28 + 8 + 1) / 256)
    # R1 was wrong about item 3, R2 about item 0: with confidence 4 and 1
    assert everyone.confidence_wrong.value == 2.5
    assert everyone.confidence_right.value == pytest.approx((1 + 2 + 3 + 2 + 3 + 4) / 6)


def test_resamples_hold_whole_items() -> None:
    given = verdicts(
        [*judged("R1", "g", "real", "synthetic", "synthetic"), *judged("R2", "g", "real", "real", "synthetic")]
    )
    watched = Watched(20, 0)
    watched.mean(given.item, given.right.astype(float))
    shares = np.array([1.0, 0.5, 0.0])
    expected = [shares[watched.drawn(row, 3)].mean() for row in range(21)]
    assert watched.seen == pytest.approx(expected)


def test_one_group_is_everyone() -> None:
    found = detections(verdicts(judged("R1", "g", "real", "real")), Bootstrap(10, 0))
    assert [one.scope for one in found] == ["all", "rater"]


def test_only_one_image_can_be_judged() -> None:
    given = [answer("R1", 1, SCAN, MADE, real="real"), answer("R1", 2, SCAN, real="perhaps"), answer("R1", 3, SCAN)]
    assert detections(verdicts(given), Bootstrap(10, 0)) == ()
    assert fooling(verdicts(given)) == ()


def test_without_confidence_there_is_no_mean_of_it() -> None:
    found = detections(verdicts([answer("R1", item, SCAN, real="real") for item in range(3)]), Bootstrap(10, 0))
    assert math.isnan(found[0].confidence_right.value)
    assert math.isnan(found[0].dprime.value)
    assert math.isnan(found[0].sensitivity.value)


def test_which_methods_pass_for_real() -> None:
    calls = {"ours": "real", "theirs": "synthetic"}
    given = [answer("R1", item, image(method), real=call) for item, (method, call) in enumerate(calls.items())]
    given += [answer("R2", item, image(method), real="real") for item, method in enumerate(calls)]
    given += [answer("R1", 5, SCAN, real="real")]
    found = fooling(verdicts(given))
    assert [(one.method, one.truth, one.called_real.value, one.called_real.n) for one in found] == [
        ("ours", "synthetic", 1.0, 2),
        ("theirs", "synthetic", 0.5, 2),
        ("scanner", "real", 1.0, 1),
    ]
