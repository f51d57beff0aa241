"""Heads in thick slices whose brightness alternates, with the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.acquisition import Acquisition, thick, whole

Float = NDArray[np.float32]

SIDE, STEP = 72, 3
SAMPLED = Acquisition((whole(SIDE), whole(SIDE), thick(SIDE, STEP)))
SPACING = (2.0, 2.0, 2.0 * STEP)


def anatomy(seed: int) -> Float:
    """Return a ball of two tissues in lumps of about 20 mm, (72, 72, 72) of 2 mm; air is 0."""
    random = np.random.default_rng(seed)
    lumps = ndimage.gaussian_filter(random.normal(size=(SIDE, SIDE, SIDE)), 4) > 0
    grid = np.indices(lumps.shape) - (SIDE - 1) / 2
    ball = np.sqrt(np.square(grid).sum(axis=0)) < 33
    image: Any = ndimage.gaussian_filter(np.where(ball, np.where(lumps, 500.0, 400.0), 0.0), 0.7)
    return np.where(image > 1, image, 0).astype(np.float32)


def gain(size: float, drift: float = 0.0, tilt: float = 0.0) -> Float:
    """Return the gain (72, 72, 24) of ``size`` less 1 on even slices and more on odd; drift: how much of it is lost
    from the first to the last slice; tilt: of its size, from left to right, so that 2 changes its sign."""
    count = SAMPLED.coarse[2]
    signs = np.where(np.arange(count) % 2, 1.0, -1.0) * (1 - drift * np.linspace(0, 1, count))
    across = 1 - tilt * np.linspace(0, 1, SIDE)
    return np.broadcast_to(1 + size * across[:, None, None] * signs, SAMPLED.coarse).astype(np.float32)
