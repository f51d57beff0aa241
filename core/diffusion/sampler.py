"""From noise to a sample in few steps, with a network that predicts the clean residual."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from core.diffusion.schedule import log_snr, signal, times

T = TypeVar("T")
# (noisy, log_snr (B,)) -> (clean residual, log-variance); yields the share of the call that is done
Denoiser = Callable[[Tensor, Tensor], Generator[float, None, tuple[Tensor, Tensor]]]
# residual (B, 1, D, H, W) -> the part of it that is free to choose
Projection = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Step:
    """calls: network calls made so far, with a fraction within one; clean: (B, 1, D, H, W), the residual that the
    last whole call predicted, None before the first has ended."""

    calls: float
    clean: Tensor | None


@dataclass(frozen=True, eq=False)
class Sample:
    """residual, variance: (B, 1, D, H, W); the variance is what the network still doubts at its last call."""

    residual: Tensor
    variance: Tensor


def sample(
    denoiser: Denoiser,
    mask: Tensor,
    steps: int,
    generator: torch.Generator,
    eta: float = 1.0,
    project: Projection | None = None,
) -> Generator[Step, None, Sample]:
    """Draw one sample; noise lives only where ``mask`` (B, 1, D, H, W) is 1.

    ``project`` keeps noise and predictions to what is not known, such as the null space of a measurement.
    ``eta`` 1 is ancestral sampling (Ho et al. 2020, eq. 7), 0 is DDIM (Song et al. 2021, eq. 12).
    Yields a step after each network call and where the denoiser yields, and returns the sample.
    """
    visited = times(steps)
    keep = project or (lambda values: values)
    noisy = keep(_noise(mask, generator))
    clean = log_variance = torch.zeros_like(noisy)
    for index, now in enumerate(visited):
        level = torch.full((mask.shape[0],), log_snr(now), device=mask.device)
        predicted, log_variance = yield from _counted(denoiser(noisy, level), index, clean if index else None)
        clean = keep(predicted * mask)
        if index + 1 < steps:
            noisy = step_down(noisy, clean, now, visited[index + 1], keep(_noise(mask, generator)), eta)
        yield Step(index + 1, clean)
    return Sample(clean, log_variance.exp() * mask)


def step_down(noisy: Tensor, clean: Tensor, now: float, after: float, noise: Tensor, eta: float) -> Tensor:
    """Return the state at time ``after`` < ``now`` given the state and the predicted clean residual at ``now``.

    Song et al. 2021, eq. 12 with sigma = eta sqrt((1 - a') / (1 - a)) sqrt(1 - a / a').
    """
    here, there = signal(now), signal(after)
    predicted_noise = (noisy - math.sqrt(here) * clean) / math.sqrt(1 - here)
    sigma = eta * math.sqrt((1 - there) / (1 - here)) * math.sqrt(max(0.0, 1 - here / there))
    direction = math.sqrt(max(0.0, 1 - there - sigma**2))
    return math.sqrt(there) * clean + direction * predicted_noise + sigma * noise


def _counted(call: Generator[float, None, T], before: int, clean: Tensor | None) -> Generator[Step, None, T]:
    """Run one call; the whole of it is for the caller to count."""
    while True:
        try:
            share = next(call)
        except StopIteration as end:
            value: T = end.value
            return value
        if share < 1:
            yield Step(before + share, clean)


def _noise(mask: Tensor, generator: torch.Generator) -> Tensor:
    # drawn on the CPU, so that a seed gives the same sample on every device
    return torch.randn(mask.shape, generator=generator).to(mask.device) * mask
