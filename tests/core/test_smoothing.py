from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from core.smoothing import Edge, Order, along, gaussian

IMAGE = np.random.default_rng(0).normal(size=(23, 150, 70)).astype(np.float32)


@pytest.mark.parametrize("edge", ["constant", "nearest", "reflect"])
@pytest.mark.parametrize(("sigma", "truncate"), [(1.0, 4.0), (4.0, 3.0), ((0.0, 0.7, 12.0), 4.0)])
def test_smoothing_is_that_of_scipy(edge: Edge, sigma: float | tuple[float, float, float], truncate: float) -> None:
    smooth = gaussian(IMAGE, sigma, edge, truncate)
    assert smooth.dtype == np.float32
    np.testing.assert_allclose(smooth, ndimage.gaussian_filter(IMAGE, sigma, mode=edge, truncate=truncate), atol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_derivatives_are_those_of_scipy(axis: int, order: Order) -> None:
    # neither the order of axes in memory nor steps between voxels matter
    for image in (IMAGE, IMAGE.T, IMAGE[::-1, ::2]):
        expected = ndimage.gaussian_filter1d(image, 1.5, axis, order, mode="constant")
        np.testing.assert_allclose(along(image, axis, 1.5, order, "constant"), expected, atol=1e-6)


def test_what_is_not_smoothed_is_returned_as_it_is() -> None:
    np.testing.assert_array_equal(gaussian(IMAGE, 0.0), IMAGE)
