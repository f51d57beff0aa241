from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.imaging.tiles import Tile, Tiling, layout, single

SMALL = Tiling(side=24, overlap=8)


def total(tiles: list[Tile], shape: tuple[int, int, int]) -> NDArray[np.float32]:
    weights = np.zeros(shape, np.float32)
    for tile in tiles:
        weights[tile.box] += tile.weight()
    return weights


@given(
    st.tuples(*[st.integers(1, 20)] * 3),
    st.integers(2, 8),
    st.integers(0, 3),
    st.sampled_from((4, 8)),
)
def test_tiles_cover_a_volume_once_and_overlap_enough(
    counts: tuple[int, int, int], side: int, overlap: int, multiple: int
) -> None:
    shape = (counts[0] * multiple, counts[1] * multiple, counts[2] * multiple)
    if side <= overlap:
        return
    tiling = Tiling(side * multiple, overlap * multiple)
    tiles = layout(shape, multiple, tiling)
    np.testing.assert_allclose(total(tiles, shape), 1, atol=1e-5)
    for axis in range(3):
        spans = sorted({(tile.box[axis].start, tile.box[axis].stop) for tile in tiles})
        assert spans[0][0] == 0 and spans[-1][1] == shape[axis]
        assert all(start % multiple == 0 and stop - start <= tiling.side for start, stop in spans)
        assert all(before[1] - after[0] >= tiling.overlap for before, after in pairwise(spans))


def test_what_fits_is_one_tile_and_what_cannot_is_refused() -> None:
    assert [tile.box for tile in layout((24, 16, 24), 8, SMALL)] == [single((24, 16, 24))[0].box]
    with pytest.raises(ValueError, match="multiple"):
        layout((25, 24, 24), 8, SMALL)
    with pytest.raises(ValueError, match="overlap"):
        layout((64, 24, 24), 8, Tiling(side=16, overlap=16))
