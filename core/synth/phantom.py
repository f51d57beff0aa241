"""A head made of formulas, in place of a label map: folded cortex, nuclei, cerebellum, skull."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from core.synth.fields import Shape, smooth_noise, stream
from core.synth.labelmaps import CEREBELLAR_CORTEX, CEREBELLAR_WHITE, CORTEX, CSF, DURA, WHITE

Place = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]

THALAMUS, CAUDATE, PUTAMEN, PALLIDUM, BRAINSTEM, HIPPOCAMPUS, CHOROID = 6, 7, 8, 9, 10, 11, 13
MUSCLE, SKIN, SKULL = 14, 15, 16
# thickness of cortex and half width of a sulcus in voxels, and how deep sulci cut
CORTEX_THICKNESS, SULCUS, SULCUS_DEPTH = 2.6, 0.75, 20.0
# centre and half axes in mm from the middle of the brain (right, front, up); the left side is a mirror image
NUCLEI: tuple[tuple[int, tuple[float, float, float], tuple[float, float, float]], ...] = (
    (CSF, (9, 4, 12), (6, 30, 8)),
    (CSF, (22, -26, 0), (5, 14, 8)),
    (CSF, (0, -2, 0), (2, 14, 9)),
    (CHOROID, (20, -24, 3), (2.5, 6, 2.5)),
    (THALAMUS, (11, -8, 1), (8, 13, 8)),
    (CAUDATE, (14, 18, 8), (5, 10, 8)),
    (PUTAMEN, (26, 6, -1), (5, 15, 9)),
    (PALLIDUM, (19, 4, -2), (4, 9, 6)),
    (HIPPOCAMPUS, (27, -16, -16), (6, 18, 6)),
)
SIDES: Shape = (160, 192, 160)


def phantom(seed: int, shape: Shape = SIDES) -> NDArray[np.uint8]:
    """Return the tissue map (X, Y, Z) uint8 of a made-up head; 1 mm at the default shape, scaled otherwise.

    It has ribbons of cortex around sulci and symmetric deep nuclei, enough for algorithms; for scans that are shown,
    use the label map of a person.
    """
    generator = stream(seed, "phantom")
    scale = shape[1] / SIDES[1]
    middle = [(side - 1) / 2 for side in shape]
    grids = np.meshgrid(
        *[(np.arange(s, dtype=np.float32) - m) / scale for s, m in zip(shape, middle, strict=True)], indexing="ij"
    )
    place: Place = (grids[0], grids[1], grids[2] - 6)
    lump = 0.03 * smooth_noise(shape, 30.0 * scale, generator).numpy()
    outside = _ball(place, (0, 0, 0), (60, 76, 56)) + lump
    tissues = np.zeros(shape, np.uint8)
    for limit, tissue in ((1.24, SKIN), (1.17, SKULL), (1.085, DURA), (1.07, CSF)):
        tissues[outside < limit] = tissue
    neck = (place[2] < -36) & (np.hypot(place[0], 0.8 * (place[1] + 5)) < 56) & (outside >= 1.07)
    tissues[neck] = MUSCLE
    cerebrum = _cerebrum(place, outside < 1, scale)
    base = (outside < 1.07) & ~cerebrum & (place[1] > -12) & (place[2] < -14)
    tissues[base] = SKULL
    _add_cerebrum(tissues, cerebrum, place, scale, generator)
    _add_cerebellum(tissues, place)
    return tissues


def _cerebrum(place: Place, skull: NDArray[np.bool_], scale: float) -> NDArray[np.bool_]:
    """Return both hemispheres: they end above the cerebellum, at the base of the skull, and lower at the temples."""
    x, y, z = place
    floor = np.where(y < -16, -20 + 0.1 * (y + 16), np.where(y > 30, -16, -20))
    temples = (np.abs(x) > 14) & (y > -16) & (y < 30)
    rough = skull & (z > np.where(temples, -38, floor))
    return np.asarray(ndimage.gaussian_filter(rough.astype(np.float32), 2.5 * scale) > 0.5)


def _add_cerebrum(
    tissues: NDArray[np.uint8], cerebrum: NDArray[np.bool_], place: Place, scale: float, generator: torch.Generator
) -> None:
    """Paint white matter, sulci, cortex around both, and what lies inside, in place."""
    shape: Shape = (tissues.shape[0], tissues.shape[1], tissues.shape[2])
    depth = ndimage.distance_transform_edt(cerebrum) / scale
    folds = [smooth_noise(shape, size * scale, generator).numpy() for size in (15.0, 11.0)]
    wide = 1.6 * SULCUS / 12
    sulci = (depth < SULCUS_DEPTH) & ((np.abs(folds[0]) < wide) | ((np.abs(folds[1]) < wide) & (depth < 14)))
    beyond_callosum = np.hypot((place[1] + 2) / 44, (place[2] - 4) / 21) > 1
    fissure = (np.abs(place[0] + 1.5 * folds[0]) < 1.0) & beyond_callosum
    x = np.abs(place[0])
    mirrored: Place = (np.asarray(x), place[1], place[2])
    inner = np.min([_ball(mirrored, centre, axes) for _, centre, axes in NUCLEI], axis=0) < 1.5
    solid = cerebrum & ~((sulci | fissure) & ~inner)
    tissues[cerebrum] = CSF
    tissues[solid] = WHITE
    ribbon = solid & ~inner & (ndimage.distance_transform_edt(solid) / scale < CORTEX_THICKNESS)
    tissues[ribbon] = CORTEX
    for tissue, centre, axes in NUCLEI:
        tissues[cerebrum & (_ball(mirrored, centre, axes) < 1)] = tissue


def _add_cerebellum(tissues: NDArray[np.uint8], place: Place) -> None:
    """Paint cerebellum, fourth ventricle and brainstem, in place."""
    x, y, z = place
    cerebellum = _ball(place, (0, -42, -38), (44, 25, 18))
    tissues[cerebellum < 1] = CEREBELLAR_CORTEX
    tissues[_ball((np.abs(x), y, z), (14, -38, -37), (20, 12, 7)) < 1] = CEREBELLAR_WHITE
    stem = np.hypot(x / 13, (y + 14 - 0.12 * (z + 30)) / 12) < 1
    tissues[stem & (z < -12) & (z > -70)] = BRAINSTEM
    tissues[_ball(place, (0, -24, -35), (5, 3, 11)) < 1] = CSF


def _ball(place: Place, centre: tuple[float, ...], axes: tuple[float, ...]) -> NDArray[np.float32]:
    """Return the distance to ``centre`` as a share of the half ``axes``, 1 on the ellipsoid."""
    total = sum(((grid - c) / a) ** 2 for grid, c, a in zip(place, centre, axes, strict=True))
    return np.sqrt(np.asarray(total, np.float32))
