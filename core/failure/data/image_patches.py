"""Patches cut out of a spectral image by a picture of labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from core.errors import UserError
from core.spectra.cube import Cube
from core.spectra.patches import PatchSet

AMIDE_I = 1655.0


@dataclass(frozen=True)
class Window:
    """How patches are cut. size, step: side of a patch and distance of two, pixels; a step of 0 is the side. tissue:
    mean absorbance at amide I from which a patch is tissue, which Raman spectra are not held to. majority: share of its
    pixels that must have its label."""

    size: int = 24
    step: int = 0
    tissue: float = 0.1
    majority: float = 0.8

    @property
    def stride(self) -> int:
        """Distance of two patches, pixels."""
        return self.step or self.size


def cut_patches(
    cube: Cube,
    mask: NDArray[np.integer],
    classes: tuple[str, ...],
    window: Window | None = None,
    regions: NDArray[np.integer] | None = None,
    picture: NDArray[np.floating] | None = None,
) -> PatchSet:
    """Return the patches of ``cube`` that are tissue and of one class.

    mask: (H, W), 0 where there is no label, else 1 + the number of the class in ``classes``. regions: (H, W), the
    patient or slide of each pixel; a patch that spans two is left out. picture: (H, W, 3), 0 to 1, the same tissue
    stained. UserError mask_mismatch, no_patches.
    """
    window = window or Window()
    side = window.size
    shapes = {name: part.shape for name, part in (("mask", mask), ("regions", regions)) if part is not None}
    if any(shape != cube.data.shape[:2] for shape in shapes.values()) or (
        picture is not None and picture.shape != (*cube.data.shape[:2], 3)
    ):
        raise UserError(
            "mask_mismatch",
            "The label picture does not have as many pixels as the spectral image.",
            "Give one label for each pixel, 0 where there is none.",
        )
    if mask.min() < 0 or mask.max() > len(classes):
        raise UserError("mask_mismatch", "A label is not among the classes.", "Use 0 for no label, then 1, 2, ...")
    if min(mask.shape) < side:
        raise _no_patches(side)
    labels = _windows(mask, window)
    label, share = _majority(labels, len(classes))
    good = (share >= window.majority) & _windows(cube.valid, window).all(axis=(2, 3))
    if not cube.raman:
        good &= _windows(_amide(cube), window).mean(axis=(2, 3)) >= window.tissue
    if regions is not None:
        region = _windows(regions, window)
        good &= region.min(axis=(2, 3)) == region.max(axis=(2, 3))
    down, across = np.nonzero(good)
    if not len(down):
        raise _no_patches(side)
    return PatchSet(
        np.ascontiguousarray(_cut(cube.data, window)[down, across], np.float32),
        cube.wavenumbers,
        label[down, across] - 1,
        classes,
        None if regions is None else region[down, across, side // 2, side // 2].astype(np.int64),
        None if picture is None else np.ascontiguousarray(_cut(picture, window)[down, across], np.float32),
        raman=cube.raman,
    )


def _windows(image: NDArray[np.generic], window: Window) -> NDArray[np.generic]:
    """Return views (rows, columns, size, size)."""
    return sliding_window_view(image, (window.size, window.size))[:: window.stride, :: window.stride]


def _cut(image: NDArray[np.generic], window: Window) -> NDArray[np.generic]:
    """Return views (rows, columns, C, size, size) of ``image`` (H, W, C)."""
    return sliding_window_view(image, (window.size, window.size), axis=(0, 1))[:: window.stride, :: window.stride]


def _majority(labels: NDArray[np.generic], classes: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the commonest label of each window, 1 and up, and the share of its pixels."""
    shares = np.stack([(labels == number).mean(axis=(2, 3)) for number in range(1, classes + 1)])
    return shares.argmax(axis=0) + 1, shares.max(axis=0)


def _amide(cube: Cube) -> NDArray[np.float32]:
    """Return the absorbance (H, W) of amide I, the mean of all bands where it was not measured."""
    nearest = int(np.abs(cube.wavenumbers - AMIDE_I).argmin())
    if abs(cube.wavenumbers[nearest] - AMIDE_I) <= 30:
        return np.asarray(cube.data[:, :, nearest])
    return np.asarray(cube.data.mean(axis=2))


def _no_patches(side: int) -> UserError:
    return UserError(
        "no_patches",
        f"No place of {side} x {side} pixels is tissue of one class.",
        "Use smaller patches, or check the label picture and that the spectra are absorbance.",
    )
