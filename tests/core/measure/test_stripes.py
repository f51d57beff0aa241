from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from core.measure.stripes import stripes

RANDOM = np.random.default_rng(0)
TISSUE = (100 + 60 * ndimage.gaussian_filter(RANDOM.normal(size=(64, 64, 96)), 3)).astype(np.float32)
EVERYWHERE = np.ones(TISSUE.shape, bool)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_stripes_stand_out_the_more_the_stronger_they_are(axis: int) -> None:
    image = np.moveaxis(TISSUE, 2, axis)
    wave = np.cos(2 * np.pi * np.arange(image.shape[axis]) / 8)
    wave = wave.reshape([-1 if one == axis else 1 for one in range(3)])
    found = [
        stripes((image * (1 + size * wave)).astype(np.float32), EVERYWHERE.reshape(image.shape), axis, 8)
        for size in (0, 0.01, 0.02)
    ]
    assert found[0] < 1.3 < found[1] < found[2]
    # stripes of another period are not those
    assert stripes((image * (1 + 0.02 * wave)).astype(np.float32), EVERYWHERE.reshape(image.shape), axis, 5) < 1.3


def test_the_unit_of_intensity_does_not_matter_and_nothing_has_no_stripes() -> None:
    wave = 1 + 0.02 * np.cos(2 * np.pi * np.arange(96) / 8, dtype=np.float32)
    striped = (TISSUE * wave).astype(np.float32)
    assert stripes(striped * 1000, EVERYWHERE, 2, 8) == pytest.approx(stripes(striped, EVERYWHERE, 2, 8), rel=1e-3)
    assert math.isnan(stripes(striped, ~EVERYWHERE, 2, 8))
