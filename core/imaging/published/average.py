"""Three planes, the mean of their scores: TOSM (three 2D networks) or, with 2.5D slices as here, MADM.

Zhu et al. 2025 (Score-Fusion), the baselines of table 1. With weights that sum to one, averaging scores and averaging
clean estimates is the same at every noise level. Network calls: steps x samples x the slices of three planes.
Ours: one network for all planes, x0-prediction; noise is white, for it belongs to no one plane.
"""

from __future__ import annotations

from collections.abc import Generator

import torch

from core.diffusion.sampler import Sample, SamplerOptions, Step
from core.imaging.published.planes import Planes, solver
from core.imaging.volume_sampler import View


def recipe(planes: Planes, view: View, generator: torch.Generator) -> Generator[Step, None, Sample]:
    """Draw a sample whose every step is the mean over the three planes."""
    return planes.sample(view, planes.mean(view, planes.order), generator, SamplerOptions())


inpaint = solver("inpaint", recipe)
superres = solver("superres", recipe)
translate = solver("translate", recipe)
