"""What a sample may not change: the part of a volume that was measured."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def null_space(values: Tensor, measured: Sequence[Tensor]) -> Tensor:
    """Return the part of ``values`` (B, 1, X, Y, Z) that a separable measurement A does not see: x - A+ A x.

    measured: A+ A of each axis, (B, n, n) with n the side of that axis; an identity where every voxel was measured.
    Wang et al. 2023 (DDNM), eq. 6.
    """
    seen = values
    for axis, matrix in enumerate(measured):
        letters = "xyz"[axis]
        seen = torch.einsum(f"bcxyz,bi{letters}->bc{'xyz'.replace(letters, 'i')}", seen, matrix)
    return values - seen
