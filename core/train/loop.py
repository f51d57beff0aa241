"""The training loop of the networks: wall-clock budget, running average, resumable checkpoints."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from core.diffusion.schedule import GRID, signal
from core.errors import UserError
from core.nets import build
from core.train.batch import Batch, Source
from core.train.checkpoint import Clock, State, restore, save
from core.train.dice import overlap
from core.train.feed import Feed
from core.train.pack import PackedSet
from core.train.predictions_of_batch import Asked, ask, walk
from core.train.presets import Preset
from core.train.residual_spectrum import BATCHES, Shares, measure
from core.train.superres_crops import ThickSource
from core.train.tissue_crops import TissueSource
from core.train.translate_crops import ContrastSource
from core.weights import load

TISSUES = "tissues"

# weight of the log-variance head's likelihood beside the squared error
DOUBT = 0.05
CLIP = 1.0
SAVE_SECONDS = 60
# runs are short: the second moment must forget the first steps soon
BETAS = (0.9, 0.99)


@dataclass(frozen=True)
class Plan:
    """A run: where its packed set and its folder are, how long it may take, how it is seeded.

    ``seconds`` of wall clock over all sessions drive the learning rate, or ``steps`` when given.
    warm: start from the shipped weights; rate: highest learning rate in place of the preset's.
    """

    packed: Path
    folder: Path
    seconds: float
    steps: int | None = None
    seed: int = 0
    device: str = "cpu"
    workers: int = 1
    resume: bool = False
    smallest: bool = False
    warm: bool = False
    rate: float | None = None


def train(preset: Preset, plan: Plan, say: Callable[[str], None]) -> State:
    """Run ``plan`` to its end and return the state; the running average is what ships."""
    torch.manual_seed(plan.seed)
    network = build(preset.architecture, preset.config).to(plan.device)
    if plan.warm:
        say(_warm(network, load(preset.weights, plan.device)))
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=preset.learning_rate, betas=BETAS, weight_decay=1e-2)
    state = State(network, average, optimiser, Clock())
    plan.folder.mkdir(parents=True, exist_ok=True)
    if plan.resume:
        restore(plan.folder, state)
    with batches(preset, plan) as batch:
        _run(preset, plan, state, batch, say)
    save(plan.folder, state, {"preset": preset.name, "seed": plan.seed})
    return state


def doubt(preset: Preset, plan: Plan, state: State) -> Shares:
    """Return how the errors of the averaged network hang together; nothing for networks whose samples do not ask."""
    # of a translation most of it is white at little noise: drawn too, samples were grain
    if preset.architecture != "volume_net" or preset.source != "inpaint":
        return ()
    network = build(preset.architecture, preset.config).to(plan.device).eval()
    network.load_state_dict(state.average)
    with batches(preset, plan) as batch:
        asked = (batch(state.clock.step + index) for index in range(1 if plan.smallest else BATCHES))
        return measure(network, preset, asked, plan.device)


def _warm(network: nn.Module, shipped: nn.Module) -> str:
    """Take over every tensor of ``shipped`` that has its like in ``network``; the others start as they are."""
    own = network.state_dict()
    kept = {
        name: value for name, value in shipped.state_dict().items() if name in own and own[name].shape == value.shape
    }
    if not kept:
        raise UserError(
            "bad_parameter",
            "The shipped network has nothing in common with the one to train.",
            "Train without --warm.",
        )
    network.load_state_dict(kept, strict=False)
    return f"{len(kept)} of {len(own)} tensors start from the shipped network"


@contextlib.contextmanager
def batches(preset: Preset, plan: Plan) -> Iterator[Callable[[int], Batch]]:
    """Give the function step -> batch of a run: made when asked for, or ahead where that is slow."""
    if preset.source == "inpaint":
        feed = Feed(plan.packed, plan.folder / "batches", plan.seed, plan.workers, plan.smallest)
        try:
            yield feed.batch
        finally:
            feed.close()
    else:
        source = _source(preset, plan)
        yield lambda step: source.batch(step, plan.smallest)


def _source(preset: Preset, plan: Plan) -> Source:
    packed = PackedSet(plan.packed)
    if preset.source == TISSUES:
        return TissueSource(packed, plan.seed, plan.folder / "volumes")
    if preset.source == "translate":
        return ContrastSource(packed, plan.seed, plan.folder / "trees", grown=preset.architecture != "plane_net")
    return ThickSource(packed, plan.seed)


def _run(preset: Preset, plan: Plan, state: State, batch: Callable[[int], Batch], say: Callable[[str], None]) -> None:
    before, started = state.clock.seconds, time.monotonic()
    saved = started
    losses: list[tuple[float, float]] = []
    while (done := _fraction(plan, state.clock)) < 1:
        rate = (plan.rate or preset.learning_rate) * min(1.0, (state.clock.step + 1) / preset.warm_up)
        for group in state.optimiser.param_groups:
            group["lr"] = rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        step = state.clock.step
        losses.append(take_step(state.network, state.optimiser, batch(step), preset, plan, step))
        _average(state, preset.average)
        state.clock.step += 1
        now = time.monotonic()
        state.clock.seconds = before + now - started
        if state.clock.step % 20 == 0:
            say(_report(preset, state.clock, _fraction(plan, state.clock), losses[-100:]))
        if now - saved >= SAVE_SECONDS:
            save(plan.folder, state, {"preset": preset.name, "seed": plan.seed})
            saved = now


def take_step(
    network: nn.Module, optimiser: torch.optim.Optimizer, batch: Batch, preset: Preset, plan: Plan, step: int
) -> tuple[float, float]:
    """Take one optimiser step, or one at each time of a sample where the preset says so; returns two measures of the
    error that is left, those that ``_report`` names."""
    left = []
    for loss, error in _losses(network, batch, preset, plan, step):
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimiser.step()
        left.append(error)
    return _means(left)


def _losses(
    network: nn.Module, batch: Batch, preset: Preset, plan: Plan, step: int
) -> Iterator[tuple[Tensor, tuple[float, float]]]:
    if preset.source == TISSUES:
        yield overlap(network, batch, plan.device)
        return
    rng = np.random.default_rng([plan.seed, step, 2])
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    if preset.drift:
        for asked in walk(network, preset, batch, generator, rng, plan.device):
            yield _residual(asked, preset)
        return
    count = len(batch.target)
    times = np.where(rng.random(count) < preset.from_noise, 1.0, rng.integers(1, GRID + 1, count) / GRID)
    yield _residual(ask(network, preset, batch, times, generator, rng, plan.device), preset)


def _residual(asked: Asked, preset: Preset) -> tuple[Tensor, tuple[float, float]]:
    """Return the loss of a residual, and the squared error from noise alone and over all, as a share of the
    residual's own variance (1 = no better than the trivial base; NaN where the batch has none)."""
    clean, log_variance, target, region = asked.clean, asked.log_variance, asked.target, asked.region
    error = _in_region((clean - target) ** 2, region)
    doubt = _in_region((clean.detach() - target) ** 2 * (-log_variance).exp() + log_variance, region)
    # errors at low noise are small: weighted up, as in Hang et al. 2023 (min-SNR), to count alike
    weight = 1 / (1.1 - torch.tensor([signal(time) for time in asked.times], device=target.device))
    # an easy crop leaves a tenth of the residual of a hard one: each is to count alike
    energy = _in_region(target**2, region)
    loss = (weight * error / (energy + preset.smallest) + DOUBT * doubt).mean()
    share = (error / energy.clamp_min(1e-6)).detach().cpu().numpy()
    alone = share[asked.times == 1]
    return loss, (float(alone.mean()) if alone.size else math.nan, float(share.mean()))


def _in_region(values: Tensor, region: Tensor) -> Tensor:
    """Return the mean of ``values`` weighted by ``region`` for each item of the batch, (B,)."""
    return (values * region).flatten(1).sum(dim=1) / region.flatten(1).sum(dim=1).clamp_min(1e-6)


def _average(state: State, keep: float) -> None:
    # early on the average follows the network quickly
    keep = min(keep, (1 + state.clock.step) / (10 + state.clock.step))
    with torch.no_grad():
        for name, value in state.network.state_dict().items():
            state.average[name].lerp_(value, 1 - keep)


def _fraction(plan: Plan, clock: Clock) -> float:
    return clock.step / plan.steps if plan.steps is not None else clock.seconds / plan.seconds


def _means(errors: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the mean of each of two measures over the steps that have it."""
    first, second = ([value for value in column if not math.isnan(value)] for column in zip(*errors, strict=True))
    return (float(np.mean(first)) if first else math.nan, float(np.mean(second)) if second else math.nan)


def _report(preset: Preset, clock: Clock, done: float, losses: list[tuple[float, float]]) -> str:
    first, second = _means(losses)
    names = ("1 - Dice", "cross-entropy") if preset.source == TISSUES else ("from noise", "all levels")
    left = clock.seconds * (1 / max(done, 1e-6) - 1)
    rate = clock.step / max(clock.seconds, 1e-6)
    return (
        f"step {clock.step}  {100 * done:.0f} %  {rate:.2f} steps/s  {left / 60:.0f} min left  "
        f"error left: {names[0]} {first:.3f}, {names[1]} {second:.3f}"
    )
