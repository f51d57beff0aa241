"""Our 3D network as a sampler: a residual to a trivial base, drawn in few steps; the same for every task."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core import weights
from core.diffusion.error_spectrum import ErrorSpectrum
from core.diffusion.sampler import ANCESTRAL, Denoiser, Projection, Sample, SamplerOptions, Step, sample
from core.events import Progress
from core.imaging.options import Options
from core.imaging.preview import Picture, Previews
from core.imaging.tiled_network import Context, call
from core.imaging.tiles import Tiling, layout, single
from core.volume import Box

Float = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class View:
    """The input of a network for one volume, and where it may act; sides are multiples of the network's.

    context: (C, X, Y, Z) float32, or a function that gives it for a box of the volume.
    region: (X, Y, Z) float32, 1 where tissue is to be made, else 0.
    conditioning: (K,) float32, numbers about the whole volume, or None.
    project: keeps residuals to what was not measured.
    shape: how much of the arrays counts; what lies beyond is padding. mirrored: axes along which all of it is reversed.
    """

    context: Float | Context
    region: Float
    shape: tuple[int, int, int]
    conditioning: Float | None = None
    project: Projection | None = None
    mirrored: tuple[int, ...] = ()


# view, randomness -> a sample in the making
Sampling = Callable[[View, torch.Generator], Generator[Step, None, Sample]]


def draw(
    sampling: Sampling, views: Callable[[int], View], options: Options, picture: Picture | None = None
) -> Generator[Progress, None, tuple[Float, Float]]:
    """Return residual and standard deviation (X, Y, Z), in units of the network's residual.

    ``views`` gives what each sample (0, 1, ...) sees: the same volume, mirrored or not; errors of the network that
    depend on its orientation average out.
    Faithful: the mean of ``samples`` samples, whose spread and predictive variance add up to the deviation.
    Realistic: the first sample itself, with a draw of the errors of its last call; the deviation is that of all.
    ``picture`` makes previews of a residual (X, Y, Z); a single call has none, for nothing is known before its end.
    """
    drawn = _Draws(options.mode == "realistic")
    previews = Previews(picture if options.steps * options.samples > 1 else None)
    for index in range(options.samples):
        view = views(index)
        generator = torch.Generator().manual_seed(options.seed * 1_000_003 + index)
        made = yield from _followed(sampling(view, generator), options, index, partial(_look, previews, drawn, view))
        drawn.add(*(_restored(part, view) for part in (made.residual, made.variance, made.drawn)))
    return drawn.combined()


def _followed(
    drawing: Generator[Step, None, Sample], options: Options, index: int, look: Callable[[Tensor], bytes]
) -> Generator[Progress, None, Sample]:
    """Draw sample ``index``; ``look`` makes previews of its clean residual."""
    total = options.steps * options.samples
    while True:
        try:
            with torch.inference_mode():
                step = next(drawing)
        except StopIteration as end:
            made: Sample = end.value
            return made
        done = (index + step.share) * options.steps
        under_way = min(int(step.share * options.steps + 1e-6) + 1, options.steps)
        text = f"Sample {index + 1} of {options.samples}, step {under_way} of {options.steps}"
        preview = b"" if step.clean is None else look(step.clean)
        yield Progress(done / total, int(done + 1e-6), total, text, preview)


def _look(previews: Previews, drawn: _Draws, view: View, clean: Tensor) -> bytes:
    return previews.show(lambda: drawn.with_unfinished(_restored(clean, view)))


def direct(
    network: nn.Module, options: Options, tiling: Tiling | None = None, sampler: SamplerOptions = ANCESTRAL
) -> Sampling:
    """Return how ``network`` alone draws a sample; tiling: see the volume in tiles, for networks with local norms."""

    def sampling(view: View, generator: torch.Generator) -> Generator[Step, None, Sample]:
        denoiser = denoiser_of(network, view, options, tiling)
        wanted = replace(sampler, ends=options.mode == "realistic")
        return sample(denoiser, region_of(view, options), options.steps, generator, view.project, wanted)

    return sampling


def error_spectrum_of(name: str) -> ErrorSpectrum | None:
    """Return how the errors of the shipped network ``name`` are correlated, None where that was not measured."""
    shares = weights.error_spectrum(name)
    return ErrorSpectrum(shares) if shares else None


def region_of(view: View, options: Options) -> Tensor:
    """Return the region of ``view``, (1, 1, X, Y, Z) float32 on the device of ``options``."""
    return torch.from_numpy(view.region)[None, None].to(options.device)


def conditioning_of(view: View, options: Options) -> Tensor | None:
    """Return the conditioning of ``view``, (1, K), None where it has none."""
    if view.conditioning is None:
        return None
    return torch.from_numpy(view.conditioning)[None].to(options.device)


def context_of(view: View, box: Box, channels: int | None = None) -> Float:
    """Return the first ``channels`` of what is known in ``box``, (C, x, y, z)."""
    given = view.context
    return (given[(slice(None), *box)] if isinstance(given, np.ndarray) else given(box))[:channels]


def denoiser_of(network: nn.Module, view: View, options: Options, tiling: Tiling | None) -> Denoiser:
    """Return ``network`` on ``view`` as a denoiser of the whole volume, or tile by tile with ``tiling``."""
    shape = view.region.shape
    tiles = layout(shape, int(getattr(network, "multiple", 8)), tiling) if tiling else single(shape)
    conditioning = conditioning_of(view, options)
    # an earlier network may know the first channels alone
    context = partial(context_of, view, channels=getattr(network, "context", None))

    def denoise(noisy: Tensor, log_snr: Tensor) -> Generator[float, None, tuple[Tensor, Tensor]]:
        return call(network, noisy, context, log_snr, conditioning, tiles, half=bool(tiling and tiling.half))

    return denoise


def _restored(values: Tensor, view: View) -> Tensor:
    """Return ``values`` (1, 1, X, Y, Z) without the padding and in the order of the volume."""
    x, y, z = view.shape
    return values[0, 0, :x, :y, :z].flip(view.mirrored)


class _Draws:
    """Running figures of the samples, so that many of them take no more memory than one."""

    def __init__(self, realistic: bool) -> None:
        self._realistic = realistic
        self._count = 0
        self._first = self._mean = self._spread = self._variance = torch.zeros(())

    def add(self, residual: Tensor, variance: Tensor, drawn: Tensor) -> None:
        """Take in one sample: its residual, the predictive variance, and the residual with a draw of the errors, all
        (X, Y, Z)."""
        self._count += 1
        if self._count == 1:
            self._first, self._mean, self._variance = drawn, residual.clone(), variance.clone()
            self._spread = torch.zeros_like(residual)
            return
        # Welford 1962
        before = residual - self._mean
        self._mean += before / self._count
        self._spread += before * (residual - self._mean)
        self._variance += variance

    def with_unfinished(self, residual: Tensor) -> Float:
        """Return what the residual would be with one more sample (X, Y, Z), which stays as it is."""
        if self._count == 0:
            return residual.cpu().numpy()
        mean = self._mean + (residual - self._mean) / (self._count + 1)
        return (self._first if self._realistic else mean).cpu().numpy()

    def combined(self) -> tuple[Float, Float]:
        """Return residual and standard deviation (X, Y, Z) by the law of total variance."""
        variance = self._variance / self._count
        if self._count > 1:
            variance = variance + self._spread / (self._count - 1)
        values = self._first if self._realistic else self._mean
        return values.cpu().numpy(), variance.sqrt().cpu().numpy()
