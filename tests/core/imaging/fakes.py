"""A network of slices whose prediction is fixed, and that records its calls."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.diffusion.measurement import Measurement
from core.diffusion.sampler import Sample, Step
from core.events import finish
from core.imaging.formulation import Setting
from core.imaging.options import Options
from core.imaging.problem import Estimate
from core.imaging.published.planes import Planes, Recipe
from core.imaging.volume_sampler import View

Float = NDArray[np.float32]
SIDES = (8, 12, 8)


@dataclass(frozen=True, eq=False)
class Call:
    """One call: the plane, how many slices, ln(abar / (1 - abar)) and what was seen of the volume."""

    plane: int
    count: int
    level: float
    noisy: Tensor
    context: Tensor
    coarse: Tensor | None


class Slices(nn.Module):
    """Predicts half of the noisy residual plus the first channel of the context plus ``each`` of the plane, with a
    variance of exp(plane)."""

    multiple = 4

    def __init__(self, each: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> None:
        super().__init__()
        self.each = each
        self.calls: list[Call] = []

    def forward(
        self,
        noisy: Tensor,
        context: Tensor,
        log_snr: Tensor,
        conditioning: Tensor | None = None,
        plane: int = 2,
        span: slice | None = None,
        coarse: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        here = (*[slice(None)] * (2 + plane), span or slice(None))
        predicted = 0.5 * noisy[here] + context[:, :1][here] + self.each[plane]
        self.calls.append(Call(plane, predicted.shape[2 + plane], float(log_snr), noisy, context, coarse))
        return predicted, torch.full_like(predicted, float(plane))

    @property
    def turns(self) -> list[tuple[int, float]]:
        """Plane and level of each call: of each step, for all slices fit into one batch."""
        return [(call.plane, round(call.level, 4)) for call in self.calls]


def view_of(seed: int = 0, box: tuple[slice, slice, slice] | None = None) -> View:
    """Return a view whose region is ``box``, three slices by five by two by default."""
    context = np.random.default_rng(seed).normal(size=(2, *SIDES)).astype(np.float32)
    region = np.zeros(SIDES, np.float32)
    region[box or (slice(2, 5), slice(4, 9), slice(3, 5))] = 1
    return View(context, region, SIDES)


def planes_of(
    network: nn.Module,
    options: Options,
    view: View | None = None,
    order: tuple[int, int, int] = (2, 1, 0),
    unnatural: Callable[[Float, int], float] | None = None,
    measured: Callable[[str], Measurement] | None = None,
) -> Planes:
    """Return ``network`` on ``view``; the estimate is the residual itself."""
    seen = view or view_of()
    setting = Setting(lambda index: seen, Estimate, lambda residual: b"", order, None, unnatural, measured)
    return Planes(network, setting, options)


def draw_one(recipe: Recipe, planes: Planes, seed: int = 0) -> Sample:
    """Draw one sample."""
    return followed(recipe(planes, planes.setting.views(0), torch.Generator().manual_seed(seed)))[1]


def followed(drawing: Generator[Step, None, Sample]) -> tuple[list[float], Sample]:
    """Return the shares and the sample of a drawing."""
    shares: list[float] = []

    def noted() -> Generator[Step, None, Sample]:
        while True:
            try:
                with torch.inference_mode():
                    step = next(drawing)
            except StopIteration as end:
                made: Sample = end.value
                return made
            shares.append(step.share)
            yield step

    made = finish(noted())
    return shares, made


def assert_the_seed_is_the_sample(recipe: Recipe, options: Options) -> None:
    """Draw with the same seed twice and with another."""
    first, again, other = (draw_one(recipe, planes_of(Slices(), options), seed).residual for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=1e-3)
