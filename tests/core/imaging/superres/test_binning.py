import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.imaging.superres.binning import binned, unbinned

IMAGE = np.random.default_rng(0).normal(size=(9, 8, 5)).astype(np.float32)


def test_blocks_are_means_and_the_last_is_filled_up_by_its_edge() -> None:
    made = binned(IMAGE, (2, 4, 1))
    assert made.shape == (5, 2, 5)
    assert made[1, 1, 3] == pytest.approx(IMAGE[2:4, 4:8, 3].mean(), abs=1e-6)
    assert made[4, 0, 0] == pytest.approx(IMAGE[8, 0:4, 0].mean(), abs=1e-6)
    assert binned(IMAGE, (1, 1, 1)) is IMAGE


@given(st.tuples(*[st.integers(1, 4)] * 3), st.tuples(*[st.integers(8, 14)] * 3))
def test_a_slope_survives_but_at_the_edge(factors: tuple[int, int, int], shape: tuple[int, int, int]) -> None:
    i, j, k = np.indices(shape)
    slope = (i + 2 * j - k).astype(np.float32)
    back = unbinned(binned(slope, factors), factors, shape)
    assert back.shape == shape
    inner = tuple(slice(factor, -2 * factor) for factor in factors)
    np.testing.assert_allclose(back[inner], slope[inner], atol=1e-4)
