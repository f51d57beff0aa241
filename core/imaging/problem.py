"""What every method gets and gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.imaging.published.options import Paper

Mode = Literal["faithful", "realistic"]
# network calls for the mean that a Realistic fill starts from: the volume as it is and mirrored
MEAN_CALLS = 2


@dataclass(frozen=True, eq=False)
class Problem:
    """A hole to fill.

    image: (X, Y, Z) float32, RAS+, the scan's own intensity units; voxels inside ``mask`` are 0 (voided).
    mask: (X, Y, Z) bool, True where tissue is to be made; not empty, smaller than ``head``.
    head: (X, Y, Z) bool, True inside the head (or inside the brain of a skull-stripped scan).
    spacing: voxel size in mm along X, Y, Z.
    """

    image: NDArray[np.float32]
    mask: NDArray[np.bool_]
    head: NDArray[np.bool_]
    spacing: tuple[float, float, float]


@dataclass(frozen=True)
class Options:
    """How to sample: used by networks; classical methods look at ``consistent`` alone.

    consistent: make the result agree with what was measured, where the task measures (super-resolution).
    opposite: a Realistic fill may take its folds from the other hemisphere.
    """

    mode: Mode = "faithful"
    steps: int = 1
    samples: int = 1
    seed: int = 0
    device: str = "cpu"
    consistent: bool = True
    opposite: bool = True
    paper: Paper = field(default_factory=Paper)


@dataclass(frozen=True, eq=False)
class Estimate:
    """values, deviation: (X, Y, Z) float32 in the scan's units; of a hole, 0 outside the mask.

    ``deviation`` is one standard deviation, None for a method that has no notion of doubt;
    ``calls`` counts network calls; ``notice`` is what is to be known of how it was made, in a sentence.
    """

    values: NDArray[np.float32]
    deviation: NDArray[np.float32] | None = None
    calls: int = 0
    notice: str = ""
