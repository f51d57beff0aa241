from __future__ import annotations

from pathlib import Path

import pytest

from core.nets.volume_net import VolumeNet
from core.tasks import find
from core.tasks.cost import multiply_adds
from tests.contract.phantom import write_phantom

TASK = find("inpaint")


def counted(config: dict[str, object], side: int) -> int:
    """Multiply-adds of every convolution of one call on a cube, counted while it runs."""
    import torch

    total = 0

    def count(layer: torch.nn.Module, inputs: object, output: torch.Tensor) -> None:
        nonlocal total
        weight = layer.weight
        assert isinstance(weight, torch.Tensor)
        total += weight[0].numel() * output[0].numel()

    network = VolumeNet(**config)  # type: ignore[arg-type]
    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv3d):
            layer.register_forward_hook(count)
    with torch.inference_mode():
        network(torch.zeros(1, 1, side, side, side), torch.zeros(1, 2, side, side, side), torch.zeros(1))
    return total


@pytest.mark.parametrize(
    "config",
    [{}, {"widths": (8, 16), "blocks": (1, 1)}, {"widths": (8, 8, 24), "blocks": (2, 1, 3)}],
)
def test_the_work_of_a_call_is_what_the_layers_do(config: dict[str, object]) -> None:
    assert multiply_adds(config) * 16**3 == pytest.approx(counted(config, 16), rel=0.01)


def test_more_samples_and_a_larger_mask_cost_more(tmp_path: Path) -> None:
    small, large = (write_phantom(_folder(tmp_path, name), radius) for name, radius in (("a", 2.0), ("b", 6.0)))
    one = TASK.estimate(small, TASK.parse({"samples": 1, "steps": 1}), "cpu")
    many = TASK.estimate(small, TASK.parse({"samples": 8, "steps": 2}), "cpu")
    big = TASK.estimate(large, TASK.parse({"samples": 8, "steps": 2, "grow": 10}), "cpu")
    assert (one.calls, many.calls, big.calls) == (1, 16, 16)
    assert one.seconds < many.seconds < big.seconds
    assert many.memory < big.memory


def test_without_files_or_with_bad_ones_a_typical_lesion_is_estimated(tmp_path: Path) -> None:
    bad = tmp_path / "bad.nii"
    bad.write_bytes(b"no scan")
    params = TASK.parse({})
    typical = TASK.estimate({}, params, "cpu")
    assert typical == TASK.estimate({"t1": bad, "mask": bad}, params, "cpu")
    assert 1 < typical.seconds < 600
    assert typical.calls == params["steps"] * params["samples"] <= 20  # type: ignore[operator]


def test_a_method_without_a_network_makes_no_calls() -> None:
    plain = TASK.estimate({}, TASK.parse({"method": "biharmonic", "compare": False}), "cpu")
    beside = TASK.estimate({}, TASK.parse({"method": "biharmonic"}), "cpu")
    assert plain.calls == 0
    assert plain.seconds < beside.seconds


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name
