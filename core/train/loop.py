"""The training loop of the volume network: wall-clock budget, running average, resumable checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from core.diffusion.schedule import GRID, log_snr, signal
from core.nets import build
from core.train.checkpoint import Clock, State, restore, save
from core.train.crops import Batch
from core.train.feed import Feed
from core.train.presets import Preset

# share of crops that start from noise alone, the one call of the Faithful mode: the other levels need more practice
FROM_NOISE = 0.25
# weight of the log-variance head's likelihood beside the squared error
DOUBT = 0.05
CLIP = 1.0
# added to a hole's own residual variance before errors are divided by it
SMALLEST = 0.2


@dataclass(frozen=True)
class Plan:
    """A run: where its packed set and its folder are, how long it may take, how it is seeded.

    ``seconds`` of wall clock over all sessions drive the learning rate, or ``steps`` when given.
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


def train(preset: Preset, plan: Plan, say: Callable[[str], None]) -> State:
    """Run ``plan`` to its end and return the state; the running average is what ships."""
    torch.manual_seed(plan.seed)
    network = build(preset.architecture, preset.config).to(plan.device)
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=preset.learning_rate, weight_decay=1e-2)
    state = State(network, average, optimiser, Clock())
    plan.folder.mkdir(parents=True, exist_ok=True)
    if plan.resume:
        restore(plan.folder, state)
    feed = Feed(plan.packed, plan.folder / "batches", plan.seed, plan.workers, plan.smallest)
    try:
        _run(preset, plan, state, feed, say)
    finally:
        feed.close()
    save(plan.folder, state, {"preset": preset.name, "seed": plan.seed})
    return state


def _run(preset: Preset, plan: Plan, state: State, feed: Feed, say: Callable[[str], None]) -> None:
    before, started = state.clock.seconds, time.monotonic()
    saved = started
    losses: list[tuple[float, float]] = []
    while (done := _fraction(plan, state.clock)) < 1:
        rate = preset.learning_rate * min(1.0, (state.clock.step + 1) / preset.warm_up)
        for group in state.optimiser.param_groups:
            group["lr"] = rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        losses.append(take_step(state.network, state.optimiser, feed.batch(state.clock.step), plan, state.clock.step))
        _average(state, preset.average)
        state.clock.step += 1
        now = time.monotonic()
        state.clock.seconds = before + now - started
        if state.clock.step % 20 == 0:
            say(_report(state.clock, _fraction(plan, state.clock), losses[-100:]))
        if now - saved > 60:
            save(plan.folder, state, {"preset": preset.name, "seed": plan.seed})
            saved = now


def take_step(
    network: nn.Module, optimiser: torch.optim.Optimizer, batch: Batch, plan: Plan, step: int
) -> tuple[float, float]:
    """Take one optimiser step; returns the squared error from noise alone and over all, as a share of the
    residual's own variance (1 = no better than the biharmonic fill; NaN where the batch has none)."""
    rng = np.random.default_rng([plan.seed, step, 2])
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    context = torch.from_numpy(batch.context).float().to(plan.device)
    target = torch.from_numpy(batch.target).float().to(plan.device)
    times = np.where(rng.random(len(target)) < FROM_NOISE, 1.0, rng.integers(1, GRID + 1, len(target)) / GRID)
    mask = context[:, 1:2]
    abar = torch.tensor([signal(t) for t in times], device=target.device).reshape(-1, 1, 1, 1, 1)
    noise = torch.randn(target.shape, generator=generator).to(target.device)
    noisy = (abar.sqrt() * target + (1 - abar).sqrt() * noise) * mask
    levels = torch.tensor([log_snr(t) for t in times], dtype=torch.float32, device=target.device)
    clean, log_variance = network(noisy, context, levels)
    error = _in_mask((clean - target) ** 2, mask)
    doubt = _in_mask((clean.detach() - target) ** 2 * (-log_variance).exp() + log_variance, mask)
    # errors at low noise are small: weighted up, as in Hang et al. 2023 (min-SNR), to count alike
    weight = 1 / (1 - abar.flatten() + 0.1)
    # a hole that reaches the surface leaves ten times the residual of one inside: each is to count alike
    size = _in_mask(target**2, mask) + SMALLEST
    loss = (weight * error / size + DOUBT * doubt).mean()
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(network.parameters(), CLIP)
    optimiser.step()
    share = (error / _in_mask(target**2, mask).clamp_min(1e-6)).detach().cpu().numpy()
    alone = share[times == 1]
    return float(alone.mean()) if alone.size else math.nan, float(share.mean())


def _in_mask(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of ``values`` inside ``mask`` for each item of the batch, (B,)."""
    return (values * mask).flatten(1).sum(dim=1) / mask.flatten(1).sum(dim=1)


def _average(state: State, keep: float) -> None:
    # early on the average follows the network quickly
    keep = min(keep, (1 + state.clock.step) / (10 + state.clock.step))
    with torch.no_grad():
        for name, value in state.network.state_dict().items():
            state.average[name].lerp_(value, 1 - keep)


def _fraction(plan: Plan, clock: Clock) -> float:
    return clock.step / plan.steps if plan.steps is not None else clock.seconds / plan.seconds


def _report(clock: Clock, done: float, losses: list[tuple[float, float]]) -> str:
    alone, every = np.nanmean(np.array(losses), axis=0)
    left = clock.seconds * (1 / max(done, 1e-6) - 1)
    rate = clock.step / max(clock.seconds, 1e-6)
    return (
        f"step {clock.step}  {100 * done:.0f} %  {rate:.2f} steps/s  {left / 60:.0f} min left  "
        f"error left: from noise {alone:.3f}, all levels {every:.3f}"
    )
