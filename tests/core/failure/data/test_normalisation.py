from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import savgol_filter

from core.failure.data.normalisation import Kind, normalisation_of
from core.spectra.simulated_tissue import simulate

RAW = simulate("density", 60, 3).ir[:, :, :1, :1]
SHIFTED = RAW - RAW.min(axis=1, keepdims=True)
VARIATE = (RAW - RAW.mean(axis=1, keepdims=True)) / RAW.std(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("spectra", "kind"),
    [
        (RAW, ""),
        (RAW / RAW.max(axis=1, keepdims=True), "maximum"),
        (SHIFTED / SHIFTED.max(axis=1, keepdims=True), "range"),
        (RAW / np.sqrt((RAW**2).sum(axis=1, keepdims=True)), "norm"),
        (RAW / np.abs(RAW).sum(axis=1, keepdims=True), "area"),
        (VARIATE, "variate"),
        (RAW / RAW[:, 12:13], "band"),
    ],
)
def test_what_is_the_same_in_all_spectra_is_found_and_restored(spectra: np.ndarray, kind: Kind) -> None:
    given = spectra.astype(np.float32)
    found = normalisation_of(given)
    assert found.kind == kind and not found.derivative
    assert bool(found.words) == bool(kind)
    np.testing.assert_allclose(found.restore(given), given, atol=2e-3 * np.abs(given).max())
    thicker = found.restore(1.4 * given)
    np.testing.assert_allclose(thicker, given if kind else 1.4 * given, atol=2e-3 * np.abs(given).max())


def test_a_changed_spectrum_in_the_range_of_absorbance_is_normalised_again() -> None:
    given = (VARIATE + 0).astype(np.float32)
    found = normalisation_of(given)
    absorbance = found.as_absorbance(given)
    assert absorbance.min() == pytest.approx(0, abs=1e-6) and np.median(np.ptp(absorbance, axis=1)) == pytest.approx(1)
    np.testing.assert_allclose(found.restore(absorbance), given, atol=1e-3)


def test_derivatives_are_known_by_their_dips() -> None:
    position = np.linspace(900, 1800, 200)
    rng = np.random.default_rng(0)
    bands = np.array([1080, 1240, 1400, 1450, 1545, 1655])
    heights = 0.2 + rng.random((40, 6))
    spectra = (heights[:, :, None] * np.exp(-0.5 * ((position - bands[:, None]) / 18) ** 2)).sum(axis=1)
    whole = spectra[:, :, None, None].astype(np.float32)
    second = savgol_filter(spectra, 9, 2, deriv=2, axis=1)[:, :, None, None].astype(np.float32)
    assert not normalisation_of(whole).derivative
    assert normalisation_of(second).derivative and normalisation_of(second).kind == ""


def test_of_too_few_spectra_nothing_is_claimed() -> None:
    assert normalisation_of(VARIATE[:5].astype(np.float32)).kind == ""
