"""What a method of each task gets, and what every method returns."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.acquisition import Acquisition
from core.events import Progress
from core.imaging.options import Options

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Problem:
    """A scan with a masked region that is to be filled (inpainting).

    image: (X, Y, Z) float32, RAS+, the scan's own intensity units; voxels inside ``mask`` are 0 (voided).
    mask: (X, Y, Z) bool, True where tissue is to be made; not empty, smaller than ``head``.
    head: (X, Y, Z) bool, True inside the head (or inside the brain of a skull-stripped scan).
    spacing: voxel size in mm along X, Y, Z.
    """

    image: Float
    mask: Bool
    head: Bool
    spacing: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class ThickScan:
    """A scan with thick slices or coarse voxels that is to be made finer (super-resolution).

    image: (x, y, z) float32, RAS+, as measured, any units; acquisition: how it samples the fine grid.
    guide: (X, Y, Z) float32 on the fine grid, another contrast of the same head, or None.
    spacing: mm of the fine voxels along X, Y, Z. spoilt: (x, y, z) bool, measured voxels that do not count, or None.
    """

    image: Float
    acquisition: Acquisition
    guide: Float | None = None
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    spoilt: Bool | None = None


@dataclass(frozen=True, eq=False)
class Sources:
    """The contrasts at hand of a brain, and the one that is to be made (translation).

    images: contrast ("t1", "t1ce", "t2", "flair") -> (X, Y, Z) float32, RAS+, about 1 mm, one grid, any units;
    brain: (X, Y, Z) bool; target: the contrast to make.
    """

    images: Mapping[str, Float]
    brain: Bool
    target: str


@dataclass(frozen=True, eq=False)
class Estimate:
    """values, deviation: (X, Y, Z) float32 in the scan's units; of a masked region, 0 outside the mask.

    ``deviation`` is one standard deviation, None for a method that does not estimate its own error;
    ``calls`` counts network calls; ``earlier``: seconds of what another method had already computed of the same
    problem; ``notice`` warns the user of how the estimate was made, ``remark`` informs of it.
    """

    values: Float
    deviation: Float | None = None
    calls: int = 0
    earlier: float = 0.0
    notice: str = ""
    remark: str = ""


# (Problem, ThickScan or Sources, options) -> the estimate, after some progress: the function of a method
Solve = Callable[[Any, Options], Generator[Progress, None, Estimate]]
