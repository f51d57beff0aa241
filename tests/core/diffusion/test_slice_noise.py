import math

import pytest
import torch
from torch import Tensor

from core.diffusion.sampler import white
from core.diffusion.slice_noise import along

SIDES = (14, 40, 40)


def drawn(axis: int, width: float, seed: int = 0) -> Tensor:
    """Return noise with the slices along the first axis, (14, 40, 40)."""
    mask = torch.ones(1, 1, *SIDES).movedim(2, 2 + axis)
    return along(axis, width)(mask, torch.Generator().manual_seed(seed))[0, 0].movedim(axis, 0)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("width", [0.8, 2.0, 3.5])
def test_each_slice_is_as_noisy_as_the_network_expects_up_to_the_ends(axis: int, width: float) -> None:
    noise = drawn(axis, width)
    # 1600 voxels a slice: the variance is known to 3.5 %
    assert (noise.flatten(1).var(dim=1) - 1).abs().max() < 0.15
    assert noise.flatten(1).mean(dim=1).abs().max() < 0.1


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("width", [0.8, 2.0, 3.5])
def test_slices_correlate_as_promised(axis: int, width: float) -> None:
    noise = drawn(axis, width)
    for apart in (1, 2, 4, 7):
        found = float((noise[apart:] * noise[:-apart]).mean())
        assert found == pytest.approx(math.exp(-(apart**2) / (4 * width**2)), abs=0.06)


@pytest.mark.parametrize("axis", range(3))
def test_within_a_slice_noise_is_white(axis: int) -> None:
    noise = drawn(axis, 2.0)
    for shift in (1, 2, 3):
        assert abs(float((noise[:, shift:] * noise[:, :-shift]).mean())) < 0.04
        assert abs(float((noise[:, :, shift:] * noise[:, :, :-shift]).mean())) < 0.04


def test_noise_lives_in_the_mask_and_the_seed_is_the_noise() -> None:
    mask = torch.zeros(1, 1, 6, 6, 6)
    mask[..., 2:4, 1:5] = 1
    first, again, other = (along(1)(mask, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert (first[mask == 0] == 0).all() and (first[mask == 1] != 0).all()
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_without_width_noise_is_white() -> None:
    assert along(2, 0.0) is white
