"""A problem as networks see it, and the way back: the same for every network of a task."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.diffusion.measurement import Measurement
from core.events import Progress
from core.imaging.options import Options
from core.imaging.preview import Picture
from core.imaging.problem import Estimate
from core.imaging.tiles import Tiling
from core.imaging.volume_sampler import Sampling, View, draw

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Setting:
    """views: sample -> what a network sees. finished: residual and deviation (X, Y, Z), in units of the network's
    residual, -> the estimate, no calls counted.

    planes: axes across the slices of networks that see one at a time, the one to prefer first.
    tiling: how a network may see the volume in parts. unnatural: residual, axis -> how much larger steps are along that
    axis and across the mask's border than in known tissue, 1 alike; None where there is no mask.
    measured: what was measured of the residual, where the voxels to be made were measured in part.
    borrowed: mean and deviation of the residual, whether the other hemisphere may be taken from -> the residual
    (X, Y, Z) that shows tissue from elsewhere in the head, where that is known, and how much is from the other side.
    """

    views: Callable[[int], View]
    finished: Callable[[Float, Float], Estimate]
    picture: Picture
    planes: tuple[int, int, int]
    tiling: Tiling | None = None
    unnatural: Callable[[Float, int], float] | None = None
    measured: Callable[[str], Measurement] | None = None
    borrowed: Callable[[Float, Float, bool], tuple[Float, Bool, float]] | None = None

    def solved(self, sampling: Sampling, options: Options, factor: float) -> Generator[Progress, None, Estimate]:
        """Draw samples and return the estimate, no calls counted; ``factor`` calibrates its deviation."""
        residual, deviation = yield from draw(sampling, self.views, options, self.picture)
        return self.finished(residual, np.float32(factor) * deviation)
