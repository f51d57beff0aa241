"""What accuracy is held against: always naming the commonest class."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def chance_of(labels: ArrayLike) -> float:
    """Return the share of the commonest class among ``labels`` (N,); nan for none.

    >>> chance_of([0, 0, 1, 0])
    0.75
    """
    counts = np.unique(np.asarray(labels), return_counts=True)[1]
    return float(counts.max() / counts.sum()) if counts.size else float("nan")
