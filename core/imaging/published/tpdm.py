"""Two perpendicular planes in turns: the product of their priors.

Lee et al. 2023 (TPDM), eq. 8 and algorithm 1: p(x) ~ p_primary(x)^a p_auxiliary(x)^b, sampled by letting one plane take
each step; every ``ratio``-th step is the auxiliary plane's. Network calls: steps x samples x the slices of one plane.
Ours: conditional networks and no corrector steps; one network for both planes.
"""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor

from core.diffusion.sampler import Sample, SamplerOptions, Step
from core.imaging.published.planes import Planes, Prediction, solver
from core.imaging.volume_sampler import View


def recipe(planes: Planes, view: View, generator: torch.Generator) -> Generator[Step, None, Sample]:
    """Draw a sample whose steps go to the first two planes in turns."""
    primary, auxiliary, _ = planes.order
    turns = 0

    def turn() -> int:
        return auxiliary if turns % planes.options.published.ratio == planes.options.published.ratio - 1 else primary

    def denoise(noisy: Tensor, log_snr: Tensor) -> Prediction:
        nonlocal turns
        plane = turn()
        turns += 1
        return planes.predict(view, plane, noisy, log_snr)

    def noise(mask: Tensor, randomness: torch.Generator) -> Tensor:
        # for the plane that sees it next
        return planes.noise(turn())(mask, randomness)

    return planes.sample(view, denoise, generator, SamplerOptions(noise))


inpaint = solver("inpaint", recipe)
superres = solver("superres", recipe)
translate = solver("translate", recipe)
