from __future__ import annotations

import numpy as np
import pytest

from core.failure.diagnostics.intrinsic_dimension import intrinsic, two_nn
from core.spectra.noise import noise_of
from core.spectra.simulated_tissue import simulate


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_the_dimension_of_a_flat_sheet_is_found(dimension: int) -> None:
    rng = np.random.default_rng(0)
    points = rng.random((1500, dimension)) @ rng.standard_normal((dimension, 20))
    assert two_nn(points) == pytest.approx(dimension, rel=0.12)


def test_a_curve_has_one_dimension_however_it_bends() -> None:
    place = np.random.default_rng(0).random(1000) * 6
    points = np.stack([np.cos(place), np.sin(place), np.cos(2 * place), np.sin(3 * place)], axis=1)
    assert two_nn(points) == pytest.approx(1, rel=0.1)
    assert np.isnan(two_nn(points[:10]))


def test_tissue_has_few_dimensions_in_its_mean_and_more_in_its_pixels() -> None:
    patches = simulate("density", 150, 0)
    found = intrinsic(patches.ir, noise_of(patches.ir))
    assert 1 < found.figure.value < 12
    assert found.figures["pixels"].value > found.figure.value
    assert found.figures["mean_participation"].value < 3
    assert not found.decides
