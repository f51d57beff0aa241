"""A piecewise-linear regression from a voxel and its surroundings in some contrasts to another contrast."""

from __future__ import annotations

import torch
from torch import nn

CONTRASTS = 4
# knots of the piecewise-linear curve of a voxel's own value, in standard deviations
KNOTS = (-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0)
# Gaussians of the surroundings, voxels
SCALES = (1.0, 2.5, 6.0)
EACH = 1 + len(KNOTS) + len(SCALES)
PAIRS = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
FEATURES = 1 + CONTRASTS * EACH + len(PAIRS)


class PatchRegression(nn.Module):
    """``table`` (16, 4, ``FEATURES``) float32: coefficients for each set of sources (a bit each) and each target.

    Features: 1; for each source its value, what lies above each of ``KNOTS``, its Gaussians of ``SCALES``; products
    of pairs of sources. Those of absent sources are 0.
    """

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.zeros(2**CONTRASTS, CONTRASTS, FEATURES))
