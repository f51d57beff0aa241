"""Intervals of shares and the bootstrap over items."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from core.measure.bootstrap import Bootstrap, positions
from core.measure.intervals import binomial_p, wilson

COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS)
def test_wilson_is_statsmodels_and_lies_in_the_unit_interval(counts: tuple[int, int]) -> None:
    right, n = counts
    found = wilson(right, n)
    low, high = proportion_confint(right, n, method="wilson")
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert (found.value, found.n) == (right / n, n)


@given(COUNTS)
def test_binomial_p_is_the_sum_of_outcomes_at_most_as_likely(counts: tuple[int, int]) -> None:
    right, n = counts
    ways = [math.comb(n, k) for k in range(n + 1)]
    assert binomial_p(right, n) == pytest.approx(sum(way for way in ways if way <= ways[right]) / 2**n, rel=1e-9)


def test_without_answers_there_is_no_share() -> None:
    assert math.isnan(wilson(0, 0).value)
    assert wilson(0, 0).n == 0
    assert math.isnan(binomial_p(0, 0))


def test_the_mean_counts_answers_and_draws_whole_items() -> None:
    item = np.array([7, 7, 7, 2])
    found = Bootstrap(500, 0).mean(item, np.array([1.0, 1.0, 1.0, 0.0]))
    # of two items, a resample holds one twice or both: never a mean in between
    assert (found.value, found.low, found.high, found.n) == (0.75, 0.0, 1.0, 2)


def test_the_interval_of_a_mean_covers_it_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(300):
        found = Bootstrap(300, 3).mean(np.arange(60), rng.normal(2.0, 1.0, 60))
        hits += found.low <= 2.0 <= found.high
    assert 0.90 <= hits / 300 <= 0.98


def test_one_item_gives_a_value_and_no_interval() -> None:
    found = Bootstrap(100, 0).mean(np.array([3, 3]), np.array([1.0, 2.0]))
    assert found.value == 1.5
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_no_items_give_nothing() -> None:
    none = np.array([], np.int64)
    assert math.isnan(Bootstrap(100, 0).mean(none, np.array([])).value)
    assert math.isnan(Bootstrap(100, 0).of_sums(lambda sums: sums[:, 0], np.zeros((0, 3))).value)


def test_the_seed_alone_decides_the_draws() -> None:
    one, again, other = (Bootstrap(50, seed).weights(20) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert np.array_equal(one[0], np.ones(20))
    assert set(one.sum(1)) == {20}


def test_places_are_those_among_the_different_items() -> None:
    place, items = positions(np.array([40, 3, 40, 9]))
    assert (place.tolist(), items) == ([2, 0, 2, 1], 3)
