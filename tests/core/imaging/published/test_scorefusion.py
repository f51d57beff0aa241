from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.acquisition import Acquisition, thick, whole
from core.contrasts import CONTRASTS
from core.events import finish
from core.imaging.inpaint.network import RESIDUAL
from core.imaging.options import Options, PublishedOptions
from core.imaging.problem import Problem, Sources, ThickScan
from core.imaging.published import average, planes, scorefusion
from core.imaging.published.scorefusion import SOURCE_PLANE
from core.imaging.translate import regression
from core.nets.fusion_net import FusionNet
from core.nets.piecewise_linear import FEATURES
from tests.core.imaging.fakes import Slices

RNG = np.random.default_rng(0)
IMAGE = (1 + 0.2 * RNG.normal(size=(20, 18, 16))).astype(np.float32)
MASK = np.zeros(IMAGE.shape, bool)
MASK[8:12, 7:11, 6:9] = True
PROBLEM = Problem(np.where(MASK, np.float32(0), IMAGE), MASK, np.ones(IMAGE.shape, bool), (1.0, 1.0, 1.0))
AXES = Acquisition((whole(16), whole(12), thick(12, 3)))
SCAN = ThickScan(AXES.measure(IMAGE[:16, :12, :12]), AXES)
BRAIN = np.pad(np.ones((8, 6, 10), bool), 3)
SOURCES = Sources(
    {name: (1 + RNG.random(BRAIN.shape)).astype(np.float32) * BRAIN for name in ("t1", "t2")}, BRAIN, "flair"
)
TWO = Options(steps=2)


class Ours(nn.Module):
    """Our network, as an expert that always says the same."""

    multiple = 4

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(
        self, noisy: Tensor, context: Tensor, log_snr: Tensor, conditioning: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        return torch.full_like(noisy, self.value), torch.zeros_like(noisy)


class Head(FusionNet):
    """An untrained head that remembers which experts it heard."""

    def __init__(self, context: int, experts: int, conditioning: int) -> None:
        super().__init__(context, experts, (8, 8), (1, 1), conditioning)
        self.heard: list[list[float]] = []

    def forward(self, *inputs: Tensor, predictions: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        self.heard.append(present[0].tolist())
        return super().forward(*inputs, predictions=predictions, present=present)


@dataclass
class Installed:
    slices: Slices
    heads: dict[str, Head]
    ours: float = 0.0


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Every network of three tasks, fake ones and untrained heads."""
    made = Installed(
        Slices((0.5, -1.0, 2.0)),
        {"inpaint-fusion": Head(7, 4, 0), "superres-fusion": Head(11, 4, 9), "translate-fusion": Head(9, 8, 8)},
    )

    def load(name: str, device: str) -> nn.Module:
        if name.endswith("-volume"):
            return Ours(made.ours)
        return made.heads.get(name, made.slices)

    for module in (scorefusion, planes):
        monkeypatch.setattr(module, "load", load)
        monkeypatch.setattr(module, "calibration", lambda name: 1.0)
    table = np.zeros((16, 4, FEATURES), np.float32)
    monkeypatch.setattr(regression, "load_table", lambda device: table)
    return made


@pytest.mark.parametrize("task", ["inpaint", "superres", "translate"])
def test_an_untrained_head_is_the_average(installed: Installed, task: str) -> None:
    alone = replace(SOURCES, images={"t1": SOURCES.images["t1"]})
    problem = {"inpaint": PROBLEM, "superres": SCAN, "translate": alone}[task]
    fused = finish(getattr(scorefusion, task)(problem, TWO))
    mean = finish(getattr(average, task)(problem, TWO))
    assert np.allclose(fused.values, mean.values, atol=1e-5)
    assert fused.calls == mean.calls + TWO.steps
    head = installed.heads[f"{task}-fusion"]
    assert head.heard == [[1.0] * 3 + [0.0] * (head.experts - 3)] * TWO.steps


def test_an_untrained_head_is_the_average_of_several_sources_too(installed: Installed) -> None:
    fused, mean = finish(scorefusion.translate(SOURCES, TWO)), finish(average.translate(SOURCES, TWO))
    assert np.allclose(fused.values, mean.values, atol=1e-5)


def test_another_seed_is_another_sample(installed: Installed) -> None:
    first, again, other = (finish(scorefusion.inpaint(PROBLEM, replace(TWO, seed=seed))).values for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other, atol=1e-4)


def test_our_network_is_one_more_expert_if_wished(installed: Installed) -> None:
    one, wished = Options(steps=1), Options(steps=1, published=PublishedOptions(volume=True))
    head = installed.heads["inpaint-fusion"]
    last = head.leave[-1]
    assert isinstance(last, nn.Conv3d) and last.bias is not None
    # a block of eight voxels for each expert
    last.bias.data[8 * scorefusion.VOLUME : 8 * (scorefusion.VOLUME + 1)] = 1
    without, zero = finish(scorefusion.inpaint(PROBLEM, one)), finish(scorefusion.inpaint(PROBLEM, wished))
    installed.ours = 3.0
    loud = finish(scorefusion.inpaint(PROBLEM, wished))
    assert head.heard == [[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1]]
    assert zero.calls == without.calls + 1
    unit = RESIDUAL * np.percentile(IMAGE[~MASK], 95)
    assert np.allclose((loud.values - zero.values)[MASK], unit * 3 * (1 - 1 / 4), rtol=1e-3)


@pytest.mark.parametrize("names", [("t1",), ("t1", "t2")])
def test_each_of_several_sources_has_an_expert_that_sees_it_alone(installed: Installed, names: tuple[str, ...]) -> None:
    sources = replace(SOURCES, images={name: SOURCES.images[name] for name in names})
    made = finish(scorefusion.translate(sources, Options(steps=1)))
    several = len(names) > 1
    experts = [float(several and name in names) for name in CONTRASTS]
    assert installed.heads["translate-fusion"].heard == [[1, 1, 1, 0, *experts]]
    calls = installed.slices.calls
    assert [call.plane for call in calls] == [0, 1, 2, *([SOURCE_PLANE] * len(names) if several else [])]
    assert made.calls == sum(call.count for call in calls) + 1
    for call, name in zip(calls[3:], names if several else (), strict=True):
        there = [float(call.context[0, number].abs().sum()) > 0 for number in range(len(CONTRASTS))]
        assert there == [contrast == name for contrast in CONTRASTS]
