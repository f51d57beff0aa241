"""A first proposal of a lesion mask, for a person to accept or correct: what is too bright on FLAIR, or darker on T1
than the mirror place in the other hemisphere.

Thresholds on the intensities of the brain itself, as the outlier maps of Schmidt et al., NeuroImage 2012 (59:3774), and
asymmetry across the midline, as in Tustison et al., Neuroinformatics 2015 (13:209). The numbers were chosen on eleven
gliomas of BraTS 2018 and, those for small lesions, on one patient with MS; docs/methods.md has the Dice of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.anatomy.brain import find_brain
from core.anatomy.head import find_head
from core.anatomy.intensity import MAD
from core.errors import UserError
from core.imaging.inpaint.mirror import find_midline
from core.imaging.problem import Problem
from core.volume import Box, Volume, bounding_box

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Basis = Literal["flair", "flair-small", "t1"]

# FLAIR, one large lesion: so many robust standard deviations over the median of the brain, smoothed, and over the
# mirror place, or brighter still by itself; parts smaller than a share of the largest are left out
SMOOTH_MM, BRIGHT, ASYMMETRIC, VERY_BRIGHT, RIM_MM, SHARE = 1.5, 1.5, 1.0, 3.0, 2.0, 0.1
# a largest part below this is no tumour: many small lesions are looked for instead, deeper than the cortex
LARGE_ML = 5.0
SMALL_SMOOTH_MM, SMALL_BRIGHT, SMALL_RIM_MM, LEAST_ML, LEAST_VOXELS = 0.5, 2.2, 6.0, 0.005, 5
# T1 alone: darker than the mirror place by so many standard deviations, averaged over this width; smaller parts are
# noise, larger ones hang together with the folds, which a higher threshold cuts off
DARK_SMOOTH_MM, DARK, DARK_RIM_MM, DARK_LEAST_ML, DARK_MOST_ML = 3.0, (0.4, 0.7, 1.0, 1.4), 3.0, 1.0, 150.0


@dataclass(frozen=True, eq=False)
class Proposal:
    """mask: (X, Y, Z) bool, RAS+, on the grid of the T1; basis: what it was made from, "t1" when there was no FLAIR."""

    mask: Bool
    basis: Basis


@dataclass(frozen=True, eq=False)
class _Brain:
    """The part of a scan around the brain: brain (x, y, z) bool, depth under its surface (mm), mirror places (3, N)."""

    box: Box
    brain: Bool
    depth: Float
    places: NDArray[np.float64]
    spacing: tuple[float, float, float]

    def smoothed(self, image: Float, width_mm: float) -> Float:
        return np.asarray(ndimage.gaussian_filter(image, [width_mm / side for side in self.spacing]), np.float32)

    def mirrored(self, image: Float) -> Float:
        seen = ndimage.map_coordinates(image, self.places, order=1, mode="nearest")
        return np.asarray(seen.reshape(image.shape), np.float32)

    def ml(self, voxels: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(voxels * float(np.prod(self.spacing)) / 1000.0, np.float64)


def propose(t1: Volume, flair: Volume | None = None) -> Proposal:
    """Return what looks like a lesion; it may miss one and take healthy tissue for one.

    t1: any T1-weighted scan, stripped or not; flair: on the same grid, or None. Takes some seconds at 1 mm.
    Raises UserError proposal_empty where nothing stands out, wrong_input for grids that differ.
    """
    if flair is not None and flair.data.shape != t1.data.shape:
        raise UserError("wrong_input", "T1 and FLAIR lie on different grids.", "Align them first, then load both.")
    head = find_head(t1)
    whole = head.mask if head.kind == "brain" else find_brain(t1, head.mask).mask
    if not whole.any():
        raise _nothing()
    here = _around(t1, whole)
    found, basis = _bright(here, flair.data[here.box]) if flair is not None else (_dark(here, t1.data[here.box]), "t1")
    if not found.any():
        raise _nothing()
    mask = np.zeros(t1.data.shape, bool)
    mask[here.box] = found
    return Proposal(mask, basis)


def _nothing() -> UserError:
    return UserError(
        "proposal_empty", "Nothing in this scan stands out as a lesion.", "Draw the mask with the tools, or load one."
    )


def _around(t1: Volume, whole: Bool) -> _Brain:
    box = bounding_box(whole, 4)
    brain, spacing = whole[box], t1.spacing
    problem = Problem(t1.data[box], np.zeros(brain.shape, bool), brain, spacing)
    sides = np.array(spacing)[:, None]
    points = np.indices(brain.shape).reshape(3, -1) * sides
    places = find_midline(problem).reflect(points) / sides
    depth = ndimage.distance_transform_edt(brain, sampling=spacing)
    return _Brain(box, brain, np.asarray(depth, np.float32), places, spacing)


def _bright(here: _Brain, flair: Float) -> tuple[Bool, Basis]:
    """Return what is too bright on FLAIR: one large lesion with what belongs to it, or else many small ones."""
    middle, deviation = _robust(flair[here.brain])
    smooth = here.smoothed(flair, SMOOTH_MM)
    over = (smooth - middle) / deviation
    beside = (smooth - here.mirrored(smooth)) / deviation
    large = (here.depth > RIM_MM) & (over > BRIGHT) & ((beside > ASYMMETRIC) | (over > VERY_BRIGHT))
    labels, sizes = _parts(here, large)
    if sizes.max() >= LARGE_ML:
        return (sizes >= SHARE * sizes.max())[labels], "flair"
    small = (here.smoothed(flair, SMALL_SMOOTH_MM) - middle) / deviation > SMALL_BRIGHT
    labels, sizes = _parts(here, small & (here.depth > SMALL_RIM_MM))
    least = max(LEAST_ML, float(here.ml(np.array(LEAST_VOXELS))))
    return (sizes >= least)[labels], "flair-small"


def _dark(here: _Brain, t1: Float) -> Bool:
    """Return the part that is darkest on T1 beside its mirror place."""
    _, deviation = _robust(t1[here.brain])
    both = here.brain & (here.mirrored(here.brain.astype(np.float32)) > 0.5)
    apart = (here.mirrored(here.smoothed(t1, SMOOTH_MM)) - t1) * both
    weight = np.maximum(here.smoothed(both.astype(np.float32), DARK_SMOOTH_MM), 0.1)
    darker = here.smoothed(np.asarray(apart, np.float32), DARK_SMOOTH_MM) / weight / deviation
    for threshold in DARK:
        labels, sizes = _parts(here, (darker > threshold) & (here.depth > DARK_RIM_MM))
        sums = np.asarray(ndimage.sum_labels(darker, labels, range(len(sizes)))) * (sizes > DARK_LEAST_ML)
        darkest = int(np.argmax(sums))
        if sums[darkest] > 0 and sizes[darkest] <= DARK_MOST_ML:
            return np.asarray(labels == darkest)
    return np.zeros(t1.shape, bool)


def _robust(values: Float) -> tuple[float, float]:
    middle = float(np.median(values))
    return middle, max(MAD * float(np.median(np.abs(values - middle))), 1e-6)


def _parts(here: _Brain, mask: Bool) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the parts of a mask as labels, and the volume of each in ml, that of the background 0."""
    labels, _ = ndimage.label(mask)
    sizes = here.ml(np.bincount(labels.ravel()))
    sizes[0] = 0
    return labels, sizes
