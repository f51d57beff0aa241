"""A brain made of formulas, in any contrast, on any grid, in any position; nothing in it comes from a person."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.files.nifti import Stored, write_stored
from core.volume import Volume

Matrix = NDArray[np.float64]

# intensities of fluid, grey matter and white matter
TISSUES = {"t1": (150, 420, 600), "t1ce": (160, 430, 590), "t2": (900, 420, 300), "flair": (120, 520, 430)}
# scalp and bone around the brain, where a whole head is asked for
SCALP, BONE = 700, 40


def rigid(turn: tuple[float, float, float], shift: tuple[float, float, float]) -> Matrix:
    """Return the (4, 4) that turns by degrees about X, then Y, then Z, and shifts by mm."""
    made = np.eye(4)
    for axis, angle in enumerate(np.radians(turn)):
        first, second = [other for other in range(3) if other != axis]
        one = np.eye(4)
        one[[first, second], [first, second]] = np.cos(angle)
        one[first, second], one[second, first] = -np.sin(angle), np.sin(angle)
        made = one @ made
    made[:3, 3] = shift
    return made


def grid(size: float = 2.0, shape: tuple[int, int, int] = (56, 66, 54)) -> tuple[Matrix, tuple[int, int, int]]:
    """Return affine and shape of a grid centred on the origin with voxels of ``size`` mm."""
    affine = np.diag([size, size, size, 1.0])
    affine[:3, 3] = -size * (np.array(shape) - 1) / 2
    return affine, shape


def brain(
    contrast: str,
    affine: Matrix | None = None,
    shape: tuple[int, int, int] | None = None,
    moved: Matrix | None = None,
    whole: bool = False,
    scale: float = 0.75,
) -> Volume:
    """Return the brain, moved by ``moved`` (4, 4) in mm, on a grid of 2 mm unless another one is given.

    scale: 1 is the size of an adult's brain; smaller ones make tests quick. whole: with scalp and bone around it.
    """
    if affine is None or shape is None:
        affine, shape = grid()
    place = affine if moved is None else np.linalg.inv(moved) @ affine
    # along one axis where a coordinate depends on no other: sines of a line are quick
    steps = np.ogrid[tuple(slice(side) for side in shape)]
    x, y, z = ((sum((row[axis] * steps[axis] for axis in range(3) if row[axis]), row[3]) / scale) for row in place[:3])
    fluid, grey, white = TISSUES[contrast]
    radius = np.sqrt((x / 62) ** 2 + (y / 78) ** 2 + (z / 60) ** 2)
    folds = 0.07 * (
        np.sin(x / 6 + 1) * np.cos(y / 7) + np.sin(y / 6) * np.cos(z / 6.5 + 2) + 0.5 * np.sin(z / 9 + x / 8)
    )
    values = np.where(radius + folds < 0.82, white, grey).astype(np.float64)
    values[radius + 1.6 * folds > 1.0] = fluid
    # ventricles that are not alike on either side
    values[(((x - 9) / 9) ** 2 + ((y + 6) / 26) ** 2 + ((z - 4) / 12) ** 2) < 1] = fluid
    values[(((x + 10) / 7) ** 2 + ((y + 2) / 20) ** 2 + ((z - 6) / 9) ** 2) < 1] = fluid
    around = ((radius > 1.16) & (radius < 1.28)) * SCALP + ((radius > 1.08) & (radius < 1.16)) * BONE
    values = np.where(radius < (1.08 if whole else 1.0), np.where(radius < 1.0, values, fluid), around if whole else 0)
    return Volume(values.astype(np.float32), affine)


def inside(affine: Matrix, shape: tuple[int, int, int], scale: float = 0.75) -> NDArray[np.bool_]:
    """Return where the brain lies on a grid, unmoved, (X, Y, Z) bool."""
    return brain("t1", affine, shape, scale=scale).data > 0


def write(folder: Path, name: str, volume: Volume) -> Path:
    """Write ``volume`` as int16 to ``folder``/``name``.nii.gz and return the path."""
    path = folder / f"{name}.nii.gz"
    write_stored(path, Stored(np.asfortranarray(np.rint(volume.data).astype(np.int16)), volume.affine))
    return path
