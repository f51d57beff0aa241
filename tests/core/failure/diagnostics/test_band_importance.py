from __future__ import annotations

import numpy as np
import pytest

from core.failure.diagnostics.band_importance import Imputer, band_order, minimal_bands, occlude_bands
from tests.core.failure.diagnostics.formula_models import TEST, TRAIN, under_test


def of_two_bands(values: np.ndarray) -> np.ndarray:
    """Right by bands 5 and 20 alone."""
    means = values.mean(axis=(2, 3))
    known = TEST.spectra()
    nearest = np.abs(means[:, None, [5, 20]] - known[None][:, :, [5, 20]]).sum(axis=2).argmin(axis=1)
    return np.asarray(np.eye(4)[TEST.labels[nearest]], np.float32)


def test_only_the_bands_that_count_are_missed() -> None:
    found = occlude_bands(under_test(of_two_bands))
    permuted = next(line for line in found.lines if line.name == "permuted")
    assert set(np.argsort(permuted.y)[-2:]) == {5, 20}
    np.testing.assert_allclose(np.delete(permuted.y, [5, 20]), 0, atol=1e-9)
    assert permuted.x[5] == pytest.approx(TEST.wavenumbers[5], abs=1)
    assert found.figure.value == pytest.approx(max(permuted.y))


def test_a_band_that_others_tell_is_imputed_well() -> None:
    imputer = Imputer(TRAIN.ir, np.full(32, 0.01))
    told = imputer.keep(TEST.ir, np.delete(np.arange(32), 12))
    error = np.sqrt(np.mean((told[:, 12] - TEST.ir[:, 12]) ** 2))
    # what is left is the noise of the band itself
    assert error < 1.15 * 0.01 < 0.5 * TEST.ir[:, 12].std()
    np.testing.assert_allclose(np.delete(told, 12, axis=1), np.delete(TEST.ir, 12, axis=1), atol=2e-3)


def test_with_no_band_kept_all_patches_are_the_mean() -> None:
    told = Imputer(TRAIN.ir, np.full(32, 0.01)).keep(TEST.ir[:3], np.array([], np.int64))
    np.testing.assert_allclose(told, np.broadcast_to(told[:1, :, :1, :1], told.shape), atol=1e-6)


def test_the_order_takes_independent_bands_first() -> None:
    rng = np.random.default_rng(0)
    sources = rng.standard_normal((50, 3, 6, 6))
    # bands 0, 1, 2 repeat one source, 3 and 4 are alone
    values = sources[:, [0, 0, 0, 1, 2]] * np.array([3.0, 2.9, 2.8, 2, 1])[:, None, None]
    values += 0.01 * rng.standard_normal(values.shape)
    order = band_order(values.astype(np.float32), np.full(5, 0.01))
    assert set(order[:3]) == {0, 3, 4}


def test_few_bands_are_enough_for_one_number() -> None:
    from tests.core.failure.diagnostics.formula_models import mean_spectrum

    found = minimal_bands(under_test(mean_spectrum))
    accuracy, order = found.lines
    assert found.figure.value < 32
    assert accuracy.x[-1] == 32
    assert accuracy.y[-1] == pytest.approx(found.lines[0].y[-1])
    assert sorted(order.y) == sorted(float(f"{each:.0f}") for each in TEST.wavenumbers)
