"""A small synthetic head with a lesion, on any grid: nothing in it comes from a person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.anatomy.brain import Brain
from core.volume import Volume, orientation_of, ras_affine

# T1-weighted intensities, from the outside in: scalp, skull, grey matter, white matter, ventricles
SHELLS = ((1.0, 300.0), (0.92, 60.0), (0.79, 450.0), (0.66, 700.0), (0.2, 120.0))
LESION = 250.0


@dataclass(frozen=True, eq=False)
class Phantom:
    """scan: (I, J, K) float32 and mask: (I, J, K) bool, both in file order; affine: (4, 4) of that grid."""

    scan: NDArray[np.float32]
    mask: NDArray[np.bool_]
    affine: NDArray[np.float64]

    @property
    def volume(self) -> Volume:
        """The scan in RAS+."""
        return Volume(orientation_of(self.affine).to_ras(self.scan), ras_affine(self.affine, self.scan.shape))

    @property
    def ras_mask(self) -> NDArray[np.bool_]:
        """The mask in RAS+."""
        return orientation_of(self.affine).to_ras(self.mask)

    def write(self, folder: Path, dtype: str = "int16") -> tuple[Path, Path]:
        """Write T1.nii.gz (voxels of ``dtype``) and mask.nii.gz (uint8) into ``folder``; return their paths."""
        t1, mask = folder / "T1.nii.gz", folder / "mask.nii.gz"
        nib.save(nib.Nifti1Image(self.scan.astype(dtype), self.affine), t1)
        nib.save(nib.Nifti1Image(self.mask.astype(np.uint8), self.affine), mask)
        return t1, mask


def make_phantom(
    affine: NDArray[np.float64] | None = None,
    shape: tuple[int, int, int] = (26, 30, 28),
    skull: bool = True,
    seed: int = 0,
) -> Phantom:
    """Return a head (without ``skull`` a brain) that fills a grid of ``shape`` (6 mm, RAS+ without ``affine``)."""
    grid = np.diag([6.0, 6.0, 6.0, 1.0]) if affine is None else affine
    rng = np.random.default_rng(seed)
    place = np.stack(np.meshgrid(*(np.linspace(-1.1, 1.1, n) for n in shape), indexing="ij"))
    radius = np.sqrt((place**2).sum(axis=0)) * (1 + 0.03 * np.sin(9 * place).sum(axis=0))
    scan = np.zeros(shape)
    for outer, intensity in SHELLS if skull else SHELLS[2:]:
        scan[radius < outer] = intensity
    mask = ((place - np.array([0.35, 0.1, 0.1]).reshape(3, 1, 1, 1)) ** 2).sum(axis=0) < 0.2**2
    scan[mask] = LESION
    scan[scan > 0] += rng.normal(0, 8, np.count_nonzero(scan))
    return Phantom(scan.round().astype(np.float32), mask, grid)


def deep_part(volume: Volume, head: NDArray[np.bool_]) -> Brain:
    """Return a quick brain: what lies 30 mm and more below the surface of the ``head`` (X, Y, Z) bool."""
    return Brain(ndimage.distance_transform_edt(head, sampling=volume.spacing) > 30, ())
