from __future__ import annotations

import numpy as np
import pytest

from core.spectra.noise import noise_of, noise_of_each
from core.spectra.simulated_tissue import PRESETS, simulate


def test_the_noise_of_simulated_tissue_is_found() -> None:
    found = noise_of(simulate("density", 60, 3).ir)
    # 0.01, and half as much again at both ends of the detector; blur that differs between bands adds a little
    middle = np.median(found)
    assert middle == pytest.approx(PRESETS["density"].noise, rel=0.25)
    assert found[0] > 1.2 * middle


def test_added_noise_is_added() -> None:
    patches = simulate("none", 60, 3).ir
    rng = np.random.default_rng(0)
    more = patches + 0.03 * rng.standard_normal(patches.shape, dtype=np.float32)
    assert np.sqrt(np.median(noise_of(more)) ** 2 - np.median(noise_of(patches)) ** 2) == pytest.approx(0.03, rel=0.15)


def test_a_noisier_patch_is_told_from_the_others() -> None:
    patches = simulate("none", 40, 4).ir.copy()
    before = noise_of_each(patches, noise_of(patches))
    rng = np.random.default_rng(0)
    patches[:5] += 0.03 * rng.standard_normal(patches[:5].shape, dtype=np.float32)
    after = noise_of_each(patches, noise_of(patches))
    assert before.std() < 0.15
    assert after[:5].min() > 1.5 * after[5:].max()


def test_three_colours_are_read_from_their_neighbours() -> None:
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 1, 20)[None, None, :, None] * np.ones((30, 3, 20, 20))
    values = (ramp + 0.02 * rng.standard_normal(ramp.shape)).astype(np.float32)
    np.testing.assert_allclose(noise_of(values), 0.02, rtol=0.1)
    np.testing.assert_array_equal(noise_of_each(values, noise_of(values)), 1)
