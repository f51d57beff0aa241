"""Heads by the project's generator, small and quickly made: two contrasts of one, and other heads."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from core.synth.phantom import phantom
from core.synth.subject import subject
from core.volume import Volume

SHAPE, SIZE_MM = (80, 96, 80), 2.0


@lru_cache
def heads(seed: int, lesion: str | None = None, whole: bool = False) -> dict[str, Volume]:
    """Three contrasts of a made-up head of 2 mm, as different from that of another seed as folds and shape can be."""
    affine = np.diag([SIZE_MM, SIZE_MM, SIZE_MM, 1.0])
    affine[:3, 3] = -80, -96, -80
    made = subject(phantom(seed, SHAPE), seed, ("t1", "t2", "flair"), whole_head=whole, lesion=lesion)
    return {name: Volume(image, affine) for name, image in made.images.items()}
