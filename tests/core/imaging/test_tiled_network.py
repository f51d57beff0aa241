import numpy as np
import torch
from torch import Tensor, nn

from core.events import finish
from core.imaging.tiled_network import call
from core.imaging.tiles import Tiling, layout
from core.nets.volume_net import VolumeNet

SHAPE = (40, 24, 56)
SMALL = Tiling(side=24, overlap=8)


class Local(nn.Module):
    """Answers voxel by voxel: tiling must not show at all."""

    def forward(
        self, noisy: Tensor, context: Tensor, log_snr: Tensor, conditioning: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        return 2 * noisy + context[:, :1], context[:, 1:2]


def test_a_local_network_is_seen_whole_through_tiles_and_progress_rises() -> None:
    context = np.random.default_rng(0).normal(size=(2, *SHAPE)).astype(np.float32)
    noisy = torch.randn(1, 1, *SHAPE)
    tiles = layout(SHAPE, 8, SMALL)
    calling = call(Local(), noisy, lambda box: context[(slice(None), *box)], torch.zeros(1), None, tiles)
    shares = []
    while True:
        try:
            shares.append(next(calling))
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
            calling = call(network, still, lambda box: context[(slice(None), *box)], torch.zeros(1), None, tiles)
            return finish(calling)[0][0, 0]

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
