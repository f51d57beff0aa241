import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from core.nets.fusion_net import FusionNet
from core.nets.plane_net import PLANES

EXPERTS = 5
# the planes always predict
SOME = st.lists(st.booleans(), min_size=EXPERTS - PLANES, max_size=EXPERTS - PLANES).map(
    lambda others: [True] * PLANES + others
)


def network(trained: bool) -> FusionNet:
    torch.manual_seed(0)
    net = FusionNet(2, EXPERTS, (8, 8), (1, 1), conditioning=2, norm="channel")
    if trained:
        for value in net.parameters():
            torch.nn.init.normal_(value, std=0.2)
    return net.eval().requires_grad_(False)


def inputs(seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    noisy, context = (torch.randn(1, channels, 8, 8, 8, generator=generator) for channels in (1, 2))
    return noisy, context, torch.tensor([-1.0]), torch.tensor([[0.3, 1.0]])


UNTRAINED, TRAINED = network(trained=False), network(trained=True)


@given(SOME)
def test_an_untrained_head_is_the_mean_of_the_planes(there: list[bool]) -> None:
    predictions = torch.randn(1, EXPERTS, 8, 8, 8, generator=torch.Generator().manual_seed(1))
    present = torch.tensor([there], dtype=torch.float32)
    residual, log_variance = UNTRAINED(*inputs(), predictions=predictions, present=present)
    assert torch.allclose(residual, predictions[:, :PLANES].mean(dim=1, keepdim=True), atol=1e-6)
    assert log_variance.eq(0).all()


@given(SOME, st.floats(-3, 3))
def test_weights_sum_to_one_at_every_voxel(there: list[bool], value: float) -> None:
    head = network(trained=True)
    last = head.leave[-1]
    assert isinstance(last, torch.nn.Conv3d) and last.bias is not None
    # the free part, a voxel of each block of eight
    free = slice(8 * EXPERTS, 8 * (EXPERTS + 1))
    last.weight[free], last.bias[free] = 0, 0
    present = torch.tensor([there], dtype=torch.float32)
    residual, _ = head(*inputs(), predictions=torch.full((1, EXPERTS, 8, 8, 8), value), present=present)
    assert torch.allclose(residual, torch.full_like(residual, value), atol=1e-4 * (1 + abs(value)))


def test_a_trained_head_weighs_its_experts_voxel_by_voxel() -> None:
    present = torch.ones(1, EXPERTS)
    predictions = torch.randn(1, EXPERTS, 8, 8, 8, generator=torch.Generator().manual_seed(1))
    residual, _ = TRAINED(*inputs(), predictions=predictions, present=present)
    assert (residual - predictions[:, :PLANES].mean(dim=1, keepdim=True)).std() > 0.1


@pytest.mark.parametrize("absent", range(PLANES, EXPERTS))
def test_an_expert_that_was_not_asked_counts_for_nothing(absent: int) -> None:
    present = torch.ones(1, EXPERTS)
    present[0, absent] = 0
    predictions = torch.randn(1, EXPERTS, 8, 8, 8, generator=torch.Generator().manual_seed(1))
    loud = predictions.clone()
    loud[:, absent] = 100
    for one, other in zip(
        TRAINED(*inputs(), predictions=predictions, present=present),
        TRAINED(*inputs(), predictions=loud, present=present),
        strict=True,
    ):
        assert torch.equal(one, other)


def test_every_weight_learns() -> None:
    head = network(trained=True).requires_grad_(True)
    predictions = torch.randn(1, EXPERTS, 8, 8, 8)
    residual, log_variance = head(*inputs(), predictions=predictions, present=torch.ones(1, EXPERTS))
    (residual.square().mean() + log_variance.mean()).backward()
    assert all(value.grad is not None and value.grad.abs().sum() > 0 for value in head.parameters())
