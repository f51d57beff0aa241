"""What one training step learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Batch:
    """Crops of side S, their truth, and where it counts.

    context: (B, C, S, S, S), the inputs of the network. target: (B, 1, S, S, S), the clean residual,
    or the number of the tissue. region: (B, 1, S, S, S), how much each voxel counts; noise lives where it is not 0.
    conditioning: (B, K) or None. measured: A+ A of each axis, (B, 3, S, S), or None where nothing is
    measured of what is to be made.
    """

    context: NDArray[np.floating]
    target: NDArray[np.floating]
    region: NDArray[np.floating]
    conditioning: NDArray[np.floating] | None = None
    measured: NDArray[np.floating] | None = None


class Source(Protocol):
    """Makes batches; batch ``index`` depends on the run's seed, the packed set and nothing else."""

    def batch(self, index: int, smallest: bool = False) -> Batch:
        """Return batch ``index``; ``smallest`` keeps to the smallest crops (for smoke runs)."""
        ...
