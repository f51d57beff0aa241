"""Random augmentation of training patches: symmetries, section thickness, exchanged scores, missing bands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from core.spectra.noise import noise_of
from core.spectra.score import fit_score

THICKNESS = 0.6
"""A thickness factor is e^u, u uniform within plus and minus this."""
BASELINE = 0.01
NOISE_TIMES = 2.0
"""Equalised patches all carry this many times the noise of the detector."""
DARKEST = 0.01
JITTER, DENSITY_JITTER = 0.2, 0.1
"""Light and stain of training pictures; docs/failure-lab.md has what it costs and wins."""


@dataclass(frozen=True, eq=False)
class PatchStatistics:
    """Statistics of the training patches that augmentations use, all (C,) on their device. noise: of the detector.
    direction, pattern, centre: of the one-dimensional score. ramp: wavenumber scaled to -0.5 to 0.5."""

    noise: Tensor
    direction: Tensor
    pattern: Tensor
    centre: Tensor
    ramp: Tensor


Augment = Callable[[Tensor, PatchStatistics, torch.Generator], Tensor]


def patch_statistics(values: Tensor, labels: Tensor, positions: tuple[float, ...]) -> PatchStatistics:
    """Return the statistics of raw training patches ``values`` (N, C, H, W) with ``labels`` (N,).

    positions: (C,) wavenumbers in cm^-1, or numbers of colours.
    """
    score = fit_score(values.mean(dim=(2, 3)).cpu().numpy(), labels.cpu().numpy())
    place = torch.tensor(positions, dtype=torch.float64)
    ramp = (place - place.min()) / (place.max() - place.min()).clamp_min(1e-9) - 0.5
    parts = (noise_of(values.cpu().numpy()), score.direction, score.pattern, score.centre, ramp)
    return PatchStatistics(*(torch.as_tensor(part, dtype=torch.float32, device=values.device) for part in parts))


def symmetries(values: Tensor, generator: torch.Generator) -> Tensor:
    """Return each patch in one of the eight positions of a square (four, where it is not square)."""
    flips = torch.randint(0, 2, (3, len(values)), generator=generator).bool().to(values.device)
    values = values.clone()
    for rows, axis in zip(flips[:2], (2, 3), strict=True):
        values[rows] = values[rows].flip(axis)
    if values.shape[2] == values.shape[3]:
        values[flips[2]] = values[flips[2]].transpose(2, 3)
    return values


def thickness(values: Tensor, statistics: PatchStatistics, generator: torch.Generator) -> Tensor:
    """Return patches scaled as sections of another thickness, their noise with them, with another baseline."""
    return _baseline(values * _factors(len(values), generator, values), statistics, generator)


def thickness_equal(values: Tensor, statistics: PatchStatistics, generator: torch.Generator) -> Tensor:
    """Return patches as ``thickness`` does, with the same noise in every patch, which hides the thickness."""
    factors = _factors(len(values), generator, values)
    return _baseline(equalised(values, factors, statistics, generator), statistics, generator)


def swap(values: Tensor, statistics: PatchStatistics, generator: torch.Generator) -> Tensor:
    """Return each patch with the one-dimensional score of another: X + (s_j - s_i) v in every pixel."""
    means = values.mean(dim=(2, 3))
    scores = (means - statistics.centre) @ statistics.direction
    other = scores[torch.randperm(len(values), generator=generator).to(values.device)]
    return values + ((other - scores)[:, None] * statistics.pattern)[:, :, None, None]


def gain_swap(values: Tensor, statistics: PatchStatistics, generator: torch.Generator) -> Tensor:
    """Return each patch with the mean absorbance of another and the same noise in every patch."""
    gains = values.mean(dim=(1, 2, 3)).clamp_min(1e-3)
    other = gains[torch.randperm(len(values), generator=generator).to(values.device)]
    factors = (other / gains).clamp(0.25, NOISE_TIMES)[:, None, None, None]
    return equalised(values, factors, statistics, generator)


def equalised(values: Tensor, factors: Tensor, statistics: PatchStatistics, generator: torch.Generator) -> Tensor:
    """Return t (X + sigma sqrt(max(0, (2/t)^2 - 1)) n): scaled by t (N, 1, 1, 1), with noise 2 sigma for every t <= 2.

    n is standard normal: X already has the noise sigma of the detector.
    """
    lacking = ((NOISE_TIMES / factors) ** 2 - 1).clamp_min(0).sqrt()
    return factors * (values + statistics.noise[None, :, None, None] * lacking * _normal(values, generator))


AUGMENTS: Mapping[str, Augment] = MappingProxyType(
    {"thickness": thickness, "thickness_equal": thickness_equal, "swap": swap, "gain_swap": gain_swap}
)


def in_density(augment: Augment) -> Augment:
    """Return ``augment`` applied to the optical density of pictures, -ln of the brightness."""

    def changed(values: Tensor, statistics: PatchStatistics, generator: torch.Generator) -> Tensor:
        density = -values.clamp(DARKEST, 1).log()
        return torch.exp(-augment(density, statistics, generator)).clamp(0, 1)

    return changed


def jitter(values: Tensor, generator: torch.Generator) -> Tensor:
    """Return pictures 0 to 1 in another light and stain, a draw for each: brightness, contrast and saturation within
    JITTER of 1, and the optical density of each colour by e^u, u uniform within DENSITY_JITTER (after Tellez et al.
    2019, Med Image Anal 58:101544)."""

    def drawn(width: float, channels: int = 1) -> Tensor:
        found = (torch.rand((len(values), channels, 1, 1), generator=generator) * 2 - 1) * width
        return found.to(values.device)

    values = values.clamp(DARKEST, 1) ** drawn(DENSITY_JITTER, 3).exp()
    values = values * (1 + drawn(JITTER))
    middle = values.mean(dim=(1, 2, 3), keepdim=True)
    values = middle + (values - middle) * (1 + drawn(JITTER))
    grey = values.mean(dim=1, keepdim=True)
    return (grey + (values - grey) * (1 + drawn(JITTER))).clamp(0, 1)


def drop_channels(values: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return standardised patches, each channel set to 0, its mean, with probability ``share``, else scaled up."""
    kept = torch.rand(values.shape[:2], generator=generator).to(values.device) >= share
    return values * kept[:, :, None, None] / (1 - share)


def sample_channels(values: Tensor, generator: torch.Generator) -> Tensor:
    """Return the batch with m random channels kept and scaled up, m uniform from 1 to all: hierarchical channel
    sampling (Bao et al. 2024, arXiv:2309.16108)."""
    channels = values.shape[1]
    number = int(torch.randint(1, channels + 1, (1,), generator=generator))
    kept = torch.zeros(channels)
    kept[torch.randperm(channels, generator=generator)[:number]] = channels / number
    return values * kept.to(values.device)[None, :, None, None]


def _factors(count: int, generator: torch.Generator, like: Tensor) -> Tensor:
    drawn = (torch.rand(count, generator=generator) * 2 - 1) * THICKNESS
    factors: Tensor = drawn.exp().to(like.device)[:, None, None, None]
    return factors


def _baseline(values: Tensor, statistics: PatchStatistics, generator: torch.Generator) -> Tensor:
    offset, slope = torch.randn(2, len(values), 1, generator=generator).to(values.device) * BASELINE
    baseline: Tensor = offset + slope * statistics.ramp
    return values + baseline[:, :, None, None]


def _normal(values: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(values.shape, generator=generator).to(values.device)
