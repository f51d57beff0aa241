from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.volume import (
    Volume,
    bounding_box,
    corners,
    orientation_of,
    ras_affine,
    resample,
    slanted_axis,
    spacing,
    straightened,
    to_spacing,
)
from tests.core.files.grids import ORIENTATIONS, SIZES, grid_affine, nib

Turn = tuple[tuple[int, int, int], tuple[bool, bool, bool]]
SHAPE = (4, 5, 6)
RAS = grid_affine((0, 1, 2), (False, False, False), (1.0, 1.0, 1.0))


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("turn", ORIENTATIONS)
def test_orientation_agrees_with_nibabel_and_comes_back(turn: Turn, sizes: str) -> None:
    affine = grid_affine(*turn, SIZES[sizes], 0.4 if sizes == "oblique" else 0.0)
    values = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    orientation = orientation_of(affine)
    data = orientation.to_ras(values)
    canonical = nib.as_closest_canonical(nib.Nifti1Image(values, affine))
    np.testing.assert_array_equal(data, np.asanyarray(canonical.dataobj))
    np.testing.assert_allclose(ras_affine(affine, SHAPE), canonical.affine, atol=1e-9)
    np.testing.assert_array_equal(orientation.from_ras(data), values)
    assert np.shares_memory(data, values)


@given(angles=st.tuples(*[st.floats(-3.2, 3.2)] * 3), turn=st.sampled_from(ORIENTATIONS))
def test_every_voxel_keeps_its_place_in_mm(angles: tuple[float, float, float], turn: Turn) -> None:
    a, b, c = angles
    rotation = np.eye(3)
    for (i, j), angle in zip([(0, 1), (1, 2), (0, 2)], (a, b, c), strict=True):
        step = np.eye(3)
        step[[i, i, j, j], [i, j, i, j]] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
        rotation = rotation @ step
    affine = grid_affine(*turn, (0.5, 1.0, 4.0))
    affine[:3, :3] = rotation @ affine[:3, :3]
    values = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    data, turned = orientation_of(affine).to_ras(values), ras_affine(affine, SHAPE)
    for index in np.ndindex(data.shape):
        stored = np.unravel_index(data[index], SHAPE)
        np.testing.assert_allclose(turned @ np.array((*index, 1)), affine @ np.array((*stored, 1)), atol=1e-9)
    assert sorted(spacing(turned)) == pytest.approx([0.5, 1.0, 4.0])


def test_corners() -> None:
    points = corners(RAS, SHAPE)
    np.testing.assert_allclose(points[0], RAS[:3, 3])
    np.testing.assert_allclose(points[1] - points[0], (0, 0, 5))
    np.testing.assert_allclose(points[7] - points[0], (3, 4, 5))


def test_bounding_box() -> None:
    mask = np.zeros((6, 7, 8), bool)
    mask[2:4, 0, 5] = True
    assert bounding_box(mask) == (slice(2, 4), slice(0, 1), slice(5, 6))
    assert bounding_box(mask, (1, 2, 3)) == (slice(1, 5), slice(0, 3), slice(2, 8))
    with pytest.raises(ValueError, match="empty"):
        bounding_box(np.zeros((2, 2, 2), bool))


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.bool_])
def test_resample_to_itself_changes_nothing(order: int, dtype: type[Any]) -> None:
    data: NDArray[Any] = (np.random.default_rng(0).random(SHAPE) * 2).astype(dtype)
    again = resample(data, RAS, RAS, SHAPE, order=1 if order else 0)
    assert again.dtype == dtype
    np.testing.assert_array_equal(again, data)


@pytest.mark.parametrize("turn", ORIENTATIONS[::5])
def test_resample_moves_a_linear_ramp_exactly(turn: Turn) -> None:
    fine = grid_affine(*turn, (1.0, 1.0, 1.0))
    index = np.moveaxis(np.indices((12, 12, 12)), 0, -1)
    field = ((index @ fine[:3, :3].T + fine[:3, 3]) @ (1.0, 2.0, -3.0)).astype(np.float32)
    target = RAS.copy()
    target[:3, :3] *= 0.7
    target[:3, 3] = corners(fine, (12, 12, 12)).mean(axis=0) - 1.05
    moved = resample(field, fine, target, (4, 4, 4), order=1)
    index = np.moveaxis(np.indices((4, 4, 4)), 0, -1)
    np.testing.assert_allclose(moved, (index @ target[:3, :3].T + target[:3, 3]) @ (1.0, 2.0, -3.0), rtol=1e-5)


def test_resample_is_zero_outside() -> None:
    away = RAS.copy()
    away[0, 3] += 100
    assert not resample(np.ones(SHAPE, np.float32), RAS, away, SHAPE, order=1).any()


@given(size=st.tuples(*[st.floats(0.4, 3.0)] * 3))
def test_to_spacing_keeps_field_of_view_and_level(size: tuple[float, float, float]) -> None:
    volume = Volume(np.full((9, 10, 11), 5, np.float32), grid_affine((0, 1, 2), (False,) * 3, (1.0, 0.8, 1.2)))
    other = to_spacing(volume, size)
    assert other.spacing == pytest.approx(size)
    np.testing.assert_allclose(other.data, 5)
    for grid in (other.data.shape, volume.data.shape):
        assert min(grid) >= 1
    first = volume.affine @ (-0.5, -0.5, -0.5, 1)
    np.testing.assert_allclose(other.affine @ (-0.5, -0.5, -0.5, 1), first, atol=1e-9)
    extent = np.array(other.data.shape) * size - np.array(volume.data.shape) * volume.spacing
    assert (np.abs(extent) <= np.array(size) / 2 + 1e-6).all()


@pytest.mark.parametrize("shift", [(0.75, 0.0), (0.0, -0.6), (0.4, 0.3)])
@pytest.mark.parametrize("turned", [False, True])
def test_straightened_slices_lie_where_they_lay(shift: tuple[float, float], turned: bool) -> None:
    affine = np.diag([1.0, 1.2, 3.0, 1.0])
    affine[:2, 2] = shift
    if turned:
        sin, cos = np.sin(0.4), np.cos(0.4)
        affine = np.array([[1, 0, 0, 5], [0, cos, -sin, 6], [0, sin, cos, 7], [0, 0, 0, 1]]) @ affine
    # a picture that is linear in space stays what it is, wherever it is looked at
    index = np.indices((20, 22, 8)).reshape(3, -1)
    places = affine[:3, :3] @ index + affine[:3, 3:]
    weights = np.array([0.7, -0.3, 0.5])
    data = (weights @ places + 500).reshape(20, 22, 8).astype(np.float32)
    made = straightened(Volume(data, affine))
    assert slanted_axis(affine) == 2 and slanted_axis(made.affine) is None
    assert made.spacing == pytest.approx((1, 1.2, 3)) and made.data.shape[2] == 8
    index = np.indices(made.data.shape).reshape(3, -1)
    expected = (weights @ (made.affine[:3, :3] @ index + made.affine[:3, 3:]) + 500).reshape(made.data.shape)
    covered = straightened(Volume(np.ones_like(data), affine)).data > 0.999
    assert covered.sum() > 0.9 * 19 * 21 * 8
    np.testing.assert_allclose(made.data[covered], expected[covered], atol=2e-3)
    # every voxel that was measured lies on the new grid
    inside = np.linalg.solve(made.affine, np.vstack([places, np.ones(places.shape[1])]))[:3]
    assert inside.min() > -0.01 and (inside.max(axis=1) < np.array(made.data.shape) - 0.99).all()


def test_an_upright_volume_is_not_touched() -> None:
    volume = Volume(np.zeros((4, 5, 6), np.float32), np.diag([1.0, 2.0, 3.0, 1.0]))
    assert straightened(volume) is volume
