"""File names of the Brain Imaging Data Structure: entities, suffix, extension (BIDS 1.10, appendix on entities)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.result import VOLUME_SUFFIX

# in the order in which they stand in a name
ENTITIES = (
    *("sub", "ses", "sample", "task", "tracksys", "acq", "ce", "trc", "stain", "rec", "dir", "run", "mod", "echo"),
    *("flip", "inv", "mt", "part", "proc", "hemi", "space", "split", "recording", "chunk", "seg", "res", "den"),
    *("label", "desc"),
)
# entities whose values are numbers
INDEXES = ("run", "echo", "flip", "inv", "split", "chunk")
PART = re.compile(r"([a-z]+)-([0-9a-zA-Z+]+)")
REPEATED = ("T1w", "T2w", "FLAIR")
EXTENSIONS = (VOLUME_SUFFIX, ".nii")


@dataclass(frozen=True)
class BidsName:
    """A file name. entities: name -> value, ``{"sub": "01"}``; suffix: ``"T1w"``; extension: ``".nii.gz"``."""

    entities: Mapping[str, str]
    suffix: str
    extension: str = VOLUME_SUFFIX

    def __str__(self) -> str:
        ordered = sorted(self.entities, key=ENTITIES.index)
        return "_".join([*(f"{name}-{self.entities[name]}" for name in ordered), self.suffix]) + self.extension

    @property
    def folder(self) -> str:
        """The folder of the file below that of its data set."""
        parts = [f"{name}-{self.entities[name]}" for name in ("sub", "ses") if name in self.entities]
        return "/".join([*parts, "anat"])

    def derived(self, suffix: str, extension: str = VOLUME_SUFFIX, **entities: str) -> BidsName:
        """Return the name of what was made of the file, with further or other entities."""
        return BidsName({**self.entities, **entities}, suffix, extension)


def parse_name(name: str) -> BidsName | None:
    """Return what a file name states, None where it is no name of an image in a data set."""
    extension = next((end for end in EXTENSIONS if name.endswith(end)), None)
    if extension is None:
        return None
    *parts, suffix = name.removesuffix(extension).split("_")
    # a mask may repeat the suffix of its image: sub-01_T1w_label-lesion_roi.nii.gz
    parts = [part for part in parts if part not in REPEATED]
    found = [PART.fullmatch(part) for part in parts]
    entities = {match[1]: match[2] for match in found if match}
    known = all(found) and set(entities) <= set(ENTITIES) and "sub" in entities and len(entities) == len(parts)
    return BidsName(entities, suffix, extension) if known and suffix.isalnum() else None
