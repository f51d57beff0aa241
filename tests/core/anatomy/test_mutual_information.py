from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from core.anatomy.mutual_information import MutualInformation
from core.volume import Volume

BINS, SIZE = 32, 3.0


def test_it_is_that_of_itk() -> None:
    rng = np.random.default_rng(0)
    data = ndimage.gaussian_filter(rng.normal(size=(12, 17, 15)), 2).astype(np.float32)
    moving = Volume((data**2 + 0.01 * rng.normal(size=data.shape)).astype(np.float32), np.diag([SIZE] * 3 + [1.0]))
    mask = np.zeros(data.shape, bool)
    mask[2:, 1:14, 3:] = True
    points = SIZE * np.argwhere(mask).astype(float)
    information = MutualInformation(data[mask], moving, BINS)
    still, other, inside = (
        sitk.GetImageFromArray(np.ascontiguousarray(part.T)) for part in (data, moving.data, mask.astype(np.uint8))
    )
    for image in (still, other, inside):
        image.SetSpacing([SIZE] * 3)
    for shift in ((0.0, 0.0, 0.0), (2.0, -5.0, 1.5), (-20.0, 9.0, 30.0)):
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(BINS)
        method.SetMetricSamplingStrategy(method.NONE)
        method.SetMetricFixedMask(inside)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetInitialTransform(sitk.TranslationTransform(3, shift))
        assert information.at(points + shift) == pytest.approx(-method.MetricEvaluate(still, other), abs=1e-9)
    assert information.at(points) > information.at(points + np.array([0.0, 6.0, 0.0]))


def test_scans_apart_and_scans_of_one_value_have_none() -> None:
    data = np.arange(64, dtype=np.float32).reshape(4, 4, 4)
    points = np.argwhere(data >= 0).astype(float)
    assert MutualInformation(data.ravel(), Volume(data, np.eye(4)), BINS).at(points + 100) == 0
    assert MutualInformation(data.ravel(), Volume(np.ones_like(data), np.eye(4)), BINS).at(points) == pytest.approx(0)
    assert MutualInformation(np.ones(64, np.float32), Volume(data, np.eye(4)), BINS).at(points) == pytest.approx(0)
