"""The power law with floor: found again where it was planted, and read backwards."""

from __future__ import annotations

import numpy as np
import pytest

from core.augment.learning_curve import fit_curve

COUNTS = np.array([25, 50, 100, 200, 400, 800])


@pytest.mark.parametrize(("floor", "scale", "exponent"), [(0.0, 2.0, 0.5), (0.05, 1.5, 0.7), (0.2, 0.8, 0.3)])
def test_a_planted_curve_is_found(floor: float, scale: float, exponent: float) -> None:
    errors = (floor + scale * COUNTS**-exponent)[None]
    curve = fit_curve(COUNTS, errors)
    for count in (25, 70, 800):
        assert curve.error(count)[0] == pytest.approx(floor + scale * count**-exponent, rel=0.03)


def test_the_count_of_an_error_undoes_the_error_of_a_count() -> None:
    curve = fit_curve(COUNTS, np.stack([0.05 + COUNTS**-0.5, 0.4 * COUNTS**-0.2]))
    for count in (30.0, 300.0):
        np.testing.assert_allclose(curve.count(curve.error(count)), count, rtol=1e-9)


def test_no_number_of_images_reaches_the_floor() -> None:
    curve = fit_curve(COUNTS, (0.2 + COUNTS**-1.0)[None])
    assert np.isinf(curve.count(curve.scale * curve.floor * 0.9)).all()


def test_the_fit_is_that_of_least_squares_of_the_logarithm() -> None:
    rng = np.random.default_rng(0)
    errors = (0.05 + COUNTS**-0.5) * np.exp(0.05 * rng.standard_normal(6))
    curve = fit_curve(COUNTS, errors[None])
    found = ((np.log(errors) - np.log([curve.error(count)[0] for count in COUNTS])) ** 2).sum()
    truth = ((np.log(errors) - np.log(0.05 + COUNTS**-0.5)) ** 2).sum()
    # the best of the grid, which is fine
    assert found < 1.05 * truth


def test_two_counts_are_too_few() -> None:
    with pytest.raises(ValueError, match="three"):
        fit_curve(np.array([10, 20]), np.ones((1, 2)))
