from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from core.anatomy.mutual_information import MutualInformation
from core.volume import Volume

BINS, SIZE = 32, 3.0
RNG = np.random.default_rng(0)
DATA = ndimage.gaussian_filter(RNG.normal(size=(12, 17, 15)), 2).astype(np.float32)
MOVING = Volume((DATA**2 + 0.01 * RNG.normal(size=DATA.shape)).astype(np.float32), np.diag([SIZE] * 3 + [1.0]))
MASK = np.zeros(DATA.shape, bool)
MASK[2:, 1:14, 3:] = True


def points(shift: tuple[float, ...] = (0.0, 0.0, 0.0)) -> NDArray[np.float32]:
    return np.asarray(SIZE * np.argwhere(MASK).T + np.array(shift)[:, None], np.float32)


def information(shift: tuple[float, ...] = (0.0, 0.0, 0.0)) -> float:
    found = MutualInformation(DATA[MASK], MOVING, BINS).at(points(shift))
    assert found is not None
    return found[0]


@pytest.mark.parametrize("shift", [(0.0, 0.0, 0.0), (2.0, -5.0, 1.5), (-20.0, 9.0, 30.0)])
def test_it_is_that_of_itk(shift: tuple[float, float, float]) -> None:
    still, other, inside = (
        sitk.GetImageFromArray(np.ascontiguousarray(part.T)) for part in (DATA, MOVING.data, MASK.astype(np.uint8))
    )
    for image in (still, other, inside):
        image.SetSpacing([SIZE] * 3)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(BINS)
    method.SetMetricSamplingStrategy(method.NONE)
    method.SetMetricFixedMask(inside)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetInitialTransform(sitk.TranslationTransform(3, shift))
    assert information(shift) == pytest.approx(-method.MetricEvaluate(still, other), rel=1e-5)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_its_derivatives_are_its_slope(axis: int) -> None:
    # away from the borders of voxels, and nothing moves out of sight
    shift, step = np.array([0.7, 0.4, -0.9]), 0.05 * np.eye(3)[axis]
    found = MutualInformation(DATA[MASK], MOVING, BINS).at(points(tuple(shift)))
    assert found is not None
    slope = (information(tuple(shift + step)) - information(tuple(shift - step))) / 0.1
    assert found[1][axis].sum() == pytest.approx(slope, rel=0.02)


def test_it_is_highest_where_scans_fit() -> None:
    assert information() > 1.5 * max(information((0.0, 6.0, 0.0)), information((6.0, 0.0, 0.0)))


def test_scans_apart_and_scans_of_one_value_have_none() -> None:
    there = points()
    assert MutualInformation(DATA[MASK], MOVING, BINS).at(there + 500) is None
    flat = Volume(np.ones_like(DATA), MOVING.affine)
    for fixed, moving in ((DATA[MASK], flat), (np.ones(there.shape[1], np.float32), MOVING)):
        found = MutualInformation(fixed, moving, BINS).at(there)
        assert found is not None
        assert found[0] == pytest.approx(0, abs=1e-6)
    assert MutualInformation(DATA[:0, 0, 0], MOVING, BINS).at(there[:, :0]) is None
