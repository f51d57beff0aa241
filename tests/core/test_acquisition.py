import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from core.acquisition import Acquisition, Axis, Profile, measuring, thick, whole

SIDE = 24


def volume(seed: int = 0) -> NDArray[np.float64]:
    noise = np.random.default_rng(seed).normal(size=(10, 12, SIDE))
    return np.asarray(ndimage.gaussian_filter(noise, 1.0))


def along_z(axis: Axis) -> Acquisition:
    return Acquisition((whole(10), whole(12), axis))


def test_a_box_of_the_step_is_the_block_mean() -> None:
    fine = volume()
    acquisition = along_z(thick(SIDE, 4))
    assert np.allclose(acquisition.measure(fine), fine.reshape(10, 12, 6, 4).mean(axis=3), atol=1e-6)


def test_a_gaussian_profile_is_a_gaussian_filter_read_at_the_slice_centres() -> None:
    fine = volume()
    measured = along_z(Axis(SIDE, 5, 4.0, 4.0, 3.0, "gaussian")).measure(fine)
    smooth = ndimage.gaussian_filter1d(fine, 4 / 2.3548, axis=2, mode="nearest", truncate=4.3)
    assert np.allclose(measured, smooth[:, :, 3::4][:, :, :5], atol=2e-3)


def test_the_cubic_spline_is_that_of_scipy() -> None:
    acquisition = along_z(thick(SIDE, 4))
    measured = acquisition.measure(volume())
    expected = ndimage.zoom(measured, (1, 1, 4), order=3, grid_mode=True, mode="nearest")
    assert np.allclose(acquisition.enlarge(measured), expected, atol=1e-5)


def test_an_axis_of_whole_voxels_is_left_alone() -> None:
    fine = volume().astype(np.float32)
    acquisition = along_z(whole(SIDE))
    assert np.array_equal(acquisition.measure(fine), fine)
    assert np.array_equal(acquisition.enlarge(fine), fine)
    assert acquisition.coarse == acquisition.fine


def test_back_projection_comes_near_what_was_measured_and_the_consistent_spline_is_there() -> None:
    acquisition = along_z(thick(SIDE, 4, profile="gaussian"))
    measured = acquisition.measure(volume())
    start = acquisition.enlarge(measured)
    ten = acquisition.back_project(start, measured)
    exact = acquisition.interpolate(measured)

    def error(result: NDArray[np.float32]) -> float:
        return float(np.abs(acquisition.measure(result) - measured).max())

    assert error(start) > 20 * error(ten)
    assert error(exact) < 1e-5
    assert np.abs(ten - exact).max() < 0.02 * np.abs(exact).max()


axes = st.builds(
    lambda step, width, profile, shift: Axis(
        SIDE, int((SIDE - 0.5 - shift) / step) + 1, step, max(1.0, step * width), shift, profile
    ),
    st.floats(1.5, 6),
    st.floats(0.7, 1.1),
    st.sampled_from(("box", "gaussian")),
    st.floats(0, 1.4),
)


@given(axes, st.integers(0, 99))
def test_every_slice_weighs_one_and_the_projection_measures_as_the_scan(axis: Axis, seed: int) -> None:
    assert np.allclose(measuring(axis).sum(axis=1), 1)
    acquisition = along_z(axis)
    measured = acquisition.measure(volume(seed))
    for result in (acquisition.project(volume(seed + 1), measured), acquisition.interpolate(measured)):
        assert np.abs(acquisition.measure(result) - measured).max() < 1e-5


@given(axes, st.floats(-5, 5))
def test_a_constant_stays_a_constant(axis: Axis, level: float) -> None:
    flat = np.full((10, 12, SIDE), level)
    acquisition = along_z(axis)
    measured = acquisition.measure(flat)
    assert np.allclose(measured, level, atol=1e-5)
    assert np.allclose(acquisition.enlarge(measured), level, atol=1e-4)


@pytest.mark.parametrize("profile", ["box", "gaussian"])
def test_projecting_twice_changes_nothing(profile: Profile) -> None:
    acquisition = Acquisition((thick(10, 2, profile=profile), whole(12), thick(SIDE, 3, profile=profile)))
    measured = acquisition.measure(volume())
    once = acquisition.project(volume(3), measured)
    assert np.allclose(acquisition.project(once, measured), once, atol=1e-5)
