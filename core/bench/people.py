"""People whose scans are at hand: those that a threshold was chosen on, and those that it is reported for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError

GIVE = "Give the folder that holds train and demo."
# folder below the data -> contrast -> file in it; a folder that ends in * is one folder for each person
SEVERAL: dict[str, dict[str, str]] = {
    "train/brats18/*": {"t1": "t1", "t1ce": "t1ce", "t2": "t2", "flair": "flair"},
    "train/gliomas/*": {"t1": "t1", "t1ce": "t1ce", "t2": "t2", "flair": "flair"},
    "train/lhdata/*": {"t1": "t1", "t2": "t2"},
    "demo/openms_patient07": {"t1": "t1", "t1ce": "t1post", "t2": "t2", "flair": "flair"},
    "demo/stroke": {"t1": "T1", "t2": "T2", "flair": "FLAIR"},
    "demo/sri24": {"t1": "spgr", "t2": "late"},
    "demo/thick": {"t1": "patient12_T1W", "flair": "patient12_FLAIR"},
}
# files that are the T1 of one person each
SINGLE = (
    "train/malf_nc/*_t1.nii.gz",
    "train/ds002748/*/*_t1.nii.gz",
    "demo/epilepsy_t1/MR.nii.gz",
    "demo/studyforrest_t1/t1_1mm.nii.gz",
    "labels/extra/*/t1.nii.gz",
)
# people on whom the thresholds of core.anatomy.same_head were chosen
CHOSEN_ON = frozenset(
    {
        "brats18/Brats18_TCIA01_201_1",
        "brats18/Brats18_TCIA01_378_1",
        "brats18/Brats18_TCIA01_425_1",
        "brats18/Brats18_TCIA02_135_1",
        "demo/stroke",
        "lhdata/01",
        "lhdata/02",
        "lhdata/03",
    }
)


@dataclass(frozen=True, eq=False)
class Person:
    """name: of the folder and the person; scans: contrast -> file."""

    name: str
    scans: dict[str, Path]

    @property
    def chosen_on(self) -> bool:
        """Whether thresholds were chosen on this person, so that nothing may be reported for it."""
        return self.name in CHOSEN_ON


def people(data: Path) -> list[Person]:
    """Return everyone with scans below ``data``, those with several contrasts first; UserError without any."""
    found = []
    for pattern, files in SEVERAL.items():
        for folder in sorted(data.glob(pattern)):
            scans = {name: folder / f"{file}.nii.gz" for name, file in files.items()}
            if folder.is_dir() and all(path.is_file() for path in scans.values()):
                found.append(Person(f"{folder.parent.name}/{folder.name}", scans))
    for pattern in SINGLE:
        for path in sorted(data.glob(pattern)):
            name = path.name.partition("_t1")[0] if "_t1" in path.name else path.parent.name
            found.append(Person(f"{path.relative_to(data).parts[1]}/{name.partition('.')[0]}", {"t1": path}))
    if not found:
        raise UserError("file_unreadable", f"There are no scans in {data}.", GIVE)
    return found
