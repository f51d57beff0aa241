"""The truth, where a user has it: read onto the result's grid, and how near a result comes to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.nifti import read_volume
from core.measure import quality
from core.result import number
from core.volume import Volume, resample, same_grid

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# share of what is measured that must lie within the reference's field of view
COVERED = 0.98
BRIGHT = 99.5


def read_reference(path: Path, like: Volume, where: Bool) -> Float:
    """Return the reference on the grid of ``like``, (X, Y, Z) float32, RAS+, its own units.

    where: (X, Y, Z) bool, the voxels to be measured. Resampled linearly where the grids differ.
    UserError ``reference_elsewhere`` when it does not cover ``where``, and every code of ``read_volume``.
    """
    found = read_volume(path)
    shape = like.data.shape
    if same_grid(like.affine, shape, found):
        return found.data
    inside = resample(np.ones(found.data.shape, np.uint8), found.affine, like.affine, shape, order=0)
    if float(inside[where].mean()) < COVERED:
        raise UserError(
            "reference_elsewhere",
            "The reference does not cover the result: it lies elsewhere in space.",
            "Give a reference of the same subject in the scan's own space, or resample it onto the scan.",
        )
    return resample(found.data, found.affine, like.affine, shape, order=1)


def scores(result: Float, truth: Float, where: Bool) -> dict[str, float | None]:
    """Return PSNR, SSIM and MAE of ``result`` (X, Y, Z) inside ``where``, in units of the truth's bright tissue.

    The peak is the 99.5th percentile of ``truth`` inside ``where``.
    """
    unit = np.float32(max(float(np.percentile(truth[where], BRIGHT)), 1e-6))
    first, second = result / unit, truth / unit
    return {
        "psnr": number(quality.psnr(first, second, where, 1.0)),
        "ssim": number(quality.ssim(first, second, where, 1.0)),
        "mae": number(quality.mae(first, second, where)),
    }


def consistency(
    result: Float, truth: Float | None, where: Bool, spacing: tuple[float, float, float]
) -> tuple[float | None, ...]:
    """Return how neighbouring slices of ``result`` (X, Y, Z) inside ``where`` fit, axis by axis; 1 is natural.

    Beside ``truth`` in the same units, or without it beside the mean of the three axes.
    """
    if truth is None:
        return tuple(number(ratio) for ratio in quality.slice_evenness(result, where, spacing))
    return tuple(number(ratio) for ratio in quality.slice_consistency(result, truth, where))
