"""The brain of a whole head: what the networks of deepbet see, or a surface that grows to its border."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.anatomy.brain_network import WEIGHTS, network_brain
from core.anatomy.brain_surface import surface_brain
from core.anatomy.head import BRAIN_ML
from core.volume import Volume

Bool = NDArray[np.bool_]

# the smallest brain, with the fluid around it, that is taken from the networks; the largest is ``BRAIN_ML``
LEAST_ML = 800.0


@dataclass(frozen=True, eq=False)
class Brain:
    """mask: (X, Y, Z) bool, empty where no likely brain was found; weights: the networks that found it, none where the
    surface did."""

    mask: Bool
    weights: tuple[str, ...]

    @property
    def means(self) -> str:
        """What found it, in words."""
        return "by the networks of deepbet" if self.weights else "by a surface that grows to its border"


def find_brain(volume: Volume, head: Bool | None = None) -> Brain:
    """Return the brain of the whole head ``volume`` with the fluid around it, on its grid, of any contrast and spacing.

    head: what ``find_head`` found in it, (X, Y, Z) bool; None where that is still to be done.
    The networks find it; where theirs has no likely size, the surface is tried. docs/notes.md compares the two.
    Raises UserError weights_missing or weights_damaged.
    """
    mask = network_brain(volume.data)
    if LEAST_ML <= mask.sum() * float(np.prod(volume.spacing)) / 1000 <= BRAIN_ML:
        return Brain(mask, WEIGHTS)
    return Brain(surface_brain(volume, head), ())
