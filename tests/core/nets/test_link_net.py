import numpy as np
import pytest
import torch

from core.nets.link_net import LinkNet
from core.weights import load

# what deepbet 1.0.2's own files (TorchScript) return for ``pattern`` at these voxels: how likely they are brain
PLACES = ((30, 34, 28), (40, 20, 10), (12, 50, 33), (32, 32, 5), (60, 3, 31))
DEEPBET = {"brain-box": (0.00001, 0.0, 0.0, 1.0, 0.0), "brain": (0.00002, 0.99969, 1.0, 0.94816, 0.0)}
MEANS = {"brain-box": 0.16213, "brain": 0.35138}


def pattern() -> torch.Tensor:
    x, y, z = np.indices((64, 64, 64))
    ball = np.exp(-((x - 30) ** 2 + (y - 34) ** 2 + (z - 28) ** 2) / 400.0)
    return torch.from_numpy((ball + ((7 * x + 13 * y + 29 * z) % 97) / 970.0).astype(np.float32))[None, None]


@pytest.mark.parametrize("name", ["brain-box", "brain"])
def test_the_shipped_networks_return_what_deepbet_returns(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COUNTERSCAN_WEIGHTS", raising=False)
    with torch.inference_mode():
        found = load(name)(pattern())[0].sigmoid()
    assert [float(found[place]) for place in PLACES] == pytest.approx(DEEPBET[name], abs=1e-3)
    assert float(found.mean()) == pytest.approx(MEANS[name], abs=1e-3)


@pytest.mark.parametrize("widths", [(8, 8), (4, 8, 16)])
def test_every_voxel_gets_a_score(widths: tuple[int, ...]) -> None:
    network = LinkNet(widths, (1,) * len(widths))
    sides = (2 * network.multiple, network.multiple, 3 * network.multiple)
    assert network(torch.randn(2, 1, *sides)).shape == (2, *sides)


def test_every_weight_learns() -> None:
    torch.manual_seed(0)
    network = LinkNet((8, 8), (1, 2))
    network(torch.randn(1, 1, 32, 32, 32)).square().mean().backward()
    for name, value in network.named_parameters():
        assert value.grad is not None, name
        # an instance norm takes away what the bias before it adds
        if name not in ("widen.bias", "refine.bias"):
            assert value.grad.abs().sum() > 0, name
