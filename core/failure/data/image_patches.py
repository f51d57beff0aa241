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
PATCH_BYTES = 768 << 20
"""The most that all patches of a data set may take as 32-bit numbers."""


@dataclass(frozen=True)
class Window:
    """How patches are cut. size, step: side of a patch and distance of two, pixels; a step of 0 is the side. tissue:
    mean absorbance at amide I from which a patch is tissue, which Raman spectra are not held to. majority: share of its
    pixels that must have its label. most: how many patches are taken of a data set at most."""

    size: int = 24
    step: int = 0
    tissue: float = 0.1
    majority: float = 0.8
    most: int = 4000

    @property
    def stride(self) -> int:
        """Distance of two patches, pixels."""
        return self.step or self.size

    def room(self, bands: int, colours: int = 0) -> int:
        """Return how many patches of ``bands``, and of ``colours`` numbers a pixel besides, may be taken."""
        return max(1, min(self.most, PATCH_BYTES // (4 * self.size**2 * (bands + colours))))


@dataclass(frozen=True, eq=False)
class Places:
    """Where patches lie. down, across: (N,) numbers of windows, one ``Window.stride`` apart. labels: (N,) 0 to K - 1.
    groups: (N,) or None."""

    down: NDArray[np.int64]
    across: NDArray[np.int64]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64] | None

    def __len__(self) -> int:
        return len(self.down)

    def thinned(self, most: int) -> Places:
        """Return at most ``most`` of the places, the same each time, of each class as even a number as there are."""
        if len(self) <= most:
            return self
        order = np.random.default_rng(0).permutation(len(self))
        # the first of each class, then the second of each, ...
        rank = np.zeros(len(self), np.int64)
        for label in np.unique(self.labels):
            own = order[self.labels[order] == label]
            rank[own] = np.arange(len(own))
        kept = np.sort(order[np.argsort(rank[order], kind="stable")[:most]])
        groups = None if self.groups is None else self.groups[kept]
        return Places(self.down[kept], self.across[kept], self.labels[kept], groups)


def cut_patches(
    cube: Cube,
    mask: NDArray[np.integer],
    classes: tuple[str, ...],
    window: Window | None = None,
    regions: NDArray[np.integer] | None = None,
    picture: NDArray[np.floating] | None = None,
) -> PatchSet:
    """Return the patches of ``cube`` that are tissue and of one class, at most as many as the window has room for.

    mask: (H, W), 0 where there is no label, else 1 + the number of the class in ``classes``. regions: (H, W), the
    patient or slide of each pixel; a patch that spans two is left out. picture: (H, W, 3), 0 to 1, the same tissue
    stained, also with k x k pixels for each. UserError mask_mismatch, no_patches.
    """
    window = window or Window()
    places = find_places(cube, mask, len(classes), window, regions)
    finest = finer(picture, cube)
    if not len(places):
        raise no_patches(window.size)
    places = places.thinned(window.room(len(cube.wavenumbers), 3 * finest**2))
    return PatchSet(
        cut(cube.data, places, window),
        cube.wavenumbers,
        places.labels,
        classes,
        places.groups,
        None if picture is None else cut(picture, places, window, finest),
        raman=cube.raman,
    )


def find_places(
    cube: Cube, mask: NDArray[np.integer], classes: int, window: Window, regions: NDArray[np.integer] | None = None
) -> Places:
    """Return where patches of tissue and of one of ``classes`` lie in ``cube``; arguments as in ``cut_patches``.

    UserError mask_mismatch.
    """
    shapes = [part.shape for part in (mask, regions) if part is not None]
    if any(shape != cube.data.shape[:2] for shape in shapes):
        raise _mismatch()
    if mask.min() < 0 or mask.max() > classes:
        raise UserError("mask_mismatch", "A label is not among the classes.", "Use 0 for no label, then 1, 2, ...")
    if min(mask.shape) < window.size:
        empty = np.zeros(0, np.int64)
        return Places(empty, empty, empty, None if regions is None else empty)
    shares = np.stack([_windows(mask == number, window).mean(axis=(2, 3)) for number in range(1, classes + 1)])
    good = (shares.max(axis=0) >= window.majority) & _windows(cube.valid, window).all(axis=(2, 3))
    if not cube.raman:
        good &= _windows(_amide(cube), window).mean(axis=(2, 3)) >= window.tissue
    if regions is not None:
        region = _windows(regions, window)
        good &= region.min(axis=(2, 3)) == region.max(axis=(2, 3))
    down, across = np.nonzero(good)
    groups = None if regions is None else region[down, across, 0, 0].astype(np.int64)
    return Places(down, across, shares.argmax(axis=0)[down, across].astype(np.int64), groups)


def cut(image: NDArray[np.generic], places: Places, window: Window, finest: int = 1) -> NDArray[np.float32]:
    """Return the patches (N, C, H, W) of ``image`` (H, W, C) at ``places``; finest: as ``finer`` returns it."""
    size, stride = finest * window.size, finest * window.stride
    views = sliding_window_view(image, (size, size), axis=(0, 1))[::stride, ::stride]
    return np.ascontiguousarray(views[places.down, places.across], np.float32)


def finer(picture: NDArray[np.floating] | None, cube: Cube) -> int:
    """Return how many pixels of ``picture`` (H, W, 3) lie along one of ``cube``, 1 without a picture.

    UserError mask_mismatch for a picture of another form.
    """
    if picture is None:
        return 1
    rows, columns = cube.data.shape[:2]
    finest = int(picture.shape[0] // rows)
    if finest < 1 or picture.shape != (finest * rows, finest * columns, 3):
        raise _mismatch()
    return finest


def _windows(image: NDArray[np.generic], window: Window) -> NDArray[np.generic]:
    """Return views (rows, columns, size, size)."""
    return sliding_window_view(image, (window.size, window.size))[:: window.stride, :: window.stride]


def _amide(cube: Cube) -> NDArray[np.float32]:
    """Return the absorbance (H, W) of amide I, the mean of all bands where it was not measured."""
    nearest = int(np.abs(cube.wavenumbers - AMIDE_I).argmin())
    if abs(cube.wavenumbers[nearest] - AMIDE_I) <= 30:
        return np.asarray(cube.data[:, :, nearest])
    return np.asarray(cube.data.mean(axis=2))


def _mismatch() -> UserError:
    return UserError(
        "mask_mismatch",
        "The label picture does not have as many pixels as the spectral image.",
        "Give one label for each pixel, 0 where there is none.",
    )


def no_patches(side: int) -> UserError:
    """Return the refusal of an image without a patch of ``side`` pixels."""
    return UserError(
        "no_patches",
        f"No place of {side} x {side} pixels is tissue of one class.",
        "Use smaller patches, or check the label picture and that the spectra are absorbance.",
    )
