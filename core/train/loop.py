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
from core.train.curve import Curve, Stop
from core.train.dice import overlap
from core.train.feed import Feed
from core.train.kept_batches import KeptBatches
from core.train.pack import PackedSet
from core.train.predictions_of_batch import Predicted, in_region, predict_along_sample, predict_batch
from core.train.presets import Preset
from core.train.residual_spectrum import BATCHES, Shares, measure
from core.train.superres_crops import ThickSource
from core.train.tissue_crops import TissueSource
from core.train.translate_crops import ContrastSource
from core.train.validation import Validation
from core.weights import load

TISSUES = "tissues"

# weight of the log-variance head's likelihood beside the squared error
LIKELIHOOD = 0.05
CLIP = 1.0
SAVE_SECONDS = 180
# a run without an end: steps at the full rate, after which it falls with the square root, and its running average
HOLD = 10_000
LONG_AVERAGE = 0.9995
# steps between the rows of curve.csv, and seconds of processor time between those of validation.csv
CURVE_STEPS = 20
VALIDATE_SECONDS = 600
# runs are short: the second moment must forget the first steps soon
BETAS = (0.9, 0.99)


@dataclass(frozen=True)
class Plan:
    """A run: where its packed set and its folder are, how long it may take, how it is seeded.

    ``seconds`` of wall clock over all sessions drive the learning rate, or ``steps`` when given. Infinite ``seconds``
    make a run that goes on until it is stopped; its validation is measured now and then.
    warm: start from the shipped weights; rate: highest learning rate in place of the preset's.
    cool: go on from a checkpoint and bring the rate down within ``seconds`` from there.
    crops: the store of crops, in place of ``batches`` in the run's folder. half: bf16 on a CPU, too.
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
    cool: bool = False
    crops: Path | None = None
    half: bool = False

    @property
    def endless(self) -> bool:
        """Whether the run goes on until it is stopped."""
        return self.steps is None and math.isinf(self.seconds)


def train(preset: Preset, plan: Plan, log: Callable[[str], None], stop: Stop | None = None) -> State:
    """Run ``plan`` to its end, or until ``stop`` is wanted, and return the state; the running average is what ships."""
    torch.manual_seed(plan.seed)
    network = build(preset.architecture, preset.config).to(plan.device)
    if plan.warm:
        log(_warm(network, load(preset.weights, plan.device)))
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=preset.learning_rate, betas=BETAS, weight_decay=1e-2)
    state = State(network, average, optimiser, Clock())
    plan.folder.mkdir(parents=True, exist_ok=True)
    if plan.resume or plan.cool:
        restore(plan.folder, state)
    with batches(preset, plan) as batch:
        _Run(preset, plan, state, stop or Stop()).until_the_end(batch, log)
    save(plan.folder, state, {"preset": preset.name, "seed": plan.seed})
    return state


def error_spectrum(preset: Preset, plan: Plan, state: State) -> Shares:
    """Return how the errors of the averaged network are correlated in space; empty where samples do not use it."""
    # of a translation most of it is white at little noise: drawn too, samples were grain
    if preset.architecture != "volume_net" or preset.source != "inpaint":
        return ()
    network = build(preset.architecture, preset.config).to(plan.device).eval()
    network.load_state_dict(state.average)
    with batches(preset, plan) as batch:
        drawn = (batch(state.clock.step + index) for index in range(1 if plan.smallest else BATCHES))
        return measure(network, preset, drawn, plan.device)


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
    """Give the function step -> batch of a run: made at its step, or ahead where that is slow."""
    if preset.source == "inpaint":
        feed = Feed(plan.packed, plan.crops or plan.folder / "batches", plan.seed, plan.workers, plan.smallest)
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
        crops = ContrastSource(packed, plan.seed, plan.folder / "trees", grown=preset.architecture != "plane_net")
        return KeptBatches(crops, plan.packed, plan.folder / "batches", plan.seed)
    return ThickSource(packed, plan.seed)


class _Run:
    """One session of a run."""

    def __init__(self, preset: Preset, plan: Plan, state: State, stop: Stop) -> None:
        self._preset, self._plan, self._state, self._stop = preset, plan, state, stop
        self._before = (state.clock.seconds - time.monotonic(), state.clock.cpu - time.process_time())
        self._begun = (state.clock.step, state.clock.seconds)
        # where the budget begins: a run that cools counts from its checkpoint
        self._origin = self._begun if plan.cool else (0, 0.0)
        self._curve = Curve(
            plan.folder / "curve.csv", ("step", "seconds", "cpu", "rate", *_measures(preset)), state.clock
        )
        self._validation = Validation(preset, plan.packed, plan.crops or plan.folder, plan.smallest)

    def until_the_end(self, batch: Callable[[int], Batch], log: Callable[[str], None]) -> None:
        """Take steps until the plan is done or a signal stops the program."""
        plan, state, clock = self._plan, self._state, self._state.clock
        losses: list[tuple[float, float]] = []
        saved, validated = time.monotonic(), clock.cpu
        while not self._stop.wanted and self._done() < 1:
            rate = self._rate()
            for group in state.optimiser.param_groups:
                group["lr"] = rate
            losses.append(take_step(state.network, state.optimiser, batch(clock.step), self._preset, plan, clock.step))
            _average(state, LONG_AVERAGE if plan.endless else self._preset.average)
            clock.step += 1
            now = time.monotonic()
            clock.seconds, clock.cpu = self._before[0] + now, self._before[1] + time.process_time()
            if clock.step % CURVE_STEPS == 0:
                losses = losses[-100:]
                log(f"step {clock.step}  {self._pace()}  {_report(self._preset, losses)}")
                self._curve.add(
                    clock.step, round(clock.seconds), round(clock.cpu), rate, *_means(losses[-CURVE_STEPS:])
                )
            if plan.endless and clock.cpu - validated >= VALIDATE_SECONDS:
                log(self._validation.measure(state, plan.folder, plan.device))
                validated = clock.cpu
            if now - saved >= SAVE_SECONDS:
                save(plan.folder, state, {"preset": self._preset.name, "seed": plan.seed})
                saved = now

    def _done(self) -> float:
        plan, clock = self._plan, self._state.clock
        step, seconds = self._origin
        return (clock.step - step) / plan.steps if plan.steps is not None else (clock.seconds - seconds) / plan.seconds

    def _pace(self) -> str:
        """Return how far the run is, and how fast this session."""
        clock, done = self._state.clock, self._done()
        step, seconds = self._begun
        rate = (clock.step - step) / max(clock.seconds - seconds, 1e-6)
        if not done:
            return f"no end  {rate:.2f} steps/s"
        left = (clock.seconds - self._origin[1]) * (1 / done - 1) / 60
        return f"{100 * done:.0f} %  {left:.0f} min left  {rate:.2f} steps/s"

    def _rate(self) -> float:
        plan, step = self._plan, self._state.clock.step
        rate = (plan.rate or self._preset.learning_rate) * min(1.0, (step + 1) / self._preset.warm_up)
        if plan.endless or plan.cool:
            rate *= math.sqrt(min(1.0, HOLD / (step + 1)))
        return rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * self._done())))


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
        for predicted in predict_along_sample(network, preset, batch, generator, rng, plan.device, plan.half):
            yield _residual(predicted, preset)
        return
    count = len(batch.target)
    times = np.where(rng.random(count) < preset.from_noise, 1.0, rng.integers(1, GRID + 1, count) / GRID)
    yield _residual(predict_batch(network, preset, batch, times, generator, rng, plan.device, plan.half), preset)


def _residual(predicted: Predicted, preset: Preset) -> tuple[Tensor, tuple[float, float]]:
    """Return the loss of a residual, and the squared error from noise alone and over all, as a share of the
    residual's own variance (1 = no better than the trivial base; NaN where the batch has none)."""
    clean, log_variance, target, region = predicted.clean, predicted.log_variance, predicted.target, predicted.region
    error = in_region((clean - target) ** 2, region)
    likelihood = in_region((clean.detach() - target) ** 2 * (-log_variance).exp() + log_variance, region)
    # errors at low noise are small: weighted up, as in Hang et al. 2023 (min-SNR), to count alike
    weight = 1 / (1.1 - torch.tensor([signal(time) for time in predicted.times], device=target.device))
    # an easy crop leaves a tenth of the residual of a hard one: each is to count alike
    energy = in_region(target**2, region)
    loss = (weight * error / (energy + preset.smallest) + LIKELIHOOD * likelihood).mean()
    share = (error / energy.clamp_min(1e-6)).detach().cpu().numpy()
    alone = share[predicted.times == 1]
    return loss, (float(alone.mean()) if alone.size else math.nan, float(share.mean()))


def _average(state: State, keep: float) -> None:
    # early on the average follows the network quickly
    keep = min(keep, (1 + state.clock.step) / (10 + state.clock.step))
    with torch.no_grad():
        for name, value in state.network.state_dict().items():
            state.average[name].lerp_(value, 1 - keep)


def _means(errors: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the mean of each of two measures over the steps that have it."""
    first, second = ([value for value in column if not math.isnan(value)] for column in zip(*errors, strict=True))
    return (float(np.mean(first)) if first else math.nan, float(np.mean(second)) if second else math.nan)


def _report(preset: Preset, losses: list[tuple[float, float]]) -> str:
    first, second = _means(losses)
    names = _measures(preset)
    return f"error left: {names[0]} {first:.3f}, {names[1]} {second:.3f}"


def _measures(preset: Preset) -> tuple[str, str]:
    """Return the names of the two measures of a step, see ``take_step``."""
    return ("1 - Dice", "cross-entropy") if preset.source == TISSUES else ("from noise", "all levels")
