import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.failure.data.image_patches import Window, cut_patches
from core.spectra.cube import Cube

WAVENUMBERS = np.array([1000.0, 1655.0])
CLASSES = ("left", "right")


def section(height: int = 12, width: int = 16) -> tuple[Cube, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """A cube whose first band is the number of the pixel, tissue everywhere, one class on each half."""
    data = np.ones((height, width, 2), np.float32)
    data[:, :, 0] = np.arange(height * width).reshape(height, width)
    mask = np.ones((height, width), np.int64)
    mask[:, width // 2 :] = 2
    return Cube(data, WAVENUMBERS, np.ones(data.shape[:2], bool)), mask


@given(st.integers(2, 6), st.integers(1, 6))
def test_patches_are_cut_where_they_lie(size: int, step: int) -> None:
    cube, mask = section()
    picture = np.repeat(cube.data[:, :, :1] / 200, 3, axis=2)
    found = cut_patches(cube, mask, CLASSES, Window(size, step), picture=picture)
    assert found.ir.shape[1:] == (2, size, size)
    assert found.rgb is not None
    np.testing.assert_allclose(found.rgb[:, 0], found.ir[:, 0] / 200, rtol=1e-6)
    for patch, label in zip(found.ir[:, 0], found.labels, strict=True):
        down, across = divmod(int(patch[0, 0]), 16)
        assert down % step == across % step == 0
        np.testing.assert_array_equal(patch, cube.data[down : down + size, across : across + size, 0])
        share = (mask[down : down + size, across : across + size] == label + 1).mean()
        assert share >= 0.8


def test_glass_and_mixed_places_are_left_out() -> None:
    cube, mask = section()
    cube.data[:4, :, 1] = 0.01
    mask[8:, :8] = 0
    found = cut_patches(cube, mask, CLASSES, Window(4, 4))
    assert sorted(divmod(int(patch[0, 0]), 16) for patch in found.ir[:, 0]) == [
        (4, 0),
        (4, 4),
        (4, 8),
        (4, 12),
        (8, 8),
        (8, 12),
    ]
    np.testing.assert_array_equal(np.sort(found.labels), [0, 0, 1, 1, 1, 1])


def test_a_patch_is_of_one_patient() -> None:
    cube, mask = section()
    regions = np.full(mask.shape, 7)
    regions[6:] = 9
    found = cut_patches(cube, mask, CLASSES, Window(4, 4), regions)
    assert found.groups is not None
    assert set(found.groups) == {7, 9}
    rows = found.ir[:, 0, 0, 0] // 16
    np.testing.assert_array_equal(found.groups, np.where(rows < 6, 7, 9))
    assert 4 not in rows


def test_what_does_not_fit_is_refused() -> None:
    cube, mask = section()
    for wrong in (mask[:-1], mask + 1, mask - 2):
        with pytest.raises(UserError, match="mask_mismatch"):
            cut_patches(cube, wrong, CLASSES, Window(4, 4))
    with pytest.raises(UserError, match="mask_mismatch"):
        cut_patches(cube, mask, CLASSES, Window(4, 4), picture=np.zeros((12, 16, 4)))
    for window in (Window(13, 4), Window(4, 4, tissue=2.0)):
        with pytest.raises(UserError, match="no_patches"):
            cut_patches(cube, mask, CLASSES, window)
