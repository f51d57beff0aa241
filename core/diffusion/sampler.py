"""From noise to a sample in few steps, with a network that predicts the clean residual."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from core.diffusion.error_spectrum import ErrorSpectrum
from core.diffusion.schedule import log_snr, signal, times, times_from

T = TypeVar("T")
# (noisy, log_snr (B,)) -> (clean residual, log-variance); yields the share of the call that is done
Denoiser = Callable[[Tensor, Tensor], Generator[float, None, tuple[Tensor, Tensor]]]
# residual (B, 1, D, H, W) -> the part of it that is free to choose
Projection = Callable[[Tensor], Tensor]


# mask (B, 1, D, H, W), generator -> noise of variance 1 where the mask is 1
Noise = Callable[[Tensor, torch.Generator], Tensor]
# (state, log_snr (B,), clean residual as it was predicted) -> what the next state is moved by
Guide = Callable[[Tensor, Tensor, Tensor], Tensor]


def white(mask: Tensor, generator: torch.Generator) -> Tensor:
    """Return independent normal noise where ``mask`` is 1."""
    # drawn on the CPU, so that a seed gives the same sample on every device
    return torch.randn(mask.shape, generator=generator).to(mask.device) * mask


@dataclass(frozen=True, eq=False)
class Resampling:
    """Steps that are taken again from an earlier time (Lugmayr et al. 2022, algorithm 1, where it is called that too).

    jump: how many steps to go back; count: clean residual -> how often these steps are to be taken in all.
    """

    jump: int
    count: Callable[[Tensor], int]


@dataclass(frozen=True, eq=False)
class SamplerOptions:
    """How a sample is drawn; the defaults are ancestral sampling from white noise.

    noise: what is drawn for the start and each step. start: a clean residual (B, 1, D, H, W) to begin from, noised to
    ``time`` (Meng et al. 2022, SDEdit). resampling: steps that are taken again, none by default.
    projection: applied to each predicted clean residual before the step; by default that of ``sample``.
    errors: the distribution of the network's errors. Each step then goes on from the predicted residual plus a draw of
    them instead of from the mean, so that a few long steps lose no variance (after Bao et al. 2022, arXiv 2206.07309,
    who draw each voxel by itself). ends: draw those of the last call too, which need none where the mean is wanted.
    guide: moves each state after its step down.
    eta: 1 is ancestral sampling (Ho et al. 2020, eq. 7), 0 is DDIM (Song et al. 2021, eq. 12).
    """

    noise: Noise = white
    start: Tensor | None = None
    time: float = 1.0
    resampling: Resampling | None = None
    projection: Projection | None = None
    errors: ErrorSpectrum | None = None
    ends: bool = True
    guide: Guide | None = None
    eta: float = 1.0


@dataclass(frozen=True, eq=False)
class Step:
    """share: of the sample that is done; clean: (B, 1, D, H, W), the residual that the last whole call predicted, None
    before the first has ended."""

    share: float
    clean: Tensor | None


@dataclass(frozen=True, eq=False)
class Sample:
    """residual, variance, drawn: (B, 1, D, H, W). variance: the predictive variance of the network's last call; drawn:
    the residual plus a draw of the errors where the sampler draws them, otherwise the residual itself."""

    residual: Tensor
    variance: Tensor
    drawn: Tensor


ANCESTRAL = SamplerOptions()


def sample(
    denoiser: Denoiser,
    mask: Tensor,
    steps: int,
    generator: torch.Generator,
    project: Projection | None = None,
    options: SamplerOptions = ANCESTRAL,
) -> Generator[Step, None, Sample]:
    """Draw one sample of a variance-preserving diffusion in ``steps`` network calls, 1 to 8 (Ho et al. 2020, with
    x0-prediction).

    mask: (B, 1, D, H, W) float32; noise and predictions are 0 where it is. project: keeps both to what is not known,
    such as the null space of a measurement. Yields a step after each network call and where the denoiser yields.
    """
    visited = times(steps) if options.start is None else times_from(options.time, steps)
    keep = project or (lambda values: values)
    noisy = keep(options.noise(mask, generator))
    if options.start is not None:
        abar = signal(visited[0])
        noisy = math.sqrt(abar) * options.start + math.sqrt(1 - abar) * noisy
    clean = drawn = log_variance = torch.zeros_like(noisy)
    index, reached, taken = 0, 0, [1] * len(visited)
    while index < len(visited):
        now = visited[index]
        level = torch.full((mask.shape[0],), log_snr(now), device=mask.device)
        known = clean if reached else None
        predicted, log_variance = yield from _counted(denoiser(noisy, level), index, reached, len(visited), known)
        predicted = predicted * mask
        projected = options.projection or keep
        clean = drawn = projected(predicted)
        if options.errors is not None and (options.ends or index + 1 < len(visited)):
            drawn = projected(predicted + mask * options.errors.drawn(log_variance, now, generator))
        before, index = index, index + 1
        reached = max(reached, index)
        if index < len(visited):
            shift = options.guide(noisy, level, predicted) if options.guide else None
            noisy = step_down(noisy, drawn, now, visited[index], keep(options.noise(mask, generator)), options.eta)
            if shift is not None:
                noisy = noisy - keep(shift)
            back = _back(options.resampling, index, taken, clean)
            if back:
                index -= back
                noisy = step_up(noisy, visited[before + 1], visited[index], keep(options.noise(mask, generator)))
        yield Step(reached / len(visited), clean)
    return Sample(clean, log_variance.exp() * mask, drawn)


def step_down(noisy: Tensor, clean: Tensor, now: float, after: float, noise: Tensor, eta: float) -> Tensor:
    """Return the state at time ``after`` < ``now`` given the state and the predicted clean residual at ``now``.

    Song et al. 2021, eq. 12 with sigma = eta sqrt((1 - a') / (1 - a)) sqrt(1 - a / a').
    """
    here, there = signal(now), signal(after)
    predicted_noise = (noisy - math.sqrt(here) * clean) / math.sqrt(1 - here)
    sigma = eta * math.sqrt((1 - there) / (1 - here)) * math.sqrt(max(0.0, 1 - here / there))
    direction = math.sqrt(max(0.0, 1 - there - sigma**2))
    return math.sqrt(there) * clean + direction * predicted_noise + sigma * noise


def step_up(noisy: Tensor, now: float, before: float, noise: Tensor) -> Tensor:
    """Return the state at time ``before`` > ``now`` of which that at ``now`` may have come (Lugmayr et al. 2022)."""
    kept = signal(before) / signal(now)
    return math.sqrt(kept) * noisy + math.sqrt(1 - kept) * noise


def _back(resampling: Resampling | None, index: int, taken: list[int], clean: Tensor) -> int:
    """Return how many steps to go back from step ``index``; ``taken`` counts how often it has been reached."""
    if resampling is None or index % resampling.jump or taken[index] >= resampling.count(clean):
        return 0
    taken[index] += 1
    return resampling.jump


def _counted(
    call: Generator[float, None, T], index: int, reached: int, total: int, clean: Tensor | None
) -> Generator[Step, None, T]:
    """Run one call; the whole of it is for the caller to count. Steps that are taken again count once."""
    while True:
        try:
            share = next(call)
        except StopIteration as end:
            value: T = end.value
            return value
        if share < 1:
            yield Step(max(index + share, reached) / total, clean)
