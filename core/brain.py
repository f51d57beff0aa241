"""Find the brain in a whole head."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.head import find_head
from core.volume import Volume

Bool = NDArray[np.bool_]


def find_brain(volume: Volume) -> Bool:
    """Return the brain, (X, Y, Z) bool."""
    return find_head(volume).mask
