import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from core.nets.blocks import (
    ONEDNN,
    ChannelNorm,
    Residual,
    convolution,
    depth_to_space,
    embed_log_snr,
    halved,
    normalise,
    space_to_depth,
)

even = st.integers(1, 4).map(lambda half: 2 * half)


@given(st.integers(1, 3), st.lists(even, min_size=2, max_size=3))
def test_depth_to_space_undoes_space_to_depth(channels: int, sides: list[int]) -> None:
    image = torch.arange(2 * channels * math.prod(sides)).reshape(2, channels, *sides)
    folded = space_to_depth(image)
    assert folded.shape == (2, channels * 2 ** len(sides), *(side // 2 for side in sides))
    assert torch.equal(depth_to_space(folded), image)


def test_space_to_depth_keeps_the_voxels_of_a_block_together() -> None:
    image = torch.zeros(1, 1, 4, 4, 4)
    image[0, 0, 2:, :2, 2:] = 1
    folded = space_to_depth(image)
    assert folded.shape == (1, 8, 2, 2, 2)
    assert folded[0, :, 1, 0, 1].eq(1).all()
    assert folded.sum() == 8


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("sides", [(4, 6), (4, 2, 6)])
def test_folding_without_gradients_is_the_same(sides: tuple[int, ...], kind: torch.dtype) -> None:
    image = torch.randn(2, 3, *sides).to(kind).movedim(1, -1).contiguous().movedim(-1, 1)
    with torch.inference_mode():
        assert torch.equal(space_to_depth(image), space_to_depth(image.double()).to(kind))


def test_pixels_of_a_plane_are_folded_as_voxels_are() -> None:
    image = torch.zeros(1, 1, 4, 4)
    image[0, 0, 2:, :2] = 1
    folded = space_to_depth(image)
    assert folded[0, :, 1, 0].eq(1).all()
    assert folded.sum() == 4


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_residual_block_starts_deaf_to_its_condition(dimensions: int) -> None:
    x = torch.randn(2, 8, *[4] * dimensions)
    block = Residual(8, 8, 6, dimensions=dimensions)
    assert torch.equal(block(x, torch.randn(2, 6)), block(x, torch.randn(2, 6)))


@pytest.mark.parametrize("norm", ["group", "channel"])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_block_without_gradients_computes_what_it_learnt_with(norm: str, dimensions: int) -> None:
    block = Residual(8, 16, 6, norm, dimensions)
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x, condition = torch.randn(1, 8, *[6] * dimensions), torch.randn(1, 6)
    learning = block(x, condition)
    with torch.inference_mode():
        assert torch.allclose(block(x, condition), learning, atol=1e-4)
    assert learning.std() > 0.1


@pytest.mark.parametrize("side", [4, 24])
def test_a_convolution_leaves_no_volume_to_the_slow_way(side: int) -> None:
    layer, x = convolution(3)(16, 16, 3, padding=1), torch.randn(1, 16, side, side, side)
    learning = layer(x)
    with torch.inference_mode(), torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        found = layer(x)
    assert torch.allclose(found, learning, atol=1e-5)
    names = {event.key for event in profile.key_averages()}
    assert not {name for name in names if "slow" in name}
    assert "aten::mkldnn_convolution" in names or not ONEDNN


def test_the_channels_of_a_folded_voxel_lie_side_by_side() -> None:
    assert space_to_depth(torch.randn(1, 2, 4, 4, 4)).is_contiguous(memory_format=torch.channels_last_3d)
    assert space_to_depth(torch.randn(3, 2, 4, 4)).is_contiguous(memory_format=torch.channels_last)


def test_the_channel_norm_of_a_tile_is_that_of_the_whole() -> None:
    norm = ChannelNorm(8)
    torch.nn.init.normal_(norm.norm.weight)
    x = torch.randn(1, 8, 6, 6, 6)
    whole = norm(x)
    assert torch.allclose(norm(x[..., 2:5]), whole[..., 2:5], atol=1e-6)
    flat = normalise("channel", 8)(x)
    assert flat.mean(dim=1).abs().max() < 1e-5
    assert not torch.allclose(normalise("group", 8)(x), flat, atol=0.1)


def test_noise_levels_are_told_apart() -> None:
    embedded = embed_log_snr(torch.tensor([-9.0, -0.5, 0.0, 0.6, 3.0]), 64)
    assert embedded.shape == (5, 64)
    assert torch.cdist(embedded, embedded).fill_diagonal_(9).min() > 0.5


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_halving_takes_the_means_of_blocks(kind: torch.dtype) -> None:
    volume, plane = torch.randn(2, 3, 4, 6, 8).to(kind), torch.randn(2, 3, 4, 6).to(kind)
    assert torch.allclose(halved(volume), F.avg_pool3d(volume.float(), 2), atol=1e-6)
    assert torch.allclose(halved(plane), F.avg_pool2d(plane.float(), 2), atol=1e-6)
    apart = volume.contiguous(memory_format=torch.channels_last_3d)
    assert torch.equal(halved(apart), halved(volume))
    assert halved(apart).is_contiguous(memory_format=torch.channels_last_3d)
