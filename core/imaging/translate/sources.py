"""The sources of a translation: read, checked against one another, aligned on one grid, and their brain."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.anatomy.brain import find_brain
from core.anatomy.head import find_head
from core.contrasts import CANNOT_KNOW, CONTRASTS, TITLES
from core.errors import UserError
from core.events import Progress
from core.files.nifti import read_stored
from core.imaging.contrast_look import mistaken
from core.imaging.problem import Sources
from core.imaging.translate.align import WORK_MM, Scan, align, elsewhere, onto, sharpness, working_grid
from core.result import Note, notes
from core.volume import Volume, resample, same_grid, without_holes

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Matrix = NDArray[np.float64]

# share of a stripped brain's median intensity up to which a voxel at its border is taken as emptied
EMPTY = 0.01
# share of the brain that every source has to cover
COVERED, WHOLLY = 0.5, 0.99


@dataclass(frozen=True, eq=False)
class Gathered:
    """sources: on the working grid, whose affine is ``affine``; grid: the scan on whose grid results are written;
    notes: what was assumed and done to the sources; weights: the networks that found the brain."""

    sources: Sources
    affine: Matrix
    grid: Scan
    notes: tuple[Note, ...]
    weights: tuple[str, ...] = ()

    def back(self, values: Float) -> Float:
        """Return ``values`` (x, y, z) of the working grid on the grid of ``grid``, 0 outside the brain."""
        like = self.grid.volume
        if same_grid(self.affine, values.shape, like):
            return values
        shape = self.grid.stored.ras_shape
        result = resample(values, self.affine, like.affine, shape, order=1, edge="nearest")
        return np.where(self.brain, result, 0).astype(np.float32)

    @cached_property
    def brain(self) -> Bool:
        """The brain on the grid of ``grid``, (X, Y, Z) bool."""
        like = self.grid.volume
        brain = self.sources.brain
        if same_grid(self.affine, brain.shape, like):
            return brain
        return resample(brain, self.affine, like.affine, self.grid.stored.ras_shape, order=0)


def gather(
    inputs: Mapping[str, Path], target: str, moving: bool, others: Mapping[str, Path] | None = None
) -> Generator[Progress, None, Gathered]:
    """Read the sources among ``inputs`` and align them with the sharpest one.

    The sharpest has the shortest longest voxel side, then the smallest voxels, then comes first among the slots.
    moving: move sources that lie elsewhere; UserError ``sources_misaligned`` for them otherwise. others: title ->
    file of a scan that must be none of the sources, compared as given: resampled, a scan differs from itself.
    UserError also ``no_source``, ``target_given``, ``same_file_twice``, ``sources_elsewhere``, ``registration_failed``,
    ``no_brain``.
    """
    check_slots(inputs, target)
    scans = []
    for index, name in enumerate(name for name in CONTRASTS if name in inputs):
        yield Progress(0.0, index, len(inputs), f"Reading {TITLES[name]}")
        stored = read_stored(inputs[name])
        volume = stored.to_volume()
        scans.append(Scan(name, stored, volume, find_head(volume)))
    check_different({scan.title: scan.volume for scan in scans})
    for title, path in (others or {}).items():
        other = read_stored(path).to_volume()
        for scan in scans:
            check_different({scan.title: scan.volume, title: other})
    grid = min(scans, key=sharpness)
    aligned: list[Scan] = []
    alignment: list[Note] = []
    for scan in scans:
        if scan is not grid:
            yield Progress(0.5, 0, 1, f"Aligning {scan.title} with {grid.title}")
            scan, noted = align(scan, grid, moving)
            alignment.extend(noted)
        aligned.append(scan)
    yield Progress(0.9, 0, 1, "Looking for the brain")
    return _on_one_grid(aligned, grid, target, alignment)


def check_slots(inputs: Mapping[str, Path], target: str) -> None:
    """Refuse what needs no reading: no source at all, and a target that is given."""
    if target in inputs:
        raise UserError(
            "target_given",
            f"{TITLES[target]} is to be made, and it is among the sources.",
            "Choose another contrast to make; to compare with the true one, give it as the reference.",
        )
    if not any(name in inputs for name in CONTRASTS):
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


def _on_one_grid(scans: Sequence[Scan], grid: Scan, target: str, alignment: Sequence[Note]) -> Gathered:
    """Resample to the working grid and find the brain that all sources cover."""
    affine, shape = working_grid(grid.volume)
    images = {scan.name: onto(scan.volume, affine, shape) for scan in scans}
    brain, sentence, weights = _brain(scans, images, affine, shape)
    warnings = [CANNOT_KNOW[target]]
    whole = brain.sum()
    if whole == 0:
        raise UserError(
            "no_brain", "No brain was found in the scans.", "Give brain scans, best with the skull removed."
        )
    for scan in scans:
        seen = _mask_onto(np.ones(scan.volume.data.shape, bool), scan.volume, affine, shape)
        share = float((brain & seen).sum() / whole)
        if share < COVERED:
            raise elsewhere(scan.title, grid.title)
        if share < WHOLLY:
            warnings.append(f"{scan.title} covers {share:.0%} of the brain: the result is 0 where it does not.")
        brain = brain & seen
    sizes = " x ".join(f"{size:.3g}" for size in grid.volume.spacing)
    lies = f"The result lies on the grid of {grid.title}: voxels of {sizes} mm."
    placed = [replace(note, text=f"{scan.title}: {note.text}") for scan in scans for note in scan.stored.notes]
    odd = [note for scan in scans for note in mistaken(scan.name, scan.volume, scan.head)]
    found = (*notes("info", (sentence, lies)), *alignment, *placed, *notes("warning", warnings), *odd)
    return Gathered(Sources(images, np.asarray(brain), target), affine, grid, found, weights)


def _mask_onto(mask: Bool, volume: Volume, affine: Matrix, shape: tuple[int, int, int]) -> Bool:
    """Return a ``mask`` on the grid of ``volume`` on another grid, False outside."""
    return mask if same_grid(affine, shape, volume) else resample(mask, volume.affine, affine, shape, order=0)


def _not_empty(image: Float, mask: Bool) -> Bool:
    """Return the voxels of ``mask`` that hold tissue: the mask of a stripped scan follows its border only roughly."""
    level = EMPTY * float(np.median(np.abs(image[mask]))) if mask.any() else 0.0
    return np.asarray(mask & (np.abs(image) > level))


def _brain(
    scans: Sequence[Scan], images: Mapping[str, Float], affine: Matrix, shape: tuple[int, int, int]
) -> tuple[Bool, str, tuple[str, ...]]:
    """Return the brain on the working grid, what was assumed, and the networks that found it."""
    stripped = [scan for scan in scans if scan.head.kind == "brain"]
    if stripped:
        masks = [_mask_onto(scan.head.mask, scan.volume, affine, shape) for scan in stripped]
        tight = [_not_empty(images[scan.name], mask) for scan, mask in zip(stripped, masks, strict=True)]
        return without_holes(np.any(tight, axis=0)), stripped[0].head.sentence, ()
    first = scans[0]
    found = find_brain(Volume(images[first.name], affine))
    volume_ml = float(found.mask.sum()) * WORK_MM**3 / 1000
    sentence = (
        f"Taken as a whole head: the brain ({volume_ml:.0f} ml) was found in {first.title} {found.means} and "
        "alone translated; around it the result is 0."
    )
    return found.mask, sentence, found.weights
