from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.imaging.cost import DEFAULTS, multiply_adds, network_cost, work
from core.imaging.inpaint.run import estimate
from core.nets import build
from core.tasks import TASKS, find
from tests.contract.phantom import write_tiny_networks

SMALL: dict[str, Any] = {"widths": (8, 16), "blocks": (1, 1)}
DEEP: dict[str, Any] = {"widths": (8, 8, 24), "blocks": (2, 1, 3)}
PLANE: dict[str, Any] = {"context": 7, "slab": 2}
HEAD: dict[str, Any] = {"context": 5, "experts": 4}
SIDE = 16


def counted(architecture: str, config: dict[str, Any]) -> int:
    """Multiply-adds of every convolution of one call on a cube, counted while it runs."""
    total = 0

    def count(layer: nn.Module, inputs: object, output: Tensor) -> None:
        nonlocal total
        assert isinstance(layer.weight, Tensor)
        total += layer.weight[0].numel() * output.numel()

    network = build(architecture, config)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d):
            layer.register_forward_hook(count)
    cube = torch.zeros(1, 1, SIDE, SIDE, SIDE)
    context = torch.zeros(1, config.get("context", 2), SIDE, SIDE, SIDE)
    heads = int(config.get("heads", 1))
    conditioning = torch.zeros(1, config["conditioning"]) if "conditioning" in config else None
    assert conditioning is None or heads <= conditioning.shape[1]
    more: dict[str, Any] = {}
    if architecture == "fusion_net":
        experts = config["experts"]
        more = {"predictions": torch.zeros(1, experts, SIDE, SIDE, SIDE), "present": torch.ones(1, experts)}
    with torch.inference_mode():
        network(cube, context, torch.zeros(1), conditioning, **more)
    return total


@pytest.mark.parametrize(
    ("architecture", "config"),
    [
        ("volume_net", SMALL),
        ("volume_net", DEEP),
        ("volume_net", {**SMALL, "context": 7, "stream": True, "skip": True}),
        ("volume_net", {**SMALL, "context": 9, "conditioning": 8, "heads": 4, "direct": True}),
        ("plane_net", {**SMALL, **PLANE}),
        ("plane_net", {**DEEP, **PLANE, "stream": True}),
        ("plane_net", {**SMALL, "context": 9, "slab": 4, "conditioning": 8, "heads": 4, "direct": True}),
        ("fusion_net", {**SMALL, **HEAD}),
        ("fusion_net", {**DEEP, **HEAD, "conditioning": 3}),
    ],
)
def test_the_work_of_a_call_is_what_the_convolutions_do(architecture: str, config: dict[str, Any]) -> None:
    assert multiply_adds(architecture, config) * SIDE**3 == pytest.approx(counted(architecture, config), rel=1e-6)


def test_a_network_that_is_not_installed_counts_as_a_usual_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSCAN_WEIGHTS", str(tmp_path))
    kinds = {"inpaint-volume": "volume_net", "superres-plane": "plane_net", "translate-fusion": "fusion_net"}
    for name, kind in kinds.items():
        assert work(name) == multiply_adds(kind, {}) == multiply_adds(kind, DEFAULTS[kind])
    write_tiny_networks(tmp_path, list(kinds))
    for name, kind in kinds.items():
        assert 0 < work(name) < multiply_adds(kind, {})


def params(task: str, **given: object) -> dict[str, Any]:
    return dict(find(task).parse(given))


@pytest.mark.parametrize(
    ("task", "name"), [(task.name, each.name) for task in TASKS for each in task.methods if not each.cheap]
)
def test_steps_of_zero_are_those_a_method_is_meant_for(task: str, name: str) -> None:
    method = find(task).method(name)
    usual = network_cost(method, params(task, samples=2), 12)
    assert usual == network_cost(method, params(task, samples=2, steps=method.steps), 12)
    assert usual.work > 0 and usual.calls >= 2 * method.steps
    more = network_cost(method, params(task, samples=4), 12)
    assert (more.work, more.calls) == (2 * usual.work, 2 * usual.calls)


def test_calls_are_counted_in_slices_of_a_plane() -> None:
    def calls(name: str, task: str = "inpaint", sources: int = 1, **given: object) -> int:
        given_params = params(task, steps=4, samples=1, **given)
        return network_cost(find(task).method(name), given_params, 10, sources).calls

    assert calls("volume") == 4
    assert calls("slicewise") == calls("tpdm") == 4 * 10
    assert calls("average") == calls("posterior") == 4 * 3 * 10
    assert calls("posterior", solver="dps") == 2 * calls("posterior")
    assert calls("repaint", resamples=5) == 5 * 4 * 10
    assert calls("scorefusion") == 4 * 3 * 10 + 4
    assert calls("scorefusion", volume=True) == 4 * 3 * 10 + 4 + 4
    assert calls("hierarchical", resamples=1, start=0.5) == 4 * 10 * 1.5
    assert calls("hierarchical", resamples=1, stages="axial") == 4 * 10
    assert calls("hierarchical", resamples=7, stages="axial") == 2 * 4 * 10
    assert calls("scorefusion", "translate", 1) == 4 * 3 * 10 + 4
    assert calls("scorefusion", "translate", 2) == 4 * 5 * 10 + 4


def test_a_gradient_costs_more_than_its_calls_say() -> None:
    plain, steep = (
        network_cost(find("inpaint").method("posterior"), params("inpaint", solver=each), 10)
        for each in ("projection", "mcg")
    )
    assert steep.work == pytest.approx(4 * plain.work)


def test_a_realistic_fill_is_a_mean_and_a_search() -> None:
    settings = [
        params("inpaint", mode="realistic", steps=steps, samples=samples) for steps, samples in ((8, 1), (8, 4))
    ]
    one, several = (estimate({}, each, "cpu") for each in settings)
    faithful = estimate({}, params("inpaint", mode="faithful", steps=1, samples=2), "cpu")
    assert one == several and one.calls == faithful.calls == 2 and one.seconds > faithful.seconds + 1
    # of a method of papers it is all of its samples
    paper = estimate({}, {**settings[1], "method": "average"}, "cpu")
    assert paper.calls == estimate({}, {**settings[1], "method": "average", "mode": "faithful"}, "cpu").calls > 10
