"""Measures against what raters say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.measure.bootstrap import Bootstrap
from core.measure.correlation import correlations, spearman
from tests.core.measure.rows import CONFIDENCE_ASKED, MARK_ASKED, PREFER_ASKED, REAL_ASKED, SCALE_ASKED, answer, image

VALUES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=30)


@given(VALUES, st.integers(0, 50))
def test_spearman_of_each_resample_is_that_of_scipy(pairs: list[tuple[int, int]], seed: int) -> None:
    first, second = np.array(pairs, float).T
    weights = Bootstrap(4, seed).weights(len(pairs))
    found = spearman(first, second, weights)
    for row, value in zip(weights.astype(int), found, strict=True):
        one, two = np.repeat(first, row), np.repeat(second, row)
        constant = len(set(one)) == 1 or len(set(two)) == 1
        assert math.isnan(value) if constant else value == pytest.approx(stats.spearmanr(one, two).statistic, abs=1e-9)


def test_a_scale_is_the_mean_rating_of_each_item() -> None:
    psnr = [20.0, 30.0, 25.0, 40.0]
    first, second = [1, 3, 2, 5], [2, 3, 4, 4]
    rated = [
        answer(rater, item, image(psnr=value, ssim=1.0), realism=row[item])
        for rater, row in (("R1", first), ("R2", second))
        for item, value in enumerate(psnr)
    ]
    psnr_found, ssim_found = correlations([SCALE_ASKED, CONFIDENCE_ASKED, MARK_ASKED], rated, Bootstrap(100, 0))
    expected = stats.spearmanr(psnr, np.add(first, second)).statistic
    assert (psnr_found.question, psnr_found.measure, psnr_found.rho.n) == ("realism", "psnr", 4)
    assert psnr_found.rho.value == pytest.approx(expected, abs=1e-9)
    assert ssim_found.measure == "ssim"
    assert math.isnan(ssim_found.rho.value)


def test_real_counts_synthetic_images_only() -> None:
    rated = [answer("R1", item, image(psnr=float(item)), real="real" if item > 1 else "synthetic") for item in range(4)]
    rated.append(answer("R1", 9, image("scanner", truth="real", psnr=-5.0), real="real"))
    (found,) = correlations([REAL_ASKED], rated, Bootstrap(50, 0))
    assert found.rho.n == 4
    assert found.rho.value == pytest.approx(stats.spearmanr(range(4), [0, 0, 1, 1]).statistic, abs=1e-9)


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_preferring_what_measures_higher_is_one_whatever_the_names_and_sides(
    names: tuple[str, str], swap: bool
) -> None:
    rated = []
    for item in range(6):
        better, worse = image(names[0], f"c{item}", psnr=30.0 + item), image(names[1], f"c{item}", psnr=29.0 - item)
        sides = (worse, better) if swap else (better, worse)
        rated.append(answer("R1", item, *sides, prefer="B" if swap else "A"))
    (found,) = correlations([PREFER_ASKED], rated, Bootstrap(50, 0))
    gaps = np.array([1.0 + 2 * item for item in range(6)])
    expected = stats.spearmanr(np.r_[gaps, -gaps], [1] * 6 + [-1] * 6).statistic
    assert found.rho.value == pytest.approx(expected, abs=1e-9)
    assert found.rho.n == 6


def test_too_few_items_and_measures_without_a_number() -> None:
    rated = [answer("R1", item, image(psnr=float(item), hd=math.inf), realism=item + 1) for item in range(2)]
    (found,) = correlations([SCALE_ASKED], rated, Bootstrap(50, 0))
    assert (found.measure, found.rho.n) == ("psnr", 2)
    assert math.isnan(found.rho.value)


def test_no_measures() -> None:
    assert correlations([SCALE_ASKED], [answer("R1", 1, realism=3)], Bootstrap(10, 0)) == ()
