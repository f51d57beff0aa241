import pytest
import torch

from core.nets import build
from core.nets.volume_net import VolumeNet


@pytest.fixture
def small() -> VolumeNet:
    return VolumeNet(widths=(8, 8), blocks=(1, 1))


def test_an_untrained_network_adds_nothing_to_the_fill(small: VolumeNet) -> None:
    residual, log_variance = small(torch.randn(2, 1, 8, 12, 16), torch.randn(2, 2, 8, 12, 16), torch.zeros(2))
    assert residual.shape == log_variance.shape == (2, 1, 8, 12, 16)
    assert residual.eq(0).all()
    assert log_variance.eq(0).all()


def test_every_weight_learns(small: VolumeNet) -> None:
    for value in small.parameters():
        torch.nn.init.normal_(value, std=0.1)
    residual, log_variance = small(torch.randn(1, 1, 8, 8, 8), torch.randn(1, 2, 8, 8, 8), torch.zeros(1))
    (residual.square().mean() + log_variance.mean()).backward()
    assert all(value.grad is not None and value.grad.abs().sum() > 0 for value in small.parameters())


def test_the_answer_depends_on_the_noise_level(small: VolumeNet) -> None:
    for value in small.parameters():
        torch.nn.init.normal_(value, std=0.1)
    noisy, context = torch.randn(1, 1, 8, 8, 8), torch.randn(1, 2, 8, 8, 8)
    high, _ = small(noisy, context, torch.tensor([-9.0]))
    low, _ = small(noisy, context, torch.tensor([2.0]))
    assert (high - low).abs().max() > 1e-3


def test_a_network_too_big_for_its_file_is_noticed() -> None:
    network = build("volume_net", {"context": 2, "widths": [24, 64, 128], "blocks": [1, 2, 2]})
    assert sum(value.numel() for value in network.parameters()) < 8_000_000


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(KeyError):
        build("transformer", {})
