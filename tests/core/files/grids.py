"""Grids in every orientation, and files on them made by nibabel."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

nib: Any = nibabel  # half of nibabel is untyped

ORIENTATIONS = [
    (axes, flips) for axes in itertools.permutations((0, 1, 2)) for flips in itertools.product((False, True), repeat=3)
]
SIZES = {"isotropic": (1.0, 1.0, 1.0), "anisotropic": (0.75, 1.5, 3.0), "oblique": (0.9, 1.1, 2.5)}
TYPES = ("u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8")
SHAPE = (8, 9, 11)


def grid_affine(
    axes: tuple[int, int, int], flips: tuple[bool, bool, bool], sizes: tuple[float, float, float], tilt: float = 0.0
) -> NDArray[np.float64]:
    """Return an affine whose file axis ``axes[i]`` runs along RAS axis i, tilted by ``tilt`` rad about two axes."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    for ras, (stored, flip) in enumerate(zip(axes, flips, strict=True)):
        affine[ras, stored] = -sizes[stored] if flip else sizes[stored]
    sin, cos = np.sin(tilt), np.cos(tilt)
    about_x = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    about_z = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    affine[:3, :3] = about_z @ about_x @ affine[:3, :3]
    affine[:3, 3] = (-31.5, 12.25, 47.0)
    return affine.astype(np.float32).astype(np.float64)


def random_values(dtype: str, seed: int = 0, shape: tuple[int, int, int] = SHAPE) -> NDArray[Any]:
    """Return voxels that use the whole range of an integer type, or normal ones."""
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return (rng.normal(size=shape) * 300).astype(kind)
    limits = np.iinfo(kind)
    return rng.integers(limits.min, limits.max, shape, dtype=kind, endpoint=True)


def save(path: Path, values: NDArray[Any], affine: NDArray[np.float64], version: int = 1, order: str = "<") -> None:
    """Write ``values`` as NIfTI ``version`` in byte ``order`` by nibabel."""
    header_class, image_class = (
        (nib.Nifti1Header, nib.Nifti1Image) if version == 1 else (nib.Nifti2Header, nib.Nifti2Image)
    )
    header = header_class(endianness=order)
    header.set_data_dtype(np.dtype(order + values.dtype.str[1:]))
    image = image_class(values, affine, header)
    image.header.set_slope_inter(1, 0)
    image.to_filename(path)
