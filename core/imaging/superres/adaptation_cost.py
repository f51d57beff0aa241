"""What it takes to adapt a network to a scan; importing it loads no torch."""

from __future__ import annotations

# voxels along a side of a patch, as in training, and patches a step
SIDE, PATCHES = 40, 2
# a patch goes forward and back: so many calls of its size
CALLS = 3


def adaptation_voxels(steps: int) -> int:
    """Return of how many voxels a call takes as long as ``steps`` of learning."""
    return steps * PATCHES * CALLS * SIDE**3
