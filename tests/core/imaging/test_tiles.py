from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from core.events import finish
from core.imaging.tiles import Tile, Tiling, call, layout, single
from core.nets.volume_net import VolumeNet

SHAPE = (40, 24, 56)
SMALL = Tiling(side=24, overlap=8)


def total(tiles: list[Tile], shape: tuple[int, int, int]) -> Tensor:
    weights = torch.zeros(shape)
    for tile in tiles:
        x, y, z = (torch.from_numpy(part) for part in tile.weights)
        weights[tile.box] += x[:, None, None] * y[None, :, None] * z[None, None, :]
    return weights


class Local(nn.Module):
    """Answers voxel by voxel: tiling must not show at all."""

    def forward(self, noisy: Tensor, context: Tensor, log_snr: Tensor, facts: Tensor | None) -> tuple[Tensor, Tensor]:
        return 2 * noisy + context[:, :1], context[:, 1:2]


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
    torch.testing.assert_close(total(tiles, shape), torch.ones(shape))
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


def test_a_local_network_is_seen_whole_through_tiles_and_progress_rises() -> None:
    context = np.random.default_rng(0).normal(size=(2, *SHAPE)).astype(np.float32)
    noisy = torch.randn(1, 1, *SHAPE)
    tiles = layout(SHAPE, 8, SMALL)
    asking = call(Local(), noisy, lambda box: context[(slice(None), *box)], torch.zeros(1), None, tiles)
    shares = []
    while True:
        try:
            shares.append(next(asking))
        except StopIteration as end:
            clean, log_variance = end.value
            break
    assert shares == [(index + 1) / len(tiles) for index in range(len(tiles))]
    torch.testing.assert_close(clean, 2 * noisy + torch.from_numpy(context[None, :1]))
    torch.testing.assert_close(log_variance, torch.from_numpy(context[None, 1:]))


def test_no_seam_shows_where_tiles_of_a_real_network_meet() -> None:
    torch.manual_seed(1)
    network = VolumeNet(context=2, widths=(8, 8), blocks=(1, 1), norm="channel").eval()
    for values in network.parameters():
        nn.init.normal_(values, std=0.1)
    shape = (16, 16, 96)
    smooth = np.add.outer(np.add.outer(np.sin(np.arange(16) / 3), np.cos(np.arange(16) / 4)), np.sin(np.arange(96) / 5))
    context = np.stack([smooth, smooth**2]).astype(np.float32)

    still = torch.zeros(1, 1, *shape)

    def seen(tiling: Tiling) -> Tensor:
        tiles = layout(shape, 4, tiling)
        with torch.inference_mode():
            asking = call(network, still, lambda box: context[(slice(None), *box)], torch.zeros(1), None, tiles)
            return finish(asking)[0][0, 0]

    whole, tiled = seen(Tiling(96, 8)), seen(Tiling(48, 32))
    spread = float(whole.std())
    assert float((tiled - whole).abs().max()) < 0.1 * spread
    borders = {tile.box[2].start for tile in layout(shape, 4, Tiling(48, 32))} - {0}
    steps = (tiled.diff(dim=2) - whole.diff(dim=2)).abs().mean(dim=(0, 1))
    natural = float(whole.diff(dim=2).abs().mean())
    assert borders
    assert all(float(steps[border - 1]) < 0.02 * natural for border in borders)
    # without an overlap to speak of, the same network does leave seams: the test can see them
    torn = seen(Tiling(48, 0))
    assert float((torn - whole).abs().max()) > 5 * float((tiled - whole).abs().max())
