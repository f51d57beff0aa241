"""The two synthetic subjects that ship: a stripped brain and a whole head, each with a chronic cavity and its mask."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.files.nifti import Stored, read_volume, write_stored
from core.synth.anatomy import LAST_BRAIN, WHITE, tissues_of
from core.synth.lesion import lumpy_mask, paint_cavity
from core.synth.subject import subject
from core.volume import bounding_box


@dataclass(frozen=True)
class Example:
    """What to make: ``labels`` is the file name of a label map, ``place`` a point of the brain box (0 to 1),
    ``white`` the stored value of white matter: few levels keep a file small."""

    name: str
    title: str
    labels: str
    seed: int
    whole_head: bool
    place: tuple[float, float, float]
    millilitres: float
    white: int


EXAMPLES = (
    Example("cavity-brain", "Stripped brain", "training_seg_09.nii.gz", 11, False, (0.72, 0.6, 0.6), 24.0, 110),
    Example("cavity-head", "Whole head", "training_seg_04.nii.gz", 12, True, (0.27, 0.45, 0.62), 12.0, 44),
)


def make_examples(labels: Path, out: Path) -> None:
    """Write every example as ``<out>/<name>/t1.nii.gz`` and ``mask.nii.gz`` with an ``index.json``."""
    index = []
    for example in EXAMPLES:
        folder = out / example.name
        folder.mkdir(parents=True, exist_ok=True)
        scan, mask = _subject(read_volume(labels / example.labels).data.astype(np.int32), example)
        affine = np.diag([1.0, 1.0, 1.0, 1.0])
        affine[:3, 3] = -np.array(scan.shape) / 2
        stored = np.clip(np.round(scan * example.white), 0, 255).astype(np.uint8)
        write_stored(folder / "t1.nii.gz", Stored(stored, affine), "synthetic, Counterscan")
        write_stored(folder / "mask.nii.gz", Stored(mask.astype(np.uint8), affine), "synthetic, Counterscan")
        entry = {"name": example.name, "title": f"{example.title}, {mask.sum() / 1000:.0f} ml cavity"}
        index.append(entry | {kind: f"{example.name}/{kind}.nii.gz" for kind in ("t1", "mask")})
    (out / "index.json").write_text(json.dumps(index, indent=2) + "\n")


def _subject(labels: NDArray[np.int32], example: Example) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    tissues = tissues_of(labels)
    lowest = int(np.flatnonzero((tissues == WHITE).any(axis=(0, 1)))[0])
    tissues = tissues[:, :, max(0, lowest - 12) :]
    made = subject(tissues, example.seed, ("t1",), example.whole_head)
    healthy, moved = made.images["t1"], made.tissues
    rng = np.random.default_rng(example.seed)
    brain = (moved > 0) & (moved <= LAST_BRAIN)
    box = bounding_box(brain)
    centre = tuple(int(s.start + p * (s.stop - s.start)) for s, p in zip(box, example.place, strict=True))
    # an infarct takes white matter and cortex, not the ventricles
    mask = lumpy_mask(healthy.shape, (centre[0], centre[1], centre[2]), example.millilitres, rng) & (moved >= WHITE)
    mask = ndimage.binary_opening(mask & brain)
    scan = paint_cavity(healthy, np.asarray(mask), rng)
    if example.whole_head:
        scan[ndimage.binary_dilation(moved > 0, iterations=2) == 0] = 0
    whole = bounding_box(moved > 0, 4)
    return scan[whole], np.asarray(ndimage.binary_dilation(mask, iterations=1) & (moved > 0))[whole]
