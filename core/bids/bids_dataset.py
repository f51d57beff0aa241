"""A BIDS data set on disk: its participants, their anatomical images and the lesion masks in its derivatives."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.bids.bids_names import EXTENSIONS, BidsName, parse_name
from core.bids.bids_sidecars import DESCRIPTION, is_lesion
from core.errors import UserError

MASKS = ("mask", "roi")
# contrast -> suffix; a T1w with a contrast agent is one of its own
SUFFIXES = {"t1": "T1w", "t2": "T2w", "flair": "FLAIR"}
AGENT = "t1ce"
# images that are no contrast of their own: phase, parts of complex images
OTHER_PARTS = ("phase", "real", "imag")
LESION = "lesion"
# what stands in the place of a file whose content is elsewhere
POINTERS = (b"/annex/objects/", b"version https://git-lfs")
# masks in another space lie on another grid
OWN_SPACES = (None, "orig", "T1w", "T2w", "FLAIR", "individual", "scanner", "native")


@dataclass(frozen=True)
class Image:
    """An anatomical image or a mask; base: the data set in which ``path`` lies."""

    path: Path
    name: BidsName
    base: Path

    @property
    def session(self) -> tuple[str, str]:
        """Labels of participant and session, "" for a data set without sessions."""
        return self.name.entities["sub"], self.name.entities.get("ses", "")

    @property
    def contrast(self) -> str:
        """``"t1"``, ``"t1ce"``, ``"t2"``, ``"flair"``, or "" for another kind of image."""
        found = next((contrast for contrast, suffix in SUFFIXES.items() if suffix == self.name.suffix), "")
        return AGENT if found == "t1" and "ce" in self.name.entities else found

    @property
    def relative(self) -> str:
        """Its path below the data set."""
        return self.path.relative_to(self.base).as_posix()


def open_dataset(folder: Path) -> dict[str, Any]:
    """Return the description of the data set in ``folder``; UserError bids_wrong where it is none."""
    if not folder.is_dir():
        what = "is a file, not the folder of a data set" if folder.exists() else "does not exist"
        raise UserError("bids_wrong", f"{str(folder)!r} {what}.", f"Give the folder that holds {DESCRIPTION}.")
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8-sig"))
        if not isinstance(description, dict):
            raise ValueError(description)
    except (OSError, ValueError) as error:
        raise UserError(
            "bids_wrong", f"The folder is no BIDS data set: its {DESCRIPTION} cannot be read.", "Give its top folder."
        ) from error
    return description


def participants(folder: Path, wanted: Sequence[str] = ()) -> list[str]:
    """Return the labels of the participants, those ``wanted`` (``"01"`` or ``"sub-01"``) where any are.

    UserError bids_wrong where there are none, or not all that are wanted.
    """
    there = sorted(path.name.removeprefix("sub-") for path in folder.glob("sub-*") if path.is_dir())
    chosen = [label.removeprefix("sub-") for label in wanted]
    missing = [label for label in chosen if label not in there]
    if missing or not there:
        who = f"no participant {missing[0][:40]!r}" if missing else "no participant"
        raise UserError(
            "bids_wrong", f"The data set has {who}.", f"It has: {', '.join(there[:20]) or 'no folder sub-...'}."
        )
    return [label for label in there if not chosen or label in chosen]


def sessions(folder: Path, labels: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the labels of the sessions ``wanted`` (``"pre"`` or ``"ses-pre"``) of the participants ``labels``.

    UserError bids_wrong where none of them has one.
    """
    there = sorted({path.name.removeprefix("ses-") for label in labels for path in folder.glob(f"sub-{label}/ses-*")})
    chosen = tuple(label.removeprefix("ses-") for label in wanted)
    missing = next((label for label in chosen if label not in there), None)
    if missing is not None:
        has = f"They have: {', '.join(there[:20])}." if there else "They have no folder ses-...; leave the option out."
        raise UserError("bids_wrong", f"No participant has a session {missing[:40]!r}.", has)
    return chosen


def images_of(folder: Path, participant: str) -> list[Image]:
    """Return the anatomical images of a participant that have a contrast, in the order of their paths."""
    found = [image for image in _images(folder, folder, participant) if image.contrast]
    return [image for image in found if image.name.entities.get("part") not in OTHER_PARTS]


def masks_of(folder: Path, participant: str, label: str, derivatives: Sequence[Path]) -> list[Image]:
    """Return the masks of a participant that ``label-`` or ``desc-`` calls ``label``, of the data set itself and of the
    ``derivatives``; as lesions count those too that are one by their sidecar."""
    return [
        image
        for base in (folder, *derivatives)
        for image in _images(base, base, participant)
        if image.name.suffix in MASKS and _is_called(image, label.lower())
    ]


def strays_of(folder: Path, participant: str, label: str, derivatives: Sequence[Path]) -> list[str]:
    """Return paths of what looks like an image of a participant, or a mask of it called ``label``, but has no BIDS name
    or lies where its name does not belong; those in ``derivatives`` begin with the name of the data set there."""
    found: list[str] = []
    for base in (folder, *derivatives):
        named = _images(base, base, participant)
        known = {image.path for image in named if image.contrast or image.name.suffix in MASKS}
        there = sorted((base / f"sub-{participant}").rglob("*.[nN][iI][iI]*"))
        meant = [path for path in there if _looks_meant(path, base == folder, label)]
        top = "" if base == folder else f"{base.name}/"
        found += [top + path.relative_to(base).as_posix() for path in meant if path not in known]
    return found


def is_away(path: Path) -> bool:
    """Return whether git-annex (DataLad) or Git LFS know a file, but its content is not on this disk."""
    try:
        with path.open("rb") as file:
            return file.read(32).startswith(POINTERS)
    except FileNotFoundError:
        return path.is_symlink()
    except OSError:
        # the run refuses it, with a reason
        return False


def derivatives_of(folder: Path, out: Path) -> list[Path]:
    """Return the data sets in the folder ``derivatives``, without ``out``; the folder itself where it is one."""
    own = folder / "derivatives"
    found = sorted(path for path in own.glob("*") if path.is_dir() and not path.name.startswith("sub-"))
    itself = [own] if next(own.glob("sub-*"), None) else []
    return [path for path in itself + found if path.resolve() != out.resolve()]


def _is_called(mask: Image, label: str) -> bool:
    names = (mask.name.entities.get(entity, "").lower() for entity in ("label", "desc"))
    return label in names or (label == LESION and is_lesion(mask.path))


def _looks_meant(path: Path, raw: bool, label: str) -> bool:
    if not path.name.lower().endswith(EXTENSIONS):
        return False
    suffix = path.name.partition(".")[0].rpartition("_")[2].lower()
    if raw and path.parent.name == "anat" and suffix in (one.lower() for one in SUFFIXES.values()):
        return True
    return suffix in MASKS and label.lower() in path.name.lower()


def _images(folder: Path, base: Path, participant: str) -> Iterator[Image]:
    """Yield the images in the folders ``anat`` of a participant, in sessions or not."""
    own = folder / f"sub-{participant}"
    for place in sorted([own / "anat", *own.glob("ses-*/anat")]):
        for path in sorted(place.glob("*.nii*")):
            name = parse_name(path.name)
            # a name of another participant or session is a file at the wrong place
            if name is not None and place == folder / name.folder and name.entities["sub"] == participant:
                yield Image(path, name, base)
