"""Slices with resampling: every step is taken again from a little further back, so that fill and surroundings agree.

Lugmayr et al. 2022 (RePaint), algorithm 1 and section 4.2: jump back ``jump`` steps, ``resamples`` times in all.
Network calls: about resamples x those of one plane. Ours: the network sees the known tissue clean instead of having it
noised and pasted in; jumps count steps of an eight-step schedule, not of 250.
"""

from __future__ import annotations

from collections.abc import Generator

import torch

from core.diffusion.sampler import Resampling, Sample, SamplerOptions, Step
from core.imaging.published.planes import Planes, solver
from core.imaging.volume_sampler import View


def recipe(planes: Planes, view: View, generator: torch.Generator) -> Generator[Step, None, Sample]:
    """Draw a sample in the first plane, each part of the way ``resamples`` times."""
    plane, options = planes.order[0], planes.options.published
    resampling = Resampling(options.jump, lambda clean: options.resamples)
    return planes.sample(
        view, planes.one(view, plane), generator, SamplerOptions(planes.noise(plane), resampling=resampling)
    )


inpaint = solver("inpaint", recipe)
