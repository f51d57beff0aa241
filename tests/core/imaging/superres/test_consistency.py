from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from core.acquisition import Acquisition, thick, whole
from core.imaging.superres.consistency import disagreement, sharpness

ACQUISITION = Acquisition((whole(20), whole(22), thick(24, 4)))
TRUTH = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(20, 22, 24)), 0.8).astype(np.float32)
INSIDE = np.ones(TRUTH.shape, bool)


def test_disagreement_is_in_parts_of_bright_tissue() -> None:
    measured = ACQUISITION.measure(TRUTH)
    assert max(disagreement(TRUTH, ACQUISITION, measured, 1.0)) < 1e-6
    wrong = TRUTH.copy()
    wrong[3, 4, 8:12] += 2
    typical, largest = disagreement(wrong, ACQUISITION, measured, 10.0)
    assert largest == pytest.approx(0.2, rel=1e-4)
    assert typical == pytest.approx(0.2 / math.sqrt(measured.size), rel=1e-3)


def test_what_is_alike_along_all_axes_is_sharp_and_blur_is_not() -> None:
    assert sharpness(TRUTH, (2,), INSIDE, (1, 1, 1)) == pytest.approx(1, abs=0.1)
    spline = ACQUISITION.interpolate(ACQUISITION.measure(TRUTH))
    assert sharpness(spline, (2,), INSIDE, (1, 1, 1)) < 0.5


def test_axes_are_compared_at_one_distance() -> None:
    fine = ndimage.zoom(TRUTH, (2, 2, 1), order=3, grid_mode=True, mode="nearest")
    here = np.ones(fine.shape, bool)
    assert sharpness(fine, (2,), here, (0.5, 0.5, 1)) == pytest.approx(1, abs=0.15)


def test_without_an_axis_to_compare_with_nothing_is_measured() -> None:
    assert math.isnan(sharpness(TRUTH, (0, 1, 2), INSIDE, (1, 1, 1)))
    assert math.isnan(sharpness(TRUTH, (2,), np.zeros_like(INSIDE), (1, 1, 1)))
    assert math.isnan(sharpness(np.ones_like(TRUTH), (2,), INSIDE, (1, 1, 1)))
