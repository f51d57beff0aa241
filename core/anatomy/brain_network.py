"""The brain of a whole head by the two networks of deepbet (Fisch et al., Comput. Biol. Med. 179:108845, 2024)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.volume import Box, largest_part, without_holes
from core.weights import load

if TYPE_CHECKING:
    from torch import Tensor

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Triple = tuple[int, int, int]

# the network that looks where in the picture the brain lies, and the one that draws it there
WEIGHTS = ("brain-box", "brain")
# both know a cube of this side, to which the picture or the part of it is stretched
BOX_SIDE, BRAIN_SIDE = 128, 256
# shares of the picture's voxels that are as dark as air or as bright as fat
DARK, BRIGHT = 0.005, 0.995
# share of a plane that is brain at the border of the box, and what is added to the box on either side
SEEN, MARGIN = 0.02, 0.1


def network_brain(image: Float) -> Bool:
    """Return the brain of a whole head, (X, Y, Z) bool, with the fluid around it, in one piece and without holes.

    image: (X, Y, Z) float32, RAS+, any units; a T1 as the networks learnt it, or another contrast that shows a scalp.
    Nothing where no brain is seen. Raises UserError weights_missing or weights_damaged.
    """
    import torch

    nothing = np.zeros(image.shape, bool)
    whole = torch.nan_to_num(torch.from_numpy(np.ascontiguousarray(image)))
    coarse = _stretched(whole, (BOX_SIDE,) * 3)
    low, high = (float(coarse.quantile(share)) for share in (DARK, BRIGHT))
    if high <= low:
        return nothing
    box = _box(largest_part(_scores(WEIGHTS[0], coarse, low, high).numpy() > 0), image.shape)
    if box is None:
        return nothing
    scores = _scores(WEIGHTS[1], _stretched(whole[box], (BRAIN_SIDE,) * 3), low, high)
    x, y, z = whole[box].shape
    nothing[box] = without_holes(largest_part(_stretched(scores, (x, y, z)).numpy() > 0))
    return nothing


def _scores(name: str, image: Tensor, low: float, high: float) -> Tensor:
    """Return the scores (D, H, W) of an image whose ``low`` and ``high`` intensities become 0 and 1."""
    import torch

    network = load(name)
    with torch.inference_mode():
        scaled = ((image - low) / (high - low)).clamp(0, 1)
        # the mean and deviation that the networks were taught with
        scaled = 0.226 * (scaled - scaled.mean()) / scaled.std().clamp_min(1e-6) + 0.449
        scores: Tensor = network(scaled[None, None])[0]
    return scores


def _stretched(image: Tensor, shape: Triple) -> Tensor:
    from torch.nn.functional import interpolate

    return interpolate(image[None, None], shape, mode="nearest-exact")[0, 0]


def _box(brain: Bool, shape: tuple[int, ...]) -> Box | None:
    """Return the box around a coarse ``brain``, with a margin, on a picture of ``shape``; None for no brain."""
    slices = []
    for axis, (coarse, fine) in enumerate(zip(brain.shape, shape, strict=True)):
        planes = np.flatnonzero(brain.mean(axis=tuple({0, 1, 2} - {axis})) > SEEN)
        if planes.size == 0:
            return None
        first, last = planes[0] * fine / coarse, (planes[-1] + 1) * fine / coarse
        wider = MARGIN * (last - first)
        slices.append(slice(max(0, round(first - wider)), min(fine, round(last + wider))))
    return slices[0], slices[1], slices[2]
