from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.failure.diagnostics.model_under_test import weighted_outcomes
from core.failure.diagnostics.one_number import binned_r2, linear_r2, one_number, quantile_bins
from core.measure.bootstrap import draw_weights
from tests.core.failure.diagnostics.formula_models import by_form, by_score, under_test


def test_a_model_of_one_number_is_explained_by_it() -> None:
    found = one_number(under_test(by_score).outcomes)
    assert found.figure.value >= 0.95
    assert found.figures["excess"].value >= 0.3
    assert found.figures["within"].value >= 0.8
    assert found.decides


def test_a_model_that_ignores_it_is_not() -> None:
    # of noise, 20 bins explain 19 of 299 degrees of freedom
    found = one_number(under_test(by_form).outcomes)
    assert found.figures["excess"].value < 0
    assert found.figures["within"].value < 0.1
    rng = np.random.default_rng(1)
    labels = rng.integers(4, size=2000)
    blind = weighted_outcomes(rng.standard_normal((2000, 4)), labels, rng.standard_normal(2000), labels, None, 10)
    assert one_number(blind).figure.value <= 0.05


@given(st.integers(72, 400), st.integers(2, 4))
def test_noise_is_not_explained_within_the_classes_whatever_the_number_of_patches(count: int, classes: int) -> None:
    rng = np.random.default_rng([count, classes])
    labels = rng.permutation(np.arange(count) % classes)
    # many logits, so that what chance explains is near its mean
    blind = weighted_outcomes(rng.standard_normal((count, 60)), labels, rng.standard_normal(count), labels, None, 2)
    assert abs(one_number(blind).figures["within"].value) < 0.05


def test_a_few_patches_are_too_few_to_tell() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(71) % 4
    few = weighted_outcomes(rng.standard_normal((71, 4)), labels, rng.standard_normal(71), labels, None, 2)
    assert np.isnan(one_number(few).figures["within"].value)


def test_the_curves_are_probabilities_along_the_score() -> None:
    found = one_number(under_test(by_score).outcomes)
    assert len(found.lines) == 4
    assert list(found.lines[0].x) == sorted(found.lines[0].x)
    np.testing.assert_allclose(np.sum([line.y for line in found.lines], axis=0), 1, atol=1e-9)


@given(st.integers(2, 8), st.integers(40, 200))
def test_explained_variance_is_that_of_the_definition(count: int, size: int) -> None:
    rng = np.random.default_rng(size)
    values = rng.standard_normal((size, 3))
    bins = quantile_bins(values[:, 0], count)
    means = np.stack([values[bins == each].mean(axis=0) for each in bins])
    expected = 1 - ((values - means) ** 2).sum() / ((values - values.mean(axis=0)) ** 2).sum()
    weights = np.ones((1, size))
    assert binned_r2(values, bins, weights)[0] == pytest.approx(expected)
    # a patch that counts twice is two patches
    twice = binned_r2(np.vstack([values, values[:1]]), np.append(bins, bins[0]), np.ones((1, size + 1)))
    weights[0, 0] = 2
    assert binned_r2(values, bins, weights)[0] == pytest.approx(twice[0])


@given(st.lists(st.floats(-5, 5), min_size=20, max_size=80, unique=True), st.integers(2, 6))
def test_bins_hold_equal_numbers_in_order(scores: list[float], count: int) -> None:
    bins = quantile_bins(np.array(scores), count)
    assert np.ptp(np.bincount(bins, minlength=count)) <= 1
    order = np.argsort(scores)
    assert (np.diff(bins[order]) >= 0).all()


@given(st.integers(40, 300), st.integers(1, 5), st.integers(1, 3))
def test_a_linear_function_is_told_and_noise_is_not(count: int, numbers: int, columns: int) -> None:
    rng = np.random.default_rng([count, numbers, columns])
    by = rng.standard_normal((count, numbers))
    weights = draw_weights(count, None, 3)
    whole = linear_r2(3 + by @ rng.standard_normal((numbers, columns)), by, weights)
    np.testing.assert_allclose(whole, 1, atol=1e-9)
    # repeated columns tell no more
    noise = rng.standard_normal((count, 60))
    assert abs(linear_r2(noise, by, weights[:1])[0]) < 0.05
    assert linear_r2(noise, np.hstack([by, by]), weights[:1])[0] <= linear_r2(noise, by, weights[:1])[0]


def test_more_weight_is_more_patches() -> None:
    rng = np.random.default_rng(0)
    values, by = rng.standard_normal((30, 2)), rng.standard_normal((30, 3))
    values[:, 0] += by[:, 0]
    twice = np.ones((1, 30))
    twice[0, :10] = 2
    more = [np.vstack([each, each[:10]]) for each in (values, by)]
    left = [(1 - linear_r2(*given, weights)[0]) / free for given, weights, free in (
        ((values, by), twice, 29 / 26), ((more[0], more[1]), np.ones((1, 40)), 39 / 36),
    )]  # fmt: skip
    assert left[0] == pytest.approx(left[1])


def test_too_few_patches_tell_nothing() -> None:
    assert np.isnan(linear_r2(np.ones((11, 2)), np.ones((11, 3)), np.ones((1, 11)))).all()
