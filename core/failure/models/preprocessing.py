"""Preprocessing of patches for a network, fitted on the training patches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from core.spectra.derivative import runs
from core.spectra.emsc import LEAST_SCALE, fit_emsc
from core.spectra.score import fit_score

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Step = Callable[[Tensor], Tensor]

INSTANCE_FLOOR = 0.01
"""Absorbance added to the deviation that instance norm divides by: the noise of the detector."""
AMIDE_I = 1655.0
# the picture blurred to the resolution of the infrared at 1500 cm^-1: sqrt(0.90^2 - 0.45^2) pixels
MATCHED_BLUR = 0.78
WHITEN_FLOOR = 1e-3


@dataclass(frozen=True, eq=False)
class Fitting:
    """Training data of a step. values: (N, C, H, W) after the earlier steps. labels: (N,). positions: (C,)
    wavenumbers in cm^-1, or numbers of colours from 0."""

    values: Tensor
    labels: Ints
    positions: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Pipeline:
    """Fitted steps, then each channel to mean 0 and deviation 1 over the training pixels."""

    steps: tuple[Step, ...]
    mean: Tensor
    scale: Tensor

    def __call__(self, values: Tensor) -> Tensor:
        """Return raw patches (N, C, H, W) preprocessed, channels last in memory."""
        for step in self.steps:
            values = step(values)
        # 1.7 times faster on a processor: 17 ms a training step of the small CNN instead of 29
        return ((values - self.mean) / self.scale).contiguous(memory_format=torch.channels_last)


def fit_pipeline(names: Sequence[str], values: Tensor, labels: Ints, positions: tuple[float, ...]) -> Pipeline:
    """Return the steps ``names`` (of ``STEPS``), fitted one after the other on raw training patches (N, C, H, W)."""
    steps = []
    for name in names:
        step = STEPS[name](Fitting(values, labels, positions))
        values = step(values)
        steps.append(step)
    deviation, mean = torch.std_mean(values, dim=(0, 2, 3), keepdim=True)
    return Pipeline(tuple(steps), mean, deviation.clamp_min(1e-8))


def snv(fitting: Fitting) -> Step:
    """Return the standard normal variate: each pixel's spectrum to mean 0 and deviation 1 (Barnes et al. 1989)."""

    def step(values: Tensor) -> Tensor:
        deviation, mean = torch.std_mean(values, dim=1, keepdim=True)
        return (values - mean) / (deviation + 1e-6)

    return step


def second_derivative(fitting: Fitting) -> Step:
    """Return the second difference over each run of evenly spaced bands; runs of fewer than three bands stay."""
    matrix = torch.as_tensor(derivative_matrix(fitting.positions), dtype=torch.float32, device=fitting.values.device)
    return lambda values: torch.einsum("dc,nchw->ndhw", matrix, values)


def emsc(fitting: Fitting) -> Step:
    """Return extended multiplicative signal correction of each pixel (``core.spectra.emsc``)."""
    means = fitting.values.mean(dim=(2, 3)).cpu().numpy()
    made = fit_emsc(means, fitting.positions)
    device = fitting.values.device
    fit, baseline = (torch.as_tensor(part, dtype=torch.float32, device=device) for part in (made.fit, made.baseline))

    def step(values: Tensor) -> Tensor:
        parts = torch.einsum("kc,nchw->nkhw", fit, values)
        flat = values - torch.einsum("kc,nkhw->nchw", baseline, parts[:, 1:])
        return flat / parts[:, :1].clamp_min(LEAST_SCALE)

    return step


def patch_norm(fitting: Fitting) -> Step:
    """Return the division of a patch by its mean absorbance at amide I (of a picture: by its mean)."""
    positions = np.asarray(fitting.positions)
    nearest = int(np.abs(positions - AMIDE_I).argmin())
    infrared = abs(positions[nearest] - AMIDE_I) < 100
    chosen = slice(nearest, nearest + 1) if infrared else slice(None)
    return lambda values: values / values[:, chosen].mean(dim=(1, 2, 3), keepdim=True).clamp_min(1e-3)


def patch_centre(fitting: Fitting) -> Step:
    """Return the subtraction of the patch's mean spectrum."""
    return lambda values: values - values.mean(dim=(2, 3), keepdim=True)


def instance_norm(fitting: Fitting) -> Step:
    """Return instance norm: each channel of each patch to mean 0 and deviation 1, with INSTANCE_FLOOR added to the
    deviation (Ulyanov et al. 2016, arXiv:1607.08022)."""

    def step(values: Tensor) -> Tensor:
        variance, mean = torch.var_mean(values, dim=(2, 3), keepdim=True, correction=0)
        return (values - mean) / (variance.sqrt() + INSTANCE_FLOOR)

    return step


def whiten(fitting: Fitting) -> Step:
    """Return whitening: principal components of the pixels, each to deviation 1; deviations below WHITEN_FLOOR of the
    largest count as that."""
    pixels = fitting.values.transpose(0, 1).flatten(1)
    mean = pixels.mean(dim=1, keepdim=True)
    values, vectors = torch.linalg.eigh(torch.cov(pixels.double()))
    scale = values.clamp_min(float(values[-1]) * WHITEN_FLOOR**2).rsqrt()
    matrix = (vectors * scale).T.float()
    offset = (matrix @ mean)[None, :, :, None]
    return lambda given: torch.einsum("dc,nchw->ndhw", matrix, given) - offset


def matched_blur(fitting: Fitting) -> Step:
    """Return the blur of a picture to the resolution of the infrared image."""
    channels, radius = fitting.values.shape[1], 3
    line = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / MATCHED_BLUR) ** 2)
    line = line / line.sum()
    kernel = (line[:, None] * line[None, :]).expand(channels, 1, -1, -1).to(fitting.values.device)

    def step(values: Tensor) -> Tensor:
        padded = functional.pad(values, (radius,) * 4, mode="replicate")
        return functional.conv2d(padded, kernel, groups=channels)

    return step


def project_out(fitting: Fitting) -> Step:
    """Return the removal of the one-dimensional score from every pixel (after Morwani et al. 2023, arXiv:2302.00457).

    A pixel moves along the score's pattern until its score is 0, which keeps it in the span of tissue spectra.
    """
    score = fit_score(fitting.values.mean(dim=(2, 3)).cpu().numpy(), fitting.labels)
    device = fitting.values.device
    direction, pattern, centre = (
        torch.as_tensor(part, dtype=torch.float32, device=device)
        for part in (score.direction, score.pattern, score.centre)
    )

    def step(values: Tensor) -> Tensor:
        scores = torch.einsum("c,nchw->nhw", direction, values - centre[None, :, None, None])
        return values - scores[:, None] * pattern[None, :, None, None]

    return step


STEPS: Mapping[str, Callable[[Fitting], Step]] = MappingProxyType(
    {
        "snv": snv,
        "derivative": second_derivative,
        "emsc": emsc,
        "amide": patch_norm,
        "centre": patch_centre,
        "instance": instance_norm,
        "whiten": whiten,
        "blur": matched_blur,
        "project": project_out,
    }
)


def derivative_matrix(positions: Sequence[float]) -> Floats:
    """Return the matrix (C, C) of second differences within each run of bands whose spacing is near the median.

    >>> derivative_matrix((1000, 1004, 1008, 2800))[1].tolist()
    [1.0, -2.0, 1.0, 0.0]
    """
    count = len(positions)
    matrix = np.eye(count)
    if count < 3:
        return matrix
    for run in runs(positions):
        if len(run) >= 3:
            matrix[run] = 0
            for place, band in enumerate(run):
                middle = run[min(max(place, 1), len(run) - 2)]
                matrix[band, [middle - 1, middle, middle + 1]] = (1, -2, 1)
    return matrix
