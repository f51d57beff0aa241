"""One plane, each slice by itself: the 2D diffusion that the papers start from.

Saharia et al. 2022 (Palette) on slices, with the 2.5D condition of Zhu et al. 2025 (Score-Fusion, "2.5D"); the step is
Ho et al. 2020, eq. 7. Network calls: steps x samples x the slices of one plane that touch what is to be made.
Ours: x0-prediction of a residual to the task's plain base, eighths of a cosine schedule in place of 1000 linear steps.
"""

from __future__ import annotations

from collections.abc import Generator

import torch

from core.diffusion.sampler import Sample, SamplerOptions, Step
from core.imaging.published.planes import Planes, solver
from core.imaging.volume_sampler import View


def recipe(planes: Planes, view: View, generator: torch.Generator) -> Generator[Step, None, Sample]:
    """Draw a sample in the first plane of the setting."""
    plane = planes.order[0]
    return planes.sample(view, planes.one(view, plane), generator, SamplerOptions(planes.noise(plane)))


inpaint = solver("inpaint", recipe)
superres = solver("superres", recipe)
translate = solver("translate", recipe)
