"""The 2.5D network on a volume: slices across one axis in batches, and what the methods of planes have in common."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.diffusion.sampler import Denoiser, Noise, Sample, SamplerOptions, Step, sample, white
from core.diffusion.slice_noise import along
from core.events import Progress, changed
from core.imaging.formulation import Setting
from core.imaging.inpaint import network as inpaint
from core.imaging.options import Options
from core.imaging.problem import Estimate
from core.imaging.superres import network as superres
from core.imaging.tiled_network import in_half
from core.imaging.translate import network as translate
from core.imaging.volume_sampler import View, conditioning_of, context_of, region_of
from core.nets.plane_net import REACH
from core.volume import Box
from core.weights import calibration, load

# slices of one batch: more are no faster and take more memory
BATCH = 16
WEIGHTS = {"inpaint": "inpaint-plane", "superres": "superres-plane", "translate": "translate-plane"}

# a call under way: yields the share done, returns residual and log-variance
Prediction = Generator[float, None, tuple[Tensor, Tensor]]
# planes, view, randomness -> a sample in the making
Recipe = Callable[["Planes", View, torch.Generator], Generator[Step, None, Sample]]


class Planes:
    """The plane network of a task in one setting; ``calls`` counts slices, the network's unit of work."""

    def __init__(self, network: nn.Module, setting: Setting, options: Options) -> None:
        self.network, self.setting, self.options = network, setting, options
        self.calls = 0

    @property
    def order(self) -> tuple[int, int, int]:
        """The axes across slices, the one to prefer first."""
        return self.setting.planes

    def predict(
        self, view: View, plane: int, noisy: Tensor, log_snr: Tensor, coarse: Tensor | None = None
    ) -> Prediction:
        """Return residual and log-variance (1, 1, X, Y, Z) of the slices across axis ``plane`` that touch the region;
        the others are 0. Yields the share done."""
        clean, log_variance = torch.zeros_like(noisy), torch.zeros_like(noisy)
        for chunk in self.chunks(view, plane):
            here = _across(plane, chunk)
            clean[here], log_variance[here] = self.predict_slices(view, plane, chunk, noisy, log_snr, coarse)
            self.calls += chunk.stop - chunk.start
            yield chunk.stop / noisy.shape[2 + plane]
        return clean, log_variance

    def chunks(self, view: View, plane: int) -> list[slice]:
        """Return the batches of slices across axis ``plane`` that touch the region, at most ``BATCH`` slices each."""
        touched = np.flatnonzero(view.region.any(axis=tuple(axis for axis in range(3) if axis != plane)))
        first, last = int(touched[0]), int(touched[-1]) + 1
        return [slice(start, min(start + BATCH, last)) for start in range(first, last, BATCH)]

    def predict_slices(
        self, view: View, plane: int, chunk: slice, noisy: Tensor, log_snr: Tensor, coarse: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return residual and log-variance of the slices ``chunk`` across ``plane``, both (1, 1, ...), no others."""
        sides = noisy.shape[2:]
        wide = slice(max(0, chunk.start - REACH), min(sides[plane], chunk.stop + REACH))
        x, y, z = (wide if axis == plane else slice(0, side) for axis, side in enumerate(sides))
        box: Box = (x, y, z)
        known = context_of(view, box, getattr(self.network, "context", None))
        context = torch.from_numpy(np.ascontiguousarray(known))[None].to(noisy.device)
        span = slice(chunk.start - wide.start, chunk.stop - wide.start)
        here = _across(plane, wide)
        earlier = None if coarse is None else coarse[here]
        with in_half(noisy.device):
            residual, log_variance = self.network(
                noisy[here], context, log_snr, conditioning_of(view, self.options), plane, span, earlier
            )
        return residual.float(), log_variance.float()

    def one(self, view: View, plane: int, coarse: Tensor | None = None) -> Denoiser:
        """Return the network in one plane as a denoiser; coarse: (1, 1, X, Y, Z), an earlier estimate it also sees."""
        return lambda noisy, log_snr: self.predict(view, plane, noisy, log_snr, coarse)

    def mean(self, view: View, planes: Sequence[int]) -> Denoiser:
        """Return the mean over several planes; the variance is the mean of theirs, no less than that of the mean."""

        def denoise(noisy: Tensor, log_snr: Tensor) -> Prediction:
            clean, variance = torch.zeros_like(noisy), torch.zeros_like(noisy)
            for index, plane in enumerate(planes):
                residual, log_variance = yield from part(self.predict(view, plane, noisy, log_snr), index, len(planes))
                clean += residual / len(planes)
                variance += log_variance.exp() / len(planes)
            return clean, variance.log()

        return denoise

    def noise(self, plane: int) -> Noise:
        """Return the noise for slices across ``plane``: shared between neighbours unless that is switched off."""
        return along(plane) if self.options.published.correlated else white

    def sample(
        self, view: View, denoiser: Denoiser, generator: torch.Generator, sampler: SamplerOptions
    ) -> Generator[Step, None, Sample]:
        """Draw one sample of ``view`` with ``denoiser`` in the steps of the options; noise is that of ``generator``."""
        region = region_of(view, self.options)
        return sample(denoiser, region, self.options.steps, generator, view.project, sampler)


def solver(task: str, recipe: Recipe) -> Callable[[Any, Options], Generator[Progress, None, Estimate]]:
    """Return the method that solves a problem of ``task`` with samples of ``recipe`` on the plane network."""

    def solve(problem: Any, options: Options) -> Generator[Progress, None, Estimate]:
        return _drawn(task, problem, options, recipe)

    return solve


def _drawn(task: str, problem: Any, options: Options, recipe: Recipe) -> Generator[Progress, None, Estimate]:
    yield Progress(0.0, 0, 1, "Preparing the slices")
    network = load(WEIGHTS[task], options.device)
    planes = Planes(network, setting_of(task, problem, options, int(getattr(network, "multiple", 8))), options)
    made = yield from estimated(planes, options, recipe, calibration(WEIGHTS[task]))
    return made


def estimated(planes: Planes, options: Options, recipe: Recipe, factor: float) -> Generator[Progress, None, Estimate]:
    """Draw samples of ``recipe``, all of the volume as it is; ``factor`` calibrates their deviation."""
    view = planes.setting.views(0)
    alike = replace(planes.setting, views=lambda index: view)
    made = yield from alike.solved(partial(recipe, planes), options, factor)
    return replace(made, calls=planes.calls)


def setting_of(task: str, problem: Any, options: Options, multiple: int) -> Setting:
    """Return ``problem`` of ``task`` as its networks see it, with sides that are multiples of ``multiple``."""
    if task == "inpaint":
        return inpaint.setting(problem, multiple)
    if task == "superres":
        return superres.setting(problem, options, multiple)
    return translate.setting(problem, options, multiple)


def _across(plane: int, part: slice) -> tuple[slice, ...]:
    return tuple(part if axis == 2 + plane else slice(None) for axis in range(5))


def part(prediction: Prediction, index: int, count: int) -> Prediction:
    """Run one of ``count`` predictions; its shares become those of all."""
    return changed(prediction, lambda share: (index + share) / count)
