import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from core.train.drift import drifted, smooth

SHAPE = (2, 1, 20, 24, 18)


def support_of(seed: int) -> Tensor:
    support = torch.zeros(SHAPE)
    support[0, :, 2:15, 4:20, 3:16] = 1
    support[1] = (torch.rand(SHAPE[1:], generator=torch.Generator().manual_seed(seed)) < 0.7).float()
    return support


def fine() -> Tensor:
    """A pattern of -1 and 1 that changes at every voxel."""
    sides = torch.meshgrid(*(torch.arange(side) for side in SHAPE[2:]), indexing="ij")
    return (1 - 2 * (torch.stack(sides).sum(dim=0) % 2).float()).expand(SHAPE)


@given(seed=st.integers(0, 2**30), value=st.floats(-5, 5, width=32))
def test_the_smooth_part_of_a_constant_is_the_constant_up_to_the_edge(seed: int, value: float) -> None:
    support = support_of(seed)
    # what lies outside the support does not count
    image = value * support + 100 * (1 - support)
    torch.testing.assert_close(smooth(image, support), value * support, atol=1e-4, rtol=1e-4)


def test_what_changes_from_voxel_to_voxel_is_not_smooth() -> None:
    support = torch.zeros(SHAPE)
    support[..., 2:18, 2:22, 2:16] = 1
    assert smooth(fine(), support).abs().max() < 0.05


@given(seed=st.integers(0, 2**30), value=st.floats(-5, 5, width=32))
def test_brightness_is_taken_from_what_is_said_and_detail_from_the_truth(seed: int, value: float) -> None:
    support = support_of(0)
    truth = fine() * support
    said = torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed)) * support
    shifted = drifted(truth, truth + value, support)
    torch.testing.assert_close(shifted, support * (truth + value), atol=1e-4, rtol=1e-4)
    made = drifted(truth, said, support)
    assert made[support == 0].eq(0).all()
    # smoothing is linear: what is left of the difference is what smoothing twice would take away
    again = smooth(said - made, support)
    rest = smooth(said - truth, support)
    torch.testing.assert_close(again, rest - smooth(rest, support), atol=1e-4, rtol=1e-3)
