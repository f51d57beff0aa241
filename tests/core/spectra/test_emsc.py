from __future__ import annotations

import numpy as np
import pytest
import torch

from core.failure.models.preprocessing import fit_pipeline
from core.spectra.derivative import second_derivative
from core.spectra.emsc import fit_emsc

POSITION = np.linspace(900, 1800, 60)
BAND = np.exp(-0.5 * ((POSITION - 1655) / 30) ** 2) + 0.5 * np.exp(-0.5 * ((POSITION - 1240) / 25) ** 2)


def measured() -> np.ndarray:
    """The same spectrum under other thicknesses and baselines of degree 2."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(-1, 1, 60)
    thickness, offset, slope, bend = rng.uniform(0.5, 2, 20), *rng.normal(0, 0.1, (3, 20))
    rows = zip(thickness, offset, slope, bend, strict=True)
    return np.stack([t * BAND + a + b * ramp + c * ramp**2 for t, a, b, c in rows])


def test_what_thickness_and_baseline_change_comes_back() -> None:
    emsc = fit_emsc(measured()[:10], tuple(POSITION))
    found = emsc.correct(measured())
    assert measured().std(axis=0).max() > 0.2 and found.std(axis=0).max() < 1e-9


def test_a_spectrum_of_nearly_nothing_is_not_scaled_up_without_end() -> None:
    emsc = fit_emsc(measured(), tuple(POSITION))
    assert np.abs(emsc.correct(1e-4 * BAND[None])).max() < 0.01


def test_the_step_of_a_network_is_the_same_correction() -> None:
    values = torch.as_tensor(measured(), dtype=torch.float32)[:, :, None, None].expand(-1, -1, 2, 2)
    step = fit_pipeline(("emsc",), values, np.zeros(20, np.int64), tuple(POSITION)).steps[0]
    expected = fit_emsc(measured(), tuple(POSITION)).correct(measured())
    np.testing.assert_allclose(step(values)[:, :, 1, 0].numpy(), expected, atol=1e-4)


def test_derivatives_do_not_cross_a_gap_and_know_a_parabola() -> None:
    positions = (*range(1000, 1040, 4), 2852, 2924)
    spectra = np.stack([np.arange(12.0) ** 2, np.ones(12)])
    found = second_derivative(spectra, positions)
    assert found[0, :10] == pytest.approx(np.full(10, 2.0))
    assert found[1, :10] == pytest.approx(np.zeros(10), abs=1e-12)
    # two bands far away have no derivative
    assert found[:, 10:].tolist() == spectra[:, 10:].tolist()
