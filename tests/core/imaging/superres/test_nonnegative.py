"""Results of magnitude images keep to their range and still measure as the scan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.acquisition import Acquisition, Axis, measuring, thick, whole
from core.events import finish
from core.imaging.options import Options
from core.imaging.problem import ThickScan
from core.imaging.superres.network import setting
from core.imaging.superres.nonnegative import within_range
from core.tasks import find

X, Y, Z = np.indices((30, 28, 48)) - np.array([14.5, 13.5, 23.5]).reshape(3, 1, 1, 1)
# a bright rim, air inside: splines ring below 0 on both sides of it
RADIUS = np.sqrt(X**2 + Y**2 + (0.6 * Z) ** 2)
TRUTH = np.where((RADIUS < 12) & ((RADIUS > 9) | (X > 2)), 400 + 5 * X, 0).astype(np.float32)
SPLINES = ("nearest", "linear", "cubic", "spline5")


def sampled(step: float) -> Acquisition:
    return Acquisition((whole(30), whole(28), thick(48, step)))


def measured(acquisition: Acquisition) -> ThickScan:
    return ThickScan(acquisition.measure(TRUTH), acquisition)


@pytest.mark.parametrize(("step", "tolerance"), [(4, 1e-6), (3, 1e-6), (3.7, 1e-3)])
def test_the_nearest_volume_in_range_measures_as_the_scan(step: float, tolerance: float) -> None:
    scan = measured(sampled(step))
    spline = scan.acquisition.interpolate(scan.image)
    assert (spline < 0).mean() > 0.02
    made = within_range(spline, scan)
    assert made.min() >= 0
    np.testing.assert_allclose(scan.acquisition.measure(made), scan.image, atol=tolerance * 500)
    assert np.square(made - TRUTH).mean() < np.square(spline - TRUTH).mean()
    # lines that lay in the range are as they were
    kept = spline.min(axis=2) >= 0
    assert kept.any()
    np.testing.assert_array_equal(made[kept], spline[kept])


def test_it_is_the_nearest_one() -> None:
    axis = Axis(4, 1, 4.0, 4.0, 1.5)
    scan = ThickScan(np.array([[[5.0], [0.0]]], np.float32), Acquisition((whole(1), whole(2), axis)))
    made = within_range(np.array([[[-4.0, 2.0, 8.0, 14.0], [-1.0, 1.0, 2.0, -2.0]]], np.float32), scan)
    # -4 becomes 0, and what that adds is taken from dark voxels first: bright tissue is 5, and DARK of it 1
    share = np.array([1 / (1 + 8**2), 1 / (1 + 14**2)])
    np.testing.assert_allclose(made[0, 0], [0, 0, *([8, 14] - 2 * share / share.sum())], atol=1e-4)
    # a slice that measured 0 leaves no choice
    np.testing.assert_allclose(made[0, 1], 0, atol=1e-4)


def test_several_refined_axes_are_one_problem() -> None:
    acquisition = Acquisition((thick(30, 2), thick(28, 2), thick(48, 3)))
    scan = measured(acquisition)
    made = within_range(acquisition.interpolate(scan.image), scan)
    assert made.min() >= 0
    np.testing.assert_allclose(acquisition.measure(made), scan.image, atol=2e-3)


def test_slices_that_overlap_keep_the_range_and_nearly_agree() -> None:
    acquisition = Acquisition((whole(30), whole(28), thick(48, 4, 4, "gaussian")))
    scan = measured(acquisition)
    made = within_range(acquisition.interpolate(scan.image), scan)
    assert made.min() >= 0
    assert np.sqrt(np.square(acquisition.measure(made) - scan.image).mean()) < 0.01 * 400


def test_a_scan_with_negative_voxels_and_one_in_range_stay() -> None:
    scan = measured(sampled(4))
    spline = scan.acquisition.interpolate(scan.image)
    shifted = replace(scan, image=scan.image - 100)
    assert within_range(spline, shifted) is spline
    flat = np.maximum(spline, 0)
    assert within_range(flat, scan) is flat


@st.composite
def scans(draw: st.DrawFn) -> ThickScan:
    """A magnitude image of any intensities, partly empty, in slices of any distance, thickness and profile."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    step = draw(st.floats(1.2, 8))
    axis = thick(24, step, step * draw(st.floats(0.3, 1.5)), draw(st.sampled_from(["box", "gaussian"])))
    third = thick(6, 2) if draw(st.booleans()) else whole(6)
    acquisition = Acquisition((whole(5), axis, third))
    image = random.gamma(draw(st.floats(0.1, 3)), draw(st.floats(1e-3, 1e4)), acquisition.coarse)
    image[random.random(image.shape) < draw(st.floats(0, 0.8))] = 0
    return ThickScan((image + draw(st.sampled_from([0.0, 7.5]))).astype(np.float32), acquisition)


@given(scans(), st.floats(0.1, 5), st.integers(0, 2**32 - 1))
def test_no_residual_of_a_network_leaves_the_range(scan: ThickScan, size: float, seed: int) -> None:
    fine = np.zeros(scan.acquisition.fine, np.float32)
    residual = size * np.random.default_rng(seed).normal(size=fine.shape).astype(np.float32)
    made = setting(scan, Options(), 1).finished(residual, fine).values
    assert made.min() >= scan.image.min()
    assert within_range(made, scan) is made
    apart = np.abs(scan.acquisition.measure(made) - scan.image).max() / max(float(scan.image.max()), 1e-6)
    shared = any((measuring(axis) > 0).sum(axis=0).max() > 1 for axis in scan.acquisition.axes)
    assert shared or apart < 1e-5


@pytest.mark.parametrize("name", SPLINES)
def test_every_spline_keeps_to_the_range(name: str) -> None:
    scan = measured(sampled(4))
    method = find("superres").method(name).load()
    made = finish(method(scan, Options())).values
    assert made.min() >= 0
    free = finish(method(scan, Options(consistent=False))).values
    assert name in ("nearest", "linear") or free.min() < 0
