from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.measure.bootstrap import draw_weights, interval, mean, ratio


def test_groups_are_drawn_whole() -> None:
    groups = np.repeat([7, 3, 9], [2, 5, 3])
    weights = draw_weights(10, groups, draws=50)
    assert weights.shape == (51, 10)
    np.testing.assert_array_equal(weights[0], np.ones(10))
    for group in np.unique(groups):
        assert (np.ptp(weights[:, groups == group], axis=1) == 0).all()
    # three groups are drawn each time
    firsts = weights[1:][:, [0, 2, 7]]
    np.testing.assert_array_equal(firsts.sum(axis=1), 3)


def test_few_groups_make_wider_intervals_than_as_many_patches() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(8), 25)
    values = rng.standard_normal(8)[groups] + 0.1 * rng.standard_normal(200)
    by_group, by_patch = (interval(mean(values, draw_weights(200, each))) for each in (groups, None))
    assert by_group.value == pytest.approx(by_patch.value)
    assert by_group.high - by_group.low > 3 * (by_patch.high - by_patch.low)


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    values = np.random.default_rng(1).standard_normal(400)
    found = interval(mean(values, draw_weights(400)))
    half = 1.96 * values.std(ddof=1) / 20
    assert found.low == pytest.approx(values.mean() - half, abs=0.02)
    assert found.high == pytest.approx(values.mean() + half, abs=0.02)


@given(st.lists(st.floats(-10, 10), min_size=3, max_size=40))
def test_an_interval_holds_its_value(values: list[float]) -> None:
    found = interval(mean(np.array(values), draw_weights(len(values), draws=60)))
    assert found.low <= found.value <= found.high


def test_what_cannot_be_measured_is_nan() -> None:
    assert np.isnan(ratio(np.ones(3), np.zeros(3), np.ones((2, 3)))).all()
    assert np.isnan(interval([np.nan, 1.0, 2.0]).value)
    assert np.isnan(interval([1.0]).low)
