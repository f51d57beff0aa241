from __future__ import annotations

import numpy as np

from core.bench.fit_slots import Example, fit, left_out
from core.contrasts import CONTRASTS
from core.imaging.contrast_look import chances


def known(distance: float, subjects: int = 8) -> list[Example]:
    """Return scans whose contrasts lie ``distance`` deviations apart in two of five numbers."""
    rng = np.random.default_rng(3)
    places = {"t1": (0, 0), "t1ce": (0, 1), "t2": (1, 0), "flair": (1, 1)}
    return [
        Example(
            str(subject), name, np.concatenate([distance * np.array(places[name]), np.zeros(3)]) + rng.normal(size=5)
        )
        for subject in range(subjects)
        for name in CONTRASTS
    ]


def test_contrasts_far_apart_are_told_and_those_alike_are_not() -> None:
    assert left_out(known(30.0), 0.99) == {"right": 32, "wrong": 0, "unsure": 0}
    counts = left_out(known(0.0), 0.99)
    assert counts["unsure"] > 24


def test_what_all_contrasts_share_is_left_out_of_the_weights() -> None:
    weights, offsets = fit(known(4.0))
    np.testing.assert_allclose(weights.sum(axis=0), 0, atol=1e-9)
    assert abs(offsets.sum()) < 1e-9


def test_a_scan_at_the_mean_of_its_contrast_is_that_contrast() -> None:
    scans = known(6.0, 40)
    weights, offsets = fit(scans)
    for number, name in enumerate(CONTRASTS):
        mean = np.mean([each.numbers for each in scans if each.contrast == name], axis=0)
        assert chances(mean, weights, offsets).argmax() == number
