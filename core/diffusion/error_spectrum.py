"""How the errors of a network are correlated in space at each noise level, and draws of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from core.diffusion.schedule import GRID

# standard deviations of Gaussian windows, voxels; 0 is white noise
WIDTHS = (0.0, 0.7, 1.4, 2.8, 5.6)
# how many standard deviations a window reaches
REACH = 3


@dataclass(frozen=True)
class ErrorSpectrum:
    """Errors at a time of the schedule as a Gaussian field: the network's own standard deviation of each voxel times a
    stationary field, a sum of white noise seen through the windows ``WIDTHS``.

    shares: for each eighth of the time axis, 1/8 first, the variance of each term; they add up to about 1.
    """

    shares: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if len(self.shares) != GRID or any(len(row) != len(WIDTHS) or min(row) < 0 for row in self.shares):
            raise ValueError(f"shares must be {GRID} rows of {len(WIDTHS)} numbers of at least 0")

    def drawn(self, log_variance: Tensor, time: float, generator: torch.Generator) -> Tensor:
        """Return one draw of the errors at ``time``, an eighth; log_variance: (B, 1, D, H, W)."""
        # drawn on the CPU, so that a seed gives the same sample on every device
        field = torch.zeros(log_variance.shape)
        for share, width in zip(self.shares[round(GRID * time) - 1], WIDTHS, strict=True):
            if share > 0:
                field += math.sqrt(share) * smooth_noise(log_variance.shape, width, generator)
        return (0.5 * log_variance).exp() * field.to(log_variance.device)


def correlation(width: float, lags: Tensor) -> Tensor:
    """Return how voxels ``lags`` apart along an axis correlate in white noise seen through a window of ``width``."""
    return (lags == 0).float() if width <= 0 else torch.exp(-(lags**2) / (4 * width**2))


def smooth_noise(shape: torch.Size, width: float, generator: torch.Generator) -> Tensor:
    """Return normal noise (B, 1, D, H, W) of variance 1 seen through a Gaussian window along all three axes."""
    if width <= 0:
        return torch.randn(shape, generator=generator)
    window = gaussian_window(width)
    drawn = torch.randn([*shape[:2], *(side + len(window) - 1 for side in shape[2:])], generator=generator)
    for axis in (2, 3, 4):
        drawn = windowed(drawn, window, axis)
    return drawn


def gaussian_window(width: float) -> Tensor:
    """Return a Gaussian window whose squares add up to 1: white noise keeps its variance."""
    reach = math.ceil(REACH * width)
    window = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / width) ** 2)
    return window / window.square().sum().sqrt()


def windowed(values: Tensor, window: Tensor, axis: int) -> Tensor:
    """Return ``values`` summed through ``window`` along ``axis``, which gets shorter by the window less one."""
    length = values.shape[axis] - len(window) + 1
    parts: Iterator[Tensor] = (
        weight * values.narrow(axis, shift, length) for shift, weight in enumerate(window.tolist())
    )
    total = next(parts).clone()
    for part in parts:
        total += part
    return total
