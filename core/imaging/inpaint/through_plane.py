"""Scans resampled from thick slices: how they are known, and how far a network that learnt from sharp ones is trusted.

Deep in the brain of such a scan the network's part of a fill is too large; a share of it is nearer to the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# detail is the mean squared difference of voxels NEAR mm apart over that of voxels FAR mm apart
NEAR, FAR = 2, 5
# detail across the slices over that along the best axis: sharp T1s have 0.84 to 0.99, slices of 2 mm 0.78 to 0.84,
# of 3 mm 0.75, of 4 mm 0.67 to 0.70, of 5 mm 0.59 to 0.65
SHARP, THICK = 0.85, 0.70
# pairs of voxels below which nothing is concluded
FEWEST = 2000
# known tissue so near to the surface of the head does not count: the cut edge of a stripped brain is sharp
SURFACE = 3
# the smooth fill is wrong near the cut edge, in any scan: there the network counts in full
DEPTH_MM = 4.0
AXES = ("left to right", "back to front", "bottom to top")


@dataclass(frozen=True, eq=False)
class Trust:
    """share: (X, Y, Z), how much of the network's residual counts; spread: what its deviation is multiplied by;
    notice: a sentence for the user."""

    share: Float
    spread: float
    notice: str

    def of(self, residual: Float, deviation: Float) -> tuple[Float, Float]:
        """Return the residual that counts and its deviation (X, Y, Z): what was left of it is no longer known."""
        kept = (self.share * residual).astype(np.float32)
        return kept, np.hypot(np.float32(self.spread) * deviation, residual - kept)


def trust(detail: tuple[float, float, float] | None, head: Bool, thick: tuple[float, float]) -> Trust | None:
    """Return how far a network is trusted in a crop of 1 mm with such ``details`` and such a ``head`` (X, Y, Z).

    thick: share of the residual and factor of the deviation in scans of thick slices. None where all of it counts.
    """
    if detail is None or thick == (1.0, 1.0):
        return None
    axis = int(np.argmin(detail))
    ratio = float(detail[axis] / max(detail))
    part = float(np.interp(ratio, (THICK, SHARP), (1.0, 0.0)))
    if part == 0:
        return None
    share, spread = (1 + part * (value - 1) for value in thick)
    outside = ~head
    depth = ndimage.distance_transform_edt(head) if outside.any() else np.full(head.shape, np.inf)
    near = np.exp(-depth / DEPTH_MM)
    notice = (
        f"The scan was made of thick slices: from {AXES[axis]} it has {ratio:.0%} of the detail that it has along its "
        f"best axis. The network learnt from sharp scans; deep in the brain {share:.0%} of what it adds to the smooth "
        "fill counts."
    )
    return Trust((near + (1 - near) * share).astype(np.float32), spread, notice)


def details(image: Float, known: Bool) -> tuple[float, float, float] | None:
    """Return the detail of ``known`` tissue of ``image`` (X, Y, Z), 1 mm, along each axis; None for too little of it.

    A ratio of two values of the variogram: it depends neither on units nor on contrast, little on noise.
    """
    inner = ndimage.binary_erosion(known, iterations=SURFACE, border_value=1)
    found = []
    for axis in range(3):
        near, far = (_apart(image, inner, axis, lag) for lag in (NEAR, FAR))
        if min(near.size, far.size) < FEWEST or not far.any():
            return None
        found.append(float((near**2).mean() / (far**2).mean()))
    return found[0], found[1], found[2]


def _apart(image: Float, known: Bool, axis: int, lag: int) -> NDArray[np.float64]:
    """Return the differences of known voxels ``lag`` apart along ``axis``."""
    first, second = (
        tuple(part if along == axis else slice(None) for along in range(3))
        for part in (slice(None, -lag), slice(lag, None))
    )
    both = known[first] & known[second]
    return np.asarray(image[second][both] - image[first][both], np.float64)
