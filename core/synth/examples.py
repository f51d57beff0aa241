"""The synthetic subjects that ship: heads with a cavity and its mask, thick slices, a set of contrasts.

``python -m core.synth.examples LABELS OUT`` writes them; LABELS is the folder of SynthSeg's label maps.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.files.nifti import Stored, read_volume, write_stored
from core.files.whole_numbers import whole_numbers
from core.synth.labelmaps import LAST_BRAIN, WHITE, brain_of, tissues_of
from core.synth.lesion import lumpy_mask, paint_cavity
from core.synth.subject import subject
from core.volume import Box, bounding_box

DESCRIPTION = "synthetic, Counterscan"
# margin around the brain for its deformation, in voxels
ROOM = 16


@dataclass(frozen=True)
class Cavity:
    """A head with a cavity. labels: file name of a label map. place: a point of the brain's box (0 to 1). white: stored
    value of white matter; few levels keep a file small."""

    name: str
    title: str
    labels: str
    seed: int
    whole_head: bool
    place: tuple[float, float, float]
    millilitres: float
    white: int


@dataclass(frozen=True)
class Contrasts:
    """A stripped brain with small lesions. given: contrast -> input of ``task``. truth: contrast of its reference.

    step: distance of the inputs' slices along Z in mm; 1 for the full resolution.
    """

    name: str
    title: str
    task: str
    labels: str
    seed: int
    given: Mapping[str, str]
    truth: str
    step: int = 1
    white: int = 64


CAVITIES = (
    Cavity("cavity-brain", "Stripped brain", "training_seg_09.nii.gz", 11, False, (0.72, 0.6, 0.6), 24.0, 110),
    Cavity("cavity-head", "Whole head", "training_seg_04.nii.gz", 12, True, (0.27, 0.45, 0.62), 12.0, 44),
)
SETS = (
    Contrasts(
        "thick-t2", "T2, slices of 4 mm", "superres", "training_seg_07.nii.gz", 21, {"t2": "image"}, "t2", step=4
    ),
    Contrasts(
        "contrasts",
        "T1 and T2 of one head",
        "translate",
        "training_seg_12.nii.gz",
        22,
        {"t1": "t1", "t2": "t2"},
        "flair",
    ),
)


def make_examples(labels: Path, out: Path) -> None:
    """Write every example into a folder of its own below ``out``, with an ``index.json`` for the page.

    It holds task, name, title and input name -> file of each example.
    """
    index = [write_example(labels, out, each) for each in (*CAVITIES, *SETS)]
    (out / "index.json").write_text(json.dumps(index, indent=2) + "\n")


def write_example(labels: Path, out: Path, example: Cavity | Contrasts) -> dict[str, object]:
    """Write one example into a folder of its own below ``out`` and return its entry of the index."""
    if isinstance(example, Cavity):
        return _write_cavity(labels, out, example)
    return _write_set(labels, out, example)


def _write_cavity(labels: Path, out: Path, example: Cavity) -> dict[str, object]:
    scan, mask = _subject(whole_numbers(read_volume(labels / example.labels).data).astype(np.int32), example)
    affine = _centred(scan.shape, 1.0)
    _write(out / example.name / "t1.nii.gz", scan, affine, example.white)
    write_stored(out / example.name / "mask.nii.gz", Stored(mask.astype(np.uint8), affine), DESCRIPTION)
    title = f"{example.title}, {mask.sum() / 1000:.0f} ml cavity"
    return _entry("inpaint", example.name, title, ("t1", "mask"))


def _write_set(labels: Path, out: Path, example: Contrasts) -> dict[str, object]:
    tissues = tissues_of(whole_numbers(read_volume(labels / example.labels).data).astype(np.int32))
    tissues = np.pad(tissues[bounding_box(brain_of(tissues), 1)], ROOM)
    made = subject(tissues, example.seed, tuple({*example.given, example.truth}), lesion="plaques")
    box = _multiples(bounding_box(made.tissues > 0, 2), example.step)
    images = {contrast: image[box] for contrast, image in made.images.items()}
    names = []
    for contrast, name in (*example.given.items(), (example.truth, "reference")):
        image, spacing = images[contrast], 1.0
        if example.step > 1 and name != "reference":
            x, y, z = image.shape
            image = image.reshape(x, y, z // example.step, example.step).mean(axis=3)
            spacing = float(example.step)
        level = max(float(np.percentile(image[image > 0.05], 99.5)), 1e-6)
        _write(out / example.name / f"{name}.nii.gz", image / level, _centred(image.shape, spacing), 2 * example.white)
        names.append(name)
    return _entry(example.task, example.name, example.title, tuple(names))


def _write(path: Path, image: NDArray[np.float32], affine: NDArray[np.float64], unit: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_stored(path, Stored(np.clip(np.round(image * unit), 0, 255).astype(np.uint8), affine), DESCRIPTION)


def _entry(task: str, name: str, title: str, inputs: tuple[str, ...]) -> dict[str, object]:
    return {"task": task, "name": name, "title": title, "inputs": {each: f"{name}/{each}.nii.gz" for each in inputs}}


def _centred(shape: tuple[int, ...], z: float) -> NDArray[np.float64]:
    """Return an affine of 1 x 1 x ``z`` mm that puts the middle of the field of view at the origin."""
    affine = np.diag([1.0, 1.0, z, 1.0])
    affine[:3, 3] = -(np.array(shape) - 1) / 2 * np.array([1.0, 1.0, z])
    return affine


def _multiples(box: Box, step: int) -> Box:
    """Return ``box`` with a number of voxels along Z that is a multiple of ``step``."""
    x, y, z = box
    return x, y, slice(z.start, z.stop - (z.stop - z.start) % step)


def _subject(labels: NDArray[np.int32], example: Cavity) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    tissues = tissues_of(labels)
    lowest = int(np.flatnonzero((tissues == WHITE).any(axis=(0, 1)))[0])
    tissues = tissues[:, :, max(0, lowest - 12) :]
    made = subject(tissues, example.seed, ("t1",), example.whole_head)
    healthy, moved = made.images["t1"], made.tissues
    rng = np.random.default_rng(example.seed)
    brain = (moved > 0) & (moved <= LAST_BRAIN)
    box = bounding_box(brain)
    centre = tuple(int(s.start + p * (s.stop - s.start)) for s, p in zip(box, example.place, strict=True))
    # an infarct destroys white matter and cortex, not the ventricles
    mask = lumpy_mask(healthy.shape, (centre[0], centre[1], centre[2]), example.millilitres, rng) & (moved >= WHITE)
    mask = ndimage.binary_opening(mask & brain)
    scan = paint_cavity(healthy, np.asarray(mask), rng)
    if example.whole_head:
        scan[ndimage.binary_dilation(moved > 0, iterations=2) == 0] = 0
    whole = bounding_box(moved > 0, 4)
    return scan[whole], np.asarray(ndimage.binary_dilation(mask, iterations=1) & (moved > 0))[whole]


if __name__ == "__main__":
    make_examples(Path(sys.argv[1]), Path(sys.argv[2]))
