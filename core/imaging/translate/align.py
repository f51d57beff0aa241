"""Where the sources of a translation lie: found by registration, moved where they must, resampled to one grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.anatomy.head import Head
from core.anatomy.registration import register_heads
from core.anatomy.same_head import fit
from core.contrasts import TITLES
from core.errors import UserError
from core.files.nifti import Stored
from core.imaging.one_head import fit_note
from core.result import Note
from core.smoothing import gaussian
from core.volume import Volume, resized, same_grid, spacing, upright_grid

Float = NDArray[np.float32]
Matrix = NDArray[np.float64]

# what the network works at, and the share by which a voxel may differ from it
WORK_MM = 1.0
NEAR = 0.05
# How far the head's voxels may lie off, on average, before a source counts as misplaced. Pairs of co-registered
# contrasts (stroke, MS, tumour; 8 of them) are found 0.14 to 0.44 mm apart, pairs moved on purpose to within 0.65 mm.
ALIGNED_MM = 1.0
# share of a head that another source has to show for the two to be compared, looked at in every SPARSE-th voxel
OVERLAP, SPARSE = 0.2, 50
# what no scans of one head need; the search finds 78 mm and 33 degrees
FARTHEST_MM, FARTHEST_DEGREES = 60.0, 45.0
# mutual information in nats below which two scans have nothing in common, and the gain that counts as one
LEAST_INFORMATION, LEAST_GAIN = 0.15, 0.01


@dataclass(frozen=True, eq=False)
class Scan:
    """A source as its file holds it and in RAS+, where ``volume.affine`` is moved if it had to be."""

    name: str
    stored: Stored
    volume: Volume
    head: Head

    @property
    def title(self) -> str:
        """The contrast in words."""
        return TITLES[self.name]


def sharpness(scan: Scan) -> tuple[float, float]:
    """Return what orders scans by sharpness, the sharpest first: its longest voxel side, mm, and its voxel, mm3."""
    sides = scan.volume.spacing
    # rounded, so that what differs by a hundredth of a mm does not decide
    return round(max(sides), 1), round(float(np.prod(sides)), 1)


def align(scan: Scan, grid: Scan, moving: bool) -> tuple[Scan, tuple[Note, Note]]:
    """Return ``scan`` aligned with ``grid``, its affine moved where it has to be, and notes on that and on whether both
    are of one head.

    moving: whether it may be moved. UserError ``sources_elsewhere``, ``registration_failed``, ``sources_misaligned``.
    """
    if share_seen(scan, grid) < OVERLAP:
        raise elsewhere(scan.title, grid.title)
    found = register_heads(grid.volume, grid.head, scan.volume, scan.head)
    if found is None:
        raise elsewhere(scan.title, grid.title)
    if found.after < LEAST_INFORMATION:
        raise _unlikely(
            f"{scan.title} and {grid.title} have nothing in common by which one could be aligned with the other."
        )
    moved = Volume(scan.volume.data, found.matrix @ scan.volume.affine)
    loose = max(ALIGNED_MM, max(scan.volume.spacing) / 2, max(grid.volume.spacing) / 2)
    if found.distance_mm <= loose or found.after < (1 + LEAST_GAIN) * found.before:
        lies = f"{scan.title} lies on {grid.title}, to within {min(found.distance_mm, loose):.1f} mm."
        return scan, (Note("info", lies), _one_head(scan, moved, grid))
    measure = f"{found.distance_mm:.1f} mm and {found.degrees:.1f} degrees"
    if found.distance_mm > FARTHEST_MM or found.degrees > FARTHEST_DEGREES:
        raise _unlikely(
            f"{scan.title} could not be aligned with {grid.title}: the best match, {measure} away, is unlikely."
        )
    if not moving:
        raise UserError(
            "sources_misaligned",
            f"{scan.title} lies {measure} off {grid.title}.",
            "Switch on the alignment of sources, or register them with another program first.",
        )
    onto_it = Note("info", f"{scan.title} was moved by {measure} onto {grid.title}.")
    return replace(scan, volume=moved), (onto_it, _one_head(scan, moved, grid))


def _one_head(scan: Scan, moved: Volume, grid: Scan) -> Note:
    found = fit(grid.volume, grid.head, moved, scan.head)
    return fit_note(scan.title, grid.title, found)


def share_seen(scan: Scan, grid: Scan) -> float:
    """Return the share of the head of ``grid`` that lies in the field of view of ``scan``."""
    points = np.argwhere(grid.head.mask)[::SPARSE] @ grid.volume.affine[:3, :3].T + grid.volume.affine[:3, 3]
    back = np.linalg.inv(scan.volume.affine)
    index = points @ back[:3, :3].T + back[:3, 3]
    seen = ((index > -0.5) & (index < np.array(scan.volume.data.shape) - 0.5)).all(axis=1)
    return float(seen.mean()) if seen.size else 0.0


def _unlikely(message: str) -> UserError:
    return UserError(
        "registration_failed",
        message,
        "Check that both are of the same subject, or register them with another program first.",
    )


def elsewhere(first: str, second: str) -> UserError:
    """Return the refusal of two scans that do not show the same part of space."""
    return UserError(
        "sources_elsewhere",
        f"{first} and {second} do not show the same part of the head.",
        "Give scans of one subject that overlap, or register them with another program first.",
    )


def working_grid(volume: Volume) -> tuple[Matrix, tuple[int, int, int]]:
    """Return affine and shape of the grid to work on: that of ``volume``, or its box in ``WORK_MM`` mm; upright."""
    own, (x, y, z) = upright_grid(volume.affine, volume.data.shape)
    sizes = spacing(own)
    if all(abs(size / WORK_MM - 1) <= NEAR for size in sizes):
        return own, (x, y, z)
    ratio = WORK_MM / np.array(sizes)
    x, y, z = (max(1, round(n / r)) for n, r in zip((x, y, z), ratio, strict=True))
    return resized(own, ratio), (x, y, z)


def onto(volume: Volume, affine: Matrix, shape: tuple[int, int, int]) -> Float:
    """Return ``volume`` on another grid (X, Y, Z): the same voxels where it is the same grid, otherwise by a cubic
    spline within the range of the scan, smoothed first along axes that become coarser; 0 outside."""
    if same_grid(affine, shape, volume):
        return volume.data
    data = volume.data
    coarser = [max(1.0, WORK_MM / size) for size in volume.spacing]
    if max(coarser) > 1 + NEAR:
        data = gaussian(data, [0.5 * np.sqrt(ratio**2 - 1) for ratio in coarser], "nearest")
    step = np.linalg.solve(volume.affine, affine)
    made = ndimage.affine_transform(data, step[:3, :3], step[:3, 3], shape, order=3, mode="grid-constant")
    return np.asarray(np.clip(made, data.min(), data.max()), np.float32)
