"""The contrasts of a brain and what is common to every way of translating one into another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

CONTRASTS = ("t1", "t1ce", "t2", "flair")
# median and standard deviation of each contrast in the brain, in units of its 99.5th percentile: means over the
# training subjects. The network works on intensities less their median over their deviation, which differ less
# between scanners than the percentile; the way back to it can only be the mean one.
USUAL = {"t1": (0.68, 0.18), "t1ce": (0.52, 0.135), "t2": (0.38, 0.155), "flair": (0.48, 0.16)}
LIMIT = 6.0


@dataclass(frozen=True, eq=False)
class Sources:
    """images: contrast ("t1", "t1ce", "t2", "flair") -> (X, Y, Z) float32, RAS+, about 1 mm, one grid, any units;
    brain: (X, Y, Z) bool; target: the contrast to make."""

    images: Mapping[str, Float]
    brain: Bool
    target: str


def scaled(image: NDArray[np.floating], brain: Bool) -> Float:
    """Return ``image`` (X, Y, Z) less its median in the brain, over its standard deviation there; 0 outside."""
    inside = image[brain].astype(np.float32)
    spread = max(float(inside.std()), 1e-6)
    values = np.clip((image - np.float32(np.median(inside))) / spread, -LIMIT, LIMIT)
    return np.where(brain, values, 0).astype(np.float32)
