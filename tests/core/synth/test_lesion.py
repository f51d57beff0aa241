import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from core.synth.lesion import lumpy_mask, paint_cavity


@given(st.floats(1.0, 20.0), st.integers(0, 2**31))
def test_a_blob_is_one_piece_of_about_the_asked_volume(millilitres: float, seed: int) -> None:
    mask = lumpy_mask((80, 80, 80), (40, 40, 40), millilitres, np.random.default_rng(seed))
    assert ndimage.label(mask)[1] == 1
    assert mask.sum() / 1000 == pytest.approx(millilitres, rel=0.3)


def test_a_blob_that_leaves_the_grid_is_cut() -> None:
    mask = lumpy_mask((30, 30, 30), (0, 0, 0), 4.0, np.random.default_rng(0))
    assert mask.shape == (30, 30, 30)
    assert 0 < mask.sum() < 2000


def test_a_cavity_is_dark_inside_and_nothing_changes_outside() -> None:
    rng = np.random.default_rng(0)
    scan = np.full((40, 40, 40), 1.0, np.float32)
    mask = lumpy_mask(scan.shape, (20, 20, 20), 8.0, rng)
    sick = paint_cavity(scan, mask, rng)
    assert np.array_equal(sick[~mask], scan[~mask])
    assert np.median(sick[ndimage.distance_transform_edt(mask) > 4]) < 0.5
