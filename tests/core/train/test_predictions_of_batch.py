from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.contrasts import CONTRASTS
from core.diffusion.schedule import GRID, log_snr, signal, times
from core.imaging.published.planes import WEIGHTS
from core.imaging.published.scorefusion import SOURCE_PLANE
from core.nets import build
from core.train import predictions_of_batch as calls
from core.train.batch import Batch
from core.train.predictions_of_batch import Crops, caller
from core.train.presets import PRESETS, Preset, find
from tests.core.imaging.fakes import Slices

SIDE, ITEMS = 16, 2
SAMPLERS = [preset for preset in PRESETS if preset.source in WEIGHTS]
TINY: dict[str, Any] = {"widths": [8, 8], "blocks": [1, 1]}


def crops(context: int = 7, conditioning: Tensor | None = None) -> Crops:
    generator = torch.Generator().manual_seed(0)
    support = torch.zeros(ITEMS, 1, SIDE, SIDE, SIDE)
    support[0, :, 3:9, 4:6, 5:12] = 1
    support[1, :, 5:10, 4:8, 5:7] = 1
    noisy = torch.randn(support.shape, generator=generator) * support
    known = torch.randn(ITEMS, context, SIDE, SIDE, SIDE, generator=generator)
    return Crops(noisy, known, torch.tensor([-1.0, 2.0]), conditioning, support)


class Experts:
    """Frozen networks by name: slices that remember, and our own that says nine."""

    def __init__(self) -> None:
        self.slices = Slices()

    def __call__(self, name: str, device: str) -> nn.Module:
        return self.slices if name.endswith("-plane") else Nine()


class Nine(nn.Module):
    def forward(
        self, noisy: Tensor, context: Tensor, log_snr: Tensor, conditioning: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        return torch.full_like(noisy, 9.0), torch.zeros_like(noisy)


class Head(nn.Module):
    """A head that records its inputs."""

    def __init__(self, experts: int) -> None:
        super().__init__()
        self.experts = experts

    def forward(self, noisy: Tensor, *inputs: Tensor, predictions: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        self.predictions, self.present = predictions, present
        return noisy, noisy


class Batched(Slices):
    """Slices that are asked about several items at once."""

    def forward(self, noisy: Tensor, context: Tensor, log_snr: Tensor, *told: Any) -> tuple[Tensor, Tensor]:
        return super().forward(noisy, context, log_snr[:1], *told)


@pytest.fixture
def experts(monkeypatch: pytest.MonkeyPatch) -> Experts:
    made = Experts()
    made.slices = Batched((1.0, 2.0, 3.0))
    monkeypatch.setattr(calls, "load", made)
    return made


def test_a_network_of_volumes_is_called_as_it_is() -> None:
    preset = replace(find("volume_net"), config={**TINY, "context": 7, "skip": True})
    network, given = build(preset.architecture, preset.config), crops()
    said = caller(preset)(network, given, np.random.default_rng(0))
    for mine, expected in zip(said, network(given.noisy, given.context, given.levels, None), strict=True):
        assert torch.equal(mine, expected)


def test_every_plane_is_asked_about_the_slices_that_touch_the_support() -> None:
    preset, seen = replace(find("plane_inpaint"), coarse=0.0), set()
    rng = np.random.default_rng(0)
    for _ in range(20):
        network = Batched((1.0, 1.0, 1.0))
        clean, _ = caller(preset)(network, crops(), rng)
        (question,) = network.calls
        seen.add(question.plane)
        assert question.coarse is None
        extent = [(3, 10), (4, 8), (5, 12)][question.plane]
        assert question.count == extent[1] - extent[0]
        answered = clean.movedim(2 + question.plane, 0).flatten(1).abs().amax(dim=1) > 0
        assert answered.nonzero().flatten().tolist() == list(range(*extent))
    assert seen == {0, 1, 2}


def test_a_share_of_steps_is_told_of_another_plane() -> None:
    preset, rng, told, count = replace(find("plane_inpaint"), coarse=0.4), np.random.default_rng(0), 0, 60
    for _ in range(count):
        network = Batched((1.0, 2.0, 3.0))
        caller(preset)(network, crops(), rng)
        *before, last = network.calls
        if last.coarse is None:
            assert not before
            continue
        told += 1
        (first,) = before
        assert first.plane != last.plane and first.level < -8 < last.level
        outside = crops().support == 0
        assert last.coarse[outside].eq(0).all() and not last.coarse.requires_grad
        assert last.coarse[~outside].ne(0).any()
    assert 0.2 < told / count < 0.6


@pytest.mark.parametrize("seed", range(4))
def test_a_head_hears_three_planes_and_at_times_our_network(experts: Experts, seed: int) -> None:
    head = Head(4)
    caller(find("fusion_inpaint"))(head, crops(), np.random.default_rng(seed))
    assert [question.plane for question in experts.slices.calls] == [0, 1, 2]
    ours = float(np.random.default_rng(seed).random() < 0.5)
    assert head.present.tolist() == [[1, 1, 1, ours]] * ITEMS
    assert head.predictions[:, 3].eq(9 * ours).all()
    inside = crops().support[:, 0] > 0
    assert torch.allclose((head.predictions[:, 2] - head.predictions[:, 0])[inside], torch.tensor(2.0), atol=1e-5)


def test_a_head_hears_each_of_several_sources_alone(experts: Experts) -> None:
    conditioning = torch.zeros(ITEMS, 8)
    conditioning[0, [0, 2]] = 1
    conditioning[1, 1] = 1
    conditioning[:, 7] = 1
    head = Head(8)
    given = crops(9, conditioning)
    caller(find("fusion_translate"))(head, given, np.random.default_rng(0))
    assert head.present[:, 4:].tolist() == [[1, 0, 1, 0], [0, 0, 0, 0]]
    alone = experts.slices.calls[3:]
    assert [question.plane for question in alone] == [SOURCE_PLANE] * len(CONTRASTS)
    for number, question in enumerate(alone):
        others = [other for other in range(len(CONTRASTS)) if other != number]
        assert question.context[:, others].eq(0).all()
        assert torch.equal(question.context[:, [number, *range(4, 9)]], given.context[:, [number, *range(4, 9)]])
    assert (
        given.context[:, :4].ne(0).any()
        and given.conditioning is not None
        and torch.equal(given.conditioning, conditioning)
    )


@pytest.mark.parametrize("preset", SAMPLERS, ids=lambda preset: preset.name)
def test_every_network_learns_as_it_is_called(monkeypatch: pytest.MonkeyPatch, preset: Preset) -> None:
    def tiny(kind: str) -> nn.Module:
        wanted = next(each for each in PRESETS if each.weights == kind)
        torch.manual_seed(0)
        return build(wanted.architecture, {**wanted.config, **TINY})

    monkeypatch.setattr(calls, "load", lambda name, device: tiny(name))
    config = preset.config
    conditioning = torch.zeros(ITEMS, config["conditioning"]) if "conditioning" in config else None
    if conditioning is not None:
        conditioning[:, [0, 1, -1]] = 1
    network = tiny(preset.weights)
    given = crops(config["context"], conditioning)
    clean, log_variance = caller(preset)(network, given, np.random.default_rng(0))
    assert clean.shape == log_variance.shape == given.noisy.shape
    torch.autograd.backward(((clean - 1) * given.support).square().sum())
    assert any(value.grad is not None and value.grad.abs().sum() > 0 for value in network.parameters())


class Bright(nn.Module):
    """Says 5 everywhere and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Tensor, Tensor]] = []

    def forward(
        self, noisy: Tensor, context: Tensor, log_snr: Tensor, conditioning: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        self.asked.append((noisy, log_snr))
        return torch.full_like(noisy, 5.0), torch.zeros_like(noisy)


def cube() -> Batch:
    """Return two crops whose residual is -1 and 1 in turns in a cube of 12 voxels."""
    support = np.zeros((ITEMS, 1, SIDE, SIDE, SIDE), np.float32)
    support[..., 2:14, 2:14, 2:14] = 1
    truth = support * (1 - 2 * (np.indices((SIDE, SIDE, SIDE)).sum(axis=0) % 2))
    return Batch(np.zeros((ITEMS, 2, SIDE, SIDE, SIDE), np.float32), truth, support)


def parts(noisy: Tensor, time: float) -> tuple[float, float]:
    """Return brightness and detail of the residual that ``noisy`` carries at ``time``, 1 being the detail of a cube."""
    inside = noisy[..., 2:14, 2:14, 2:14] / signal(time) ** 0.5
    pattern = torch.from_numpy(1 - 2 * (np.indices((12, 12, 12)).sum(axis=0) % 2))
    return float(inside.mean()), float((inside * pattern).mean())


def randomness() -> tuple[torch.Generator, np.random.Generator]:
    return torch.Generator().manual_seed(0), np.random.default_rng(0)


PLAIN = Preset("tiny", "tiny", "inpaint", "volume_net", {**TINY, "context": 2})


def test_a_crop_is_asked_about_at_the_noise_of_its_time() -> None:
    network, batch = Bright(), cube()
    made = calls.predict_batch(network, PLAIN, batch, np.array([0.125, 1.0]), *randomness(), "cpu")
    ((noisy, level),) = network.asked
    assert level.tolist() == pytest.approx([log_snr(0.125), log_snr(1.0)], rel=1e-5)
    assert parts(noisy[:1], 0.125) == pytest.approx((0, 1), abs=0.05)
    assert torch.equal(made.clean, 5 * torch.from_numpy(batch.region))
    assert torch.equal(made.target, torch.from_numpy(batch.target).float())


def test_a_walk_takes_brightness_from_the_network_and_detail_from_the_truth() -> None:
    network, batch = Bright(), cube()
    made = list(calls.predict_along_sample(network, PLAIN, batch, *randomness(), "cpu"))
    visited = times(GRID)
    assert len(made) == len(network.asked) == GRID
    for time, (_, level) in zip(visited, network.asked, strict=True):
        assert level.tolist() == pytest.approx([log_snr(time)] * ITEMS, rel=1e-5)
    # at the first there is noise alone
    first = network.asked[0][0]
    assert first.std() < 1 and abs(float((first * torch.from_numpy(batch.target)).mean())) < 0.02
    for time, (noisy, _) in list(zip(visited, network.asked, strict=True))[2:]:
        assert parts(noisy, time) == pytest.approx((5, 1), abs=0.1 / signal(time) ** 0.5)


def test_every_step_of_a_walk_is_learnt_from_by_itself() -> None:
    network = build(PLAIN.architecture, PLAIN.config)
    for made in calls.predict_along_sample(network, PLAIN, cube(), *randomness(), "cpu"):
        network.zero_grad()
        # a graph that reached back to an earlier step would be freed by now
        torch.autograd.backward((made.clean - made.target).square().mean())
        assert any(value.grad is not None and value.grad.abs().sum() > 0 for value in network.parameters())


def test_a_head_hears_the_same_experts_all_along_a_walk(experts: Experts) -> None:
    head = Head(4)
    heard = []
    batch = replace(cube(), context=np.zeros((ITEMS, 7, SIDE, SIDE, SIDE), np.float32))
    for seed in range(6):
        rng = np.random.default_rng(seed)
        ours = set()
        for _ in calls.predict_along_sample(head, find("fusion_inpaint"), batch, torch.Generator(), rng, "cpu"):
            ours.add(float(head.present[0, 3]))
        assert len(ours) == 1
        heard.append(ours.pop())
    assert set(heard) == {0.0, 1.0}
