"""People with several contrasts: those that a threshold was chosen on, and those that it is reported for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.bench.subjects import STROKE
from core.contrasts import CONTRASTS
from core.errors import UserError

GIVE = "Give the folder that holds train and demo."
# folder below the data -> contrast -> file in it; below a folder that ends in * each one is a person's
FOLDERS: dict[str, dict[str, str]] = {
    "train/brats18/*": {name: name for name in CONTRASTS},
    "train/gliomas/*": {name: name for name in CONTRASTS},
    "train/lhdata/*": {"t1": "t1", "t2": "t2"},
    "demo/openms_patient07": {"t1": "t1", "t1ce": "t1post", "t2": "t2", "flair": "flair"},
    "demo/stroke": STROKE,
    "demo/sri24": {"t1": "spgr", "t2": "late"},
    "demo/thick": {"t1": "patient12_T1W", "flair": "patient12_FLAIR"},
}
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
    """Return everyone with several contrasts below ``data``; UserError where there is no one."""
    found = []
    for pattern, files in FOLDERS.items():
        for folder in sorted(data.glob(pattern)):
            scans = {name: folder / f"{file}.nii.gz" for name, file in files.items()}
            if folder.is_dir() and all(path.is_file() for path in scans.values()):
                found.append(Person(f"{folder.parent.name}/{folder.name}", scans))
    if not found:
        raise UserError("file_unreadable", f"There are no scans in {data}.", GIVE)
    return found
