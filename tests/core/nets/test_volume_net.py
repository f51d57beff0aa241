import pytest
import torch

from core.nets import build
from core.nets.volume_net import VolumeNet
from core.train.presets import PRESETS


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


def test_with_a_skip_an_untrained_network_gives_the_best_linear_guess() -> None:
    network = VolumeNet(widths=(8, 8), blocks=(1, 1), skip=True, norm="channel")
    noisy, level = torch.randn(1, 1, 8, 8, 8), torch.tensor([1.5])
    residual, _ = network(noisy, torch.randn(1, 2, 8, 8, 8), level)
    assert torch.allclose(residual, level.sigmoid().sqrt() * noisy, atol=1e-6)


@pytest.mark.parametrize("scaled", [True, False])
def test_scaled_pure_noise_is_not_seen(scaled: bool) -> None:
    network = VolumeNet(widths=(8, 8), blocks=(1, 1), scaled=scaled)
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(0, 0.2)
    context, pure = torch.randn(1, 2, 8, 8, 8), torch.tensor([-40.0])
    first, second = (network(torch.randn(1, 1, 8, 8, 8), context, pure)[0] for _ in range(2))
    assert torch.allclose(first, second, atol=1e-5) == scaled


def test_the_last_facts_choose_the_head() -> None:
    network = VolumeNet(widths=(8, 8), blocks=(1, 1), conditioning=3, heads=2, skip=True)
    last = network.leave[-1]
    assert isinstance(last, torch.nn.Conv3d) and last.bias is not None
    with torch.no_grad():
        last.bias[:8], last.bias[16:24] = 1.0, 2.0
    noisy, context, level = torch.zeros(1, 1, 8, 8, 8), torch.randn(1, 2, 8, 8, 8), torch.tensor([-9.2])
    for chosen in (0, 1):
        conditioning = torch.tensor([[5.0, float(chosen == 0), float(chosen == 1)]])
        residual, log_variance = network(noisy, context, level, conditioning)
        assert torch.allclose(residual, torch.full_like(residual, chosen + 1.0), atol=1e-3)
        assert log_variance.eq(0).all()


def test_the_direct_map_passes_intensities_by_the_norms() -> None:
    network = VolumeNet(widths=(8, 8), blocks=(1, 1), direct=True, skip=True, norm="channel")
    assert network.direct is not None
    with torch.no_grad():
        # channel 1 of noise, fill and mask is the fill; its eight voxels of a block go to the eight of the residual
        network.direct.weight[range(8), range(8, 16)] = 3.0
    context = torch.randn(1, 2, 8, 8, 8)
    residual, _ = network(torch.zeros(1, 1, 8, 8, 8), context, torch.tensor([-30.0]))
    assert torch.allclose(residual, 3 * context[:, :1], atol=1e-5)


def test_every_shipped_kind_of_network_fits_its_file() -> None:
    for preset in PRESETS:
        network = build(preset.architecture, preset.config)
        assert sum(value.numel() for value in network.parameters()) < 8_000_000


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(KeyError):
        build("transformer", {})


@pytest.mark.parametrize("level", [-9.2, 0.0, 3.2])
def test_a_fused_answer_weighs_two_estimates_by_their_variances(level: float) -> None:
    plain, fused = (VolumeNet(widths=(8, 8), blocks=(1, 1), scaled=True, fused=fused) for fused in (False, True))
    with torch.no_grad():
        for weight in plain.parameters():
            weight.normal_(0, 0.2)
    fused.load_state_dict(plain.state_dict())
    given = torch.randn(1, 1, 8, 8, 8), torch.randn(1, 2, 8, 8, 8), torch.tensor([level])
    (predictions, own), (residual, log_variance) = plain(*given), fused(*given)
    abar = given[2].sigmoid()
    other = (1 - abar) / abar
    precision = (-own).exp() + 1 / other
    expected = ((-own).exp() * predictions + given[0] / abar.sqrt() / other) / precision
    assert torch.allclose(residual, expected, atol=1e-3)
    assert torch.allclose(log_variance.exp(), 1 / precision, rtol=1e-4)
