"""Who is measured: the held-out subjects, and where their files are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.anatomy.tissues import tissues
from core.contrasts import CONTRASTS
from core.errors import UserError
from core.files.nifti import read_volume
from core.train.datasets import Listed, listed
from core.train.heldout import APART, TUMOUR, VALIDATION
from core.volume import Volume

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

STROKE = {"t1": "T1", "t2": "T2", "flair": "FLAIR"}


@dataclass(frozen=True)
class Healthy:
    """A healthy subject whose skull-stripped T1 is the truth. source: the data set, "" for OASIS-1, whose tissue maps
    are files; of the others the shipped network segments the truth."""

    name: str
    source: str
    t1: Path
    segmented: Path | None = None

    def read(self) -> tuple[Volume, Float]:
        """Return the T1, (X, Y, Z) float32, RAS+, and its tissues: 0 none, 1 CSF, 2 grey, 3 white matter."""
        volume = read_volume(self.t1)
        if self.segmented is not None:
            return volume, read_volume(self.segmented).data
        return volume, tissues(volume.data, volume.spacing, volume.data > 0).astype(np.float32)

    def block(self, name: str) -> str:
        """Return the name of a block of the bench's table for this subject's site."""
        return f"{name} ({self.source})" if self.source else name


def healthy(data: Path, subjects: Sequence[str]) -> list[Healthy]:
    """Return the healthy ``subjects`` below ``data``, by a number (OASIS-1) or as source-number; UserError unless each
    is there."""
    found = [_healthy(data, subject) for subject in subjects]
    for each in found:
        if not each.t1.is_file():
            where = each.t1.relative_to(data).parent
            raise _missing(f"There is no scan of subject {each.name} in {each.t1.parent}.", str(where))
    return found


def _healthy(data: Path, subject: str) -> Healthy:
    source, dash, number = subject.partition("-")
    if dash:
        split = "validation" if subject in VALIDATION else "train"
        return Healthy(subject, source, data / "train" / source / split / f"{number}_t1.nii.gz")
    folder = data / "train" / "malf_nc"
    return Healthy(subject, "", folder / f"{subject}_t1.nii.gz", folder / f"{subject}_tissues.nii.gz")


def healthy_apart(data: Path, learnt: Collection[str], count: int) -> list[str]:
    """Return ``count`` healthy subjects below ``data``, or as many as there are, that neither taught a network nor are
    held out: spread over all of them, named as ``healthy`` takes them.

    learnt: the subjects that taught it, as ``core.train.datasets`` names them.
    """
    found = [each.item for each in _free(data, learnt) if each.item.contrasts == each.item.sharp == ("t1",)]
    names = [item.name.removeprefix("oasis-") for item in found]
    return [names[round(place)] for place in np.linspace(0, len(names) - 1, min(count, len(names)))]


def tumours_apart(data: Path, learnt: Collection[str]) -> list[tuple[str, Path]]:
    """Return name and folder of every subject with four contrasts below ``data`` that neither taught a network, see
    ``healthy_apart``, nor is held out."""
    found = [each for each in _free(data, learnt) if set(each.item.contrasts) == set(CONTRASTS)]
    return [(each.item.name, each.paths["t1"].parent) for each in found]


def _free(data: Path, learnt: Collection[str]) -> list[Listed]:
    found = [each for each in listed(data, ("train",)) if each.item.kind == "scan" and each.item.name not in learnt]
    return [each for each in found if each.item.split == "train" or each.item.name in APART]


def tumour_folder(data: Path) -> Path:
    """Return the folder of the tumour subjects below ``data``; UserError unless the held-out one is there."""
    folder = data / "train" / "brats18"
    if not (folder / TUMOUR).is_dir():
        raise _missing(f"There is no subject {TUMOUR} in {folder}.", "train/brats18")
    return folder


def training_folders(data: Path) -> list[Path]:
    """Return the folders of the tumour subjects that may be learnt from; UserError when there are none."""
    found = sorted(folder for folder in tumour_folder(data).iterdir() if folder.is_dir() and folder.name != TUMOUR)
    if not found:
        raise _missing(f"There are no training subjects in {tumour_folder(data)}.", "train/brats18")
    return found


def read_tumour(folder: Path) -> tuple[Mapping[str, Float], Bool]:
    """Return the four contrasts of a skull-stripped subject, name -> (X, Y, Z) float32, RAS+, and its brain."""
    images = {name: read_volume(folder / f"{name}.nii.gz").data for name in CONTRASTS}
    return images, union(images)


def read_stroke(data: Path) -> tuple[Mapping[str, Float], Bool] | None:
    """Return T1, T2 and FLAIR of the stroke below ``data`` and its brain; None where it is not there."""
    folder = data / "demo" / "stroke"
    if not all((folder / f"{file}.nii.gz").is_file() for file in STROKE.values()):
        return None
    images = {name: read_volume(folder / f"{file}.nii.gz").data for name, file in STROKE.items()}
    return images, union(images)


def union(images: Mapping[str, Float]) -> Bool:
    """Return where any of skull-stripped ``images`` (X, Y, Z) is above 0."""
    return np.asarray(np.any([image > 0 for image in images.values()], axis=0))


def in_units(image: Float, brain: Bool) -> Float:
    """Return ``image`` (X, Y, Z) in units of its 99.5th percentile in ``brain``, 0 outside: the scale of scores."""
    level = max(float(np.percentile(image[brain], 99.5)), 1e-6)
    return np.where(brain, image / np.float32(level), 0).astype(np.float32)


def _missing(what: str, folder: str) -> UserError:
    return UserError("file_unreadable", what, f"Give the folder that holds {folder}.")
