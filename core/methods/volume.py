"""Our 3D network as a sampler: a residual to a trivial base, drawn in few steps; the same for every task."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.diffusion.sampler import Denoiser, Projection, Sample, sample
from core.events import Progress, finish
from core.methods.base import Options

Float = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class View:
    """What the network is told of one volume, and where it may act; sides are multiples of the network's.

    context: (C, X, Y, Z) float32. region: (X, Y, Z) float32, 1 where tissue is to be made, else 0.
    facts: (K,) float32 or None. project: keeps residuals to what was not measured.
    shape: how much of the arrays counts; what lies beyond is padding. mirrored: axes along which all of it is reversed.
    """

    context: Float
    region: Float
    shape: tuple[int, int, int]
    facts: Float | None = None
    project: Projection | None = None
    mirrored: tuple[int, ...] = ()


def draw(
    network: nn.Module, views: Callable[[int], View], options: Options
) -> Generator[Progress, None, tuple[Float, Float]]:
    """Return residual and standard deviation (X, Y, Z), in units of the network's residual.

    ``views`` gives what each sample (0, 1, ...) sees: the same volume, mirrored or not; errors of the network that
    depend on its orientation average out.
    Faithful: the mean of ``samples`` samples, whose spread and remaining doubt add up to the deviation.
    Realistic: the first sample itself; the deviation is that of all samples.
    """
    total = options.steps * options.samples
    draws: list[Sample] = []
    for index in range(options.samples):
        view = views(index)
        generator = torch.Generator().manual_seed(options.seed * 1_000_003 + index)
        region = torch.from_numpy(view.region)[None, None].to(options.device)
        drawing = sample(_denoiser(network, view, options), region, options.steps, generator, project=view.project)
        for step in range(1, options.steps + 1):
            with torch.inference_mode():
                next(drawing)
            done = index * options.steps + step
            text = f"Sample {index + 1} of {options.samples}, step {step} of {options.steps}"
            yield Progress(done / total, done, total, text)
        drawn = finish(drawing)
        draws.append(Sample(_restored(drawn.residual, view), _restored(drawn.variance, view)))
    return _combine(draws, options.mode == "realistic")


def _denoiser(network: nn.Module, view: View, options: Options) -> Denoiser:
    context = torch.from_numpy(np.ascontiguousarray(view.context))[None].to(options.device)
    facts = None if view.facts is None else torch.from_numpy(view.facts)[None].to(options.device)

    def denoise(noisy: Tensor, log_snr: Tensor) -> tuple[Tensor, Tensor]:
        clean, log_variance = network(noisy, context, log_snr, facts)
        return clean, log_variance

    return denoise


def _restored(values: Tensor, view: View) -> Tensor:
    """Return ``values`` (1, 1, X, Y, Z) without the padding and in the order of the volume."""
    x, y, z = view.shape
    return values[:, :, :x, :y, :z].flip([2 + axis for axis in view.mirrored])


def _combine(draws: list[Sample], realistic: bool) -> tuple[Float, Float]:
    """Return residual and standard deviation (X, Y, Z) by the law of total variance."""
    residuals = torch.stack([draw.residual[0, 0] for draw in draws])
    variance = torch.stack([draw.variance[0, 0] for draw in draws]).mean(dim=0)
    if len(draws) > 1:
        variance = variance + residuals.var(dim=0, unbiased=True)
    values = residuals[0] if realistic else residuals.mean(dim=0)
    return values.cpu().numpy(), variance.sqrt().cpu().numpy()
