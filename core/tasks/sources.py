"""The sources of a translation: read, checked against one another, laid on one grid, and their brain."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.brain import find_brain
from core.errors import UserError
from core.events import Progress
from core.files.nifti import Stored, read_stored
from core.head import Head, find_head
from core.methods.contrasts import Sources
from core.registration import Alignment, register
from core.tasks.translate import CANNOT_KNOW, SLOTS, TITLES
from core.volume import Volume, corners, resample

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Matrix = NDArray[np.float64]

# what the network works at, and the share by which a voxel may differ from it
WORK_MM = 1.0
NEAR = 0.05
# a grid that differs by less than this is the same grid
SAME_MM = 1e-2
# How far the head's voxels may lie off, on average, before a source counts as misplaced. Pairs of co-registered
# contrasts (stroke, MS, tumour; 8 of them) are found 0.14 to 0.44 mm apart, pairs moved on purpose to within 0.65 mm.
ALIGNED_MM = 1.0
# what no scans of one head need; the search finds 78 mm and 33 degrees
FARTHEST_MM, FARTHEST_DEGREES = 60.0, 45.0
# mutual information in nats below which two scans tell nothing of each other, and the gain that counts as one
LEAST_INFORMATION, LEAST_GAIN = 0.15, 0.01
# share of the brain that every source has to cover
COVERED, WHOLLY = 0.5, 0.99


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


@dataclass(frozen=True, eq=False)
class Gathered:
    """sources: on the working grid, whose affine is ``affine``; grid: the scan on whose grid results are written;
    facts: sentences and numbers for the page."""

    sources: Sources
    affine: Matrix
    grid: Scan
    facts: Mapping[str, Any] = field(default_factory=dict)

    def back(self, values: Float) -> Float:
        """Return ``values`` (x, y, z) of the working grid on the grid of ``grid``, 0 outside the brain."""
        like = self.grid.volume
        if same_grid(self.affine, values.shape, like):
            return values
        shape = self.grid.stored.ras_shape
        result = resample(values, self.affine, like.affine, shape, order=1, edge="nearest")
        return np.where(self.brain, result, 0).astype(np.float32)

    @property
    def brain(self) -> Bool:
        """The brain on the grid of ``grid``, (X, Y, Z) bool."""
        like = self.grid.volume
        brain = self.sources.brain
        if same_grid(self.affine, brain.shape, like):
            return brain
        return resample(brain, self.affine, like.affine, self.grid.stored.ras_shape, order=0)


def gather(inputs: Mapping[str, Path], target: str, moving: bool) -> Generator[Progress, None, Gathered]:
    """Read the sources among ``inputs`` and lay them on the grid of the sharpest one.

    The sharpest has the shortest longest voxel side, then the smallest voxels, then comes first among the slots.
    moving: move sources that lie elsewhere; UserError ``sources_misaligned`` for them otherwise. UserError also
    ``no_source``, ``target_given``, ``same_file_twice``, ``sources_elsewhere``, ``registration_failed``, ``no_brain``.
    """
    check_slots(inputs, target)
    scans = []
    for index, name in enumerate(name for name in SLOTS if name in inputs):
        yield Progress(0.0, index, len(inputs), f"Reading {TITLES[name]}")
        stored = read_stored(inputs[name])
        volume = stored.to_volume()
        scans.append(Scan(name, stored, volume, find_head(volume)))
    check_different({scan.title: scan.volume for scan in scans})
    grid = min(scans, key=_sharpness)
    laid, alignment = [], []
    for scan in scans:
        if scan is not grid:
            yield Progress(0.5, 0, 1, f"Laying {scan.title} on {grid.title}")
            scan, sentence = lay(scan, grid, moving)
            alignment.append(sentence)
        laid.append(scan)
    yield Progress(0.9, 0, 1, "Looking for the brain")
    return _on_one_grid(laid, grid, target, alignment)


def check_slots(inputs: Mapping[str, Path], target: str) -> None:
    """Refuse what needs no reading: no source at all, and a target that is given."""
    if target in inputs:
        raise UserError(
            "target_given",
            f"{TITLES[target]} is to be made, and it is among the sources.",
            "Choose another contrast to make; to compare with the true one, give it as the reference.",
        )
    if not any(name in inputs for name in SLOTS):
        raise UserError("no_source", "There is no scan to translate from.", "Give at least one of T1, T1ce, T2, FLAIR.")


def same_scan(one: Volume, other: Volume) -> bool:
    """Return whether two scans hold the same voxels."""
    return one.data.shape == other.data.shape and bool(np.array_equal(one.data, other.data))


def check_different(volumes: Mapping[str, Volume]) -> None:
    """Raise UserError ``same_file_twice`` when two of ``volumes`` (title -> scan) hold the same voxels."""
    for (first, one), (second, other) in combinations(volumes.items(), 2):
        if same_scan(one, other):
            raise UserError(
                "same_file_twice",
                f"{first} and {second} are the same scan.",
                "Give each contrast its own scan, and leave out what you do not have.",
            )


def lay(scan: Scan, grid: Scan, moving: bool) -> tuple[Scan, str]:
    """Return ``scan`` where it belongs on ``grid``, and what was found in a sentence."""
    found = _registered(scan, grid)
    loose = max(ALIGNED_MM, max(scan.volume.spacing) / 2, max(grid.volume.spacing) / 2)
    if found.distance_mm <= loose or found.after < (1 + LEAST_GAIN) * found.before:
        return scan, f"{scan.title} lies on {grid.title}, to within {min(found.distance_mm, loose):.1f} mm."
    measure = f"{found.distance_mm:.1f} mm and {found.degrees:.1f} degrees"
    if found.distance_mm > FARTHEST_MM or found.degrees > FARTHEST_DEGREES or found.after < LEAST_INFORMATION:
        raise UserError(
            "registration_failed",
            f"{scan.title} could not be laid on {grid.title}: the best match found ({measure} away) is no likely one.",
            "Check that both are of the same subject, or register them with another program first.",
        )
    if not moving:
        raise UserError(
            "sources_misaligned",
            f"{scan.title} lies {measure} off {grid.title}.",
            "Switch on the alignment of sources, or register them with another program first.",
        )
    volume = Volume(scan.volume.data, found.matrix @ scan.volume.affine)
    return replace(scan, volume=volume), f"{scan.title} was moved by {measure} onto {grid.title}."


def _registered(scan: Scan, grid: Scan) -> Alignment:
    """Return how ``scan`` lies on ``grid``: searched within the brain where one of the two is stripped."""
    if scan.head.kind == "brain" and grid.head.kind == "head":
        found = register(scan.volume, grid.volume, scan.head.mask)
        found = found and found.reversed()
    else:
        found = register(grid.volume, scan.volume, grid.head.mask)
    if found is None:
        raise elsewhere(scan.title, grid.title)
    return found


def elsewhere(first: str, second: str) -> UserError:
    """Return the refusal of two scans that do not show the same part of space."""
    return UserError(
        "sources_elsewhere",
        f"{first} and {second} do not show the same part of the head.",
        "Give scans of one subject that overlap, or register them with another program first.",
    )


def _sharpness(scan: Scan) -> tuple[float, float]:
    sides = scan.volume.spacing
    # rounded, so that what differs by a hundredth of a mm does not decide
    return round(max(sides), 1), round(float(np.prod(sides)), 1)


def same_grid(affine: Matrix, shape: tuple[int, ...], other: Volume) -> bool:
    """Return whether a grid is that of ``other``."""
    if shape != other.data.shape:
        return False
    return bool(np.abs(corners(affine, shape) - corners(other.affine, shape)).max() < SAME_MM)


def working_grid(volume: Volume) -> tuple[Matrix, tuple[int, int, int]]:
    """Return affine and shape of the grid to work on: that of ``volume``, or about the same box in ``WORK_MM`` mm."""
    x, y, z = volume.data.shape
    if all(abs(size / WORK_MM - 1) <= NEAR for size in volume.spacing):
        return volume.affine, (x, y, z)
    ratio = WORK_MM / np.array(volume.spacing)
    affine = volume.affine.copy()
    affine[:3, :3] *= ratio
    # the outer face of the first voxel stays in place
    affine[:3, 3] += volume.affine[:3, :3] @ ((ratio - 1) / 2)
    x, y, z = (max(1, round(n / r)) for n, r in zip((x, y, z), ratio, strict=True))
    return affine, (x, y, z)


def onto(volume: Volume, affine: Matrix, shape: tuple[int, int, int]) -> Float:
    """Return ``volume`` on another grid (X, Y, Z): the same voxels where it is the same grid, otherwise by a cubic
    spline within the range of the scan, smoothed first along axes that become coarser; 0 outside."""
    if same_grid(affine, shape, volume):
        return volume.data
    data = volume.data
    coarser = [max(1.0, WORK_MM / size) for size in volume.spacing]
    if max(coarser) > 1 + NEAR:
        data = ndimage.gaussian_filter(data, [0.5 * np.sqrt(ratio**2 - 1) for ratio in coarser], mode="nearest")
    step = np.linalg.solve(volume.affine, affine)
    made = ndimage.affine_transform(data, step[:3, :3], step[:3, 3], shape, order=3, mode="grid-constant")
    return np.asarray(np.clip(made, data.min(), data.max()), np.float32)


def _on_one_grid(scans: Sequence[Scan], grid: Scan, target: str, alignment: list[str]) -> Gathered:
    """Resample to the working grid and find the brain that all sources cover."""
    affine, shape = working_grid(grid.volume)
    images = {scan.name: onto(scan.volume, affine, shape) for scan in scans}
    brain, sentence = _brain(scans, images, affine, shape)
    notices = [CANNOT_KNOW[target]]
    whole = brain.sum()
    if whole == 0:
        raise UserError(
            "no_brain", "No brain was found in the scans.", "Give brain scans, best with the skull removed."
        )
    for scan in scans:
        ones = np.ones(scan.volume.data.shape, np.uint8)
        seen = resample(ones, scan.volume.affine, affine, shape, order=0) > 0
        share = float((brain & seen).sum() / whole)
        if share < COVERED:
            raise elsewhere(scan.title, grid.title)
        if share < WHOLLY:
            notices.append(f"{scan.title} covers {share:.0%} of the brain: the result is 0 where it does not.")
        brain = brain & seen
    sizes = " x ".join(f"{size:.3g}" for size in grid.volume.spacing)
    facts: dict[str, Any] = {
        "sources": [scan.name for scan in scans],
        "target": target,
        "head": sentence,
        "grid": f"The result lies on the grid of {grid.title}: voxels of {sizes} mm.",
        "alignment": alignment,
        "notices": notices,
    }
    return Gathered(Sources(images, np.asarray(brain), target), affine, grid, facts)


def _brain(
    scans: Sequence[Scan], images: Mapping[str, Float], affine: Matrix, shape: tuple[int, int, int]
) -> tuple[Bool, str]:
    """Return the brain on the working grid and what was assumed."""
    stripped = [scan for scan in scans if scan.head.kind == "brain"]
    if stripped:
        masks = [resample(scan.head.mask, scan.volume.affine, affine, shape, order=0) for scan in stripped]
        return np.asarray(np.any(masks, axis=0)), stripped[0].head.sentence
    first = scans[0]
    brain = find_brain(Volume(images[first.name], affine))
    volume_ml = float(brain.sum()) * WORK_MM**3 / 1000
    return brain, (
        f"Taken as a whole head: the brain ({volume_ml:.0f} ml) was looked for in {first.title} and alone translated; "
        "around it the result is 0."
    )
