"""The volumes among DICOM slices: sorted by place, told apart by what differs, and the one that is a scan chosen."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import SeveralVolumes, UserError
from core.files.dicom_header import COLOURS, MULTI_FRAME, VARIANTS, WITHOUT_VOXELS, Slice
from core.files.dicom_pixels import read_plane
from core.files.nifti_header import MIN_SIDE
from core.plurals import count

SCOUT = re.compile(r"local|scout|survey|topogram|surview", re.IGNORECASE)
NOT_MAGNITUDE = frozenset({"P", "PHASE", "PHASE MAP", "R", "REAL", "I", "IMAGINARY", "MIXED", "B0", "B1"})
COMPONENTS, IMAGE_TYPE = list(VARIANTS).index("component"), list(VARIANTS).index("image type")
B_VALUE = list(VARIANTS).index("b-value")
SAME_MM = 0.01  # positions are often written with two decimals
SAME_COSINE, SAME_SIZE = 1e-3, 1e-3
LISTED = 12
SPLIT = "Export one series alone: drop or zip only the files of the one you want."
NUMBERED = "Choose one: on the page from a list; on the command line and in Python, FOLDER#2 is the second."
WHOLE = "Give every file of the series together: its folder, a zip of it, or on the page all of its files at once."


@dataclass(frozen=True, eq=False)
class Group:
    """Slices of one volume; ``label``: how it differs from others of its series, "" where it is alone there."""

    slices: list[Slice]
    label: str = ""

    @property
    def first(self) -> Slice:
        """The slice that comes first in file order."""
        return self.slices[0]

    @property
    def along(self) -> NDArray[np.float64]:
        """Where each slice lies along the normal of the first, mm."""
        found: NDArray[np.float64] = np.array([one.origin for one in self.slices]) @ self.first.normal
        return found


@dataclass(frozen=True, eq=False)
class Choice:
    """The volume taken, others of its series that are as large, those of other series, and how many slices came
    twice.

    volumes: all that could be taken, in the order of their numbers.
    """

    taken: Group
    volumes: tuple[Group, ...]
    beside: tuple[Group, ...]
    others: tuple[Group, ...]
    copies: int


def choose(slices: Sequence[Slice], others: Counter[str], work: Path, number: int | None) -> Choice:
    """Return the one volume of ``slices`` that is a scan, or volume ``number`` (from 1) of those that could be meant.

    others: what the other files were. Scouts and single images beside a scan are no choice; of several volumes of one
    series the first is taken, magnitude before phase, original before derived. ``UserError`` where no volume is large
    enough, and where several series are and none is named.
    """
    series, copies = [], 0
    for stack in _stacks(slices):
        kept = _once(stack, work)
        copies += len(stack) - len(kept)
        series.append(sorted(_told_apart(Group(kept)), key=_rank))
    series.sort(key=lambda volumes: -len(volumes[0].slices))
    large = [volumes for volumes in series if len(volumes[0].slices) >= MIN_SIDE]
    real = [volumes for volumes in large if not SCOUT.search(_names(volumes[0]))] or large
    if not real:
        raise _none([volumes[0] for volumes in series], others)
    listed = [volume for volumes in real for volume in volumes]
    if number is not None:
        return _numbered(listed, series, copies, number)
    if len(real) > 1:
        text = f"There is more than one series here: {_listing(listed)}."
        raise SeveralVolumes(text, f"{NUMBERED} Or: {SPLIT[0].lower()}{SPLIT[1:]}", [describe(one) for one in listed])
    return _choice(real[0][0], listed, series, copies)


def describe(volume: Group) -> str:
    """Return a volume in words: its description, what it differs in, number of slices, their size and voxel size."""
    first = volume.first
    apart = np.diff(sorted(volume.along))
    step = f" x {float(np.median(apart)):.3g}" if apart.size and np.median(apart) > 0 else ""
    name = f"“{printable(first.description)}”" if printable(first.description) else "no description"
    label = f", {volume.label}" if volume.label else ""
    size = f"{first.size[0]} x {first.size[1]}, {first.spacing[0]:.3g} x {first.spacing[1]:.3g}{step} mm"
    return f"{name}{label} ({count(len(volume.slices), 'slice')}, {size})"


def listed(volumes: Iterable[Group]) -> str:
    """Return volumes in words, not more than ``LISTED``."""
    words = [describe(volume) for volume in volumes]
    return "; ".join(words[:LISTED]) + ("; ..." if len(words) > LISTED else "")


def kinds(others: Counter[str]) -> str:
    """Return kinds of files with their numbers: "structured report (2)"."""
    return ", ".join(f"{kind} ({number})" for kind, number in others.most_common())


def printable(text: str) -> str:
    """Return the printable letters of a text from a file, 64 at most, without the marks that stand around it."""
    return "".join(letter for letter in text if letter.isprintable() and letter not in "“”")[:64].strip()


def _listing(volumes: Sequence[Group]) -> str:
    words = [f"{number}. {describe(volume)}" for number, volume in enumerate(volumes[:LISTED], 1)]
    return "; ".join(words) + ("; ..." if len(volumes) > LISTED else "")


def _numbered(volumes: Sequence[Group], series: Sequence[list[Group]], copies: int, number: int) -> Choice:
    if not 1 <= number <= len(volumes):
        text = f"There is no volume {number} here, only {len(volumes)}: {_listing(volumes)}."
        raise UserError("dicom_series", text, NUMBERED)
    return _choice(volumes[number - 1], volumes, series, copies)


def _choice(taken: Group, volumes: Sequence[Group], series: Sequence[list[Group]], copies: int) -> Choice:
    own = next(volumes for volumes in series if taken in volumes)
    others = tuple(volume for volumes in series if volumes is not own for volume in volumes)
    return Choice(taken, tuple(volumes), tuple(volume for volume in own if volume is not taken), others, copies)


def _stacks(slices: Iterable[Slice]) -> list[list[Slice]]:
    """Return the slices of each series and orientation; numbers written with few digits differ a little."""
    stacks: list[list[Slice]] = []
    for one in slices:
        stack = next((stack for stack in stacks if _alike(stack[0], one)), None)
        if stack is None:
            stacks.append([one])
        else:
            stack.append(one)
    return stacks


def _alike(one: Slice, other: Slice) -> bool:
    if (one.series, one.size, one.description) != (other.series, other.size, other.description):
        return False
    turned = np.subtract((*one.rows, *one.columns), (*other.rows, *other.columns))
    sized = np.subtract(one.spacing, other.spacing)
    return bool(np.abs(turned).max() <= SAME_COSINE and np.abs(sized).max() <= SAME_SIZE)


def _places(slices: Sequence[Slice]) -> list[int]:
    """Return the number of the place of each slice, in order along the normal; places lie ``SAME_MM`` apart or more."""
    along = Group(list(slices)).along
    order = np.argsort(along, kind="stable")
    places, place, last = [0] * len(slices), -1, -np.inf
    for index in order:
        if along[index] - last >= SAME_MM:
            place, last = place + 1, float(along[index])
        places[index] = place
    return places


def _once(slices: list[Slice], work: Path) -> list[Slice]:
    """Return the slices without copies: the same place, nothing that differs, and the same voxels.

    Identifiers decide nothing: anonymisers give many slices the same one, and copies new ones.
    """
    alike: dict[tuple[int, tuple[str, ...]], list[Slice]] = defaultdict(list)
    for place, one in zip(_places(slices), slices, strict=True):
        alike[place, one.variant].append(one)
    copies: set[int] = set()
    for group in alike.values():
        seen: set[bytes] = set()
        for one in group if len(group) > 1 else ():
            digest = _digest(one, work)
            if digest in seen:
                copies.add(id(one))
            seen.add(digest)
    return [one for one in slices if id(one) not in copies]


def _digest(one: Slice, work: Path) -> bytes:
    try:
        return hashlib.sha256(np.ascontiguousarray(read_plane(one, work)).tobytes()).digest()
    except RuntimeError as error:
        raise UserError("dicom_damaged", "The voxels of a DICOM file are damaged.", "Export it again.") from error


def _told_apart(volume: Group) -> list[Group]:
    """Return the volumes of one stack, each with one slice at a place at most."""
    places = _places(volume.slices)
    if len(set(places)) == len(places):
        return [volume]
    for index, name in enumerate(VARIANTS):
        found = _split(volume, places, name, [one.variant[index] for one in volume.slices])
        if found:
            return [part for each in found for part in _told_apart(each)]
    return _split(volume, places, "repetition", _ranks(volume.slices, places), rest=0) or [volume]


def _split(volume: Group, places: Sequence[int], name: str, values: Sequence[str], rest: int = 1) -> list[Group]:
    """Return ``volume`` split by ``values``, one a slice, that differ within places; [] where that makes no volumes.

    All but ``rest`` of them must fill half of the places: a time that differs from slice to slice tells nothing.
    """
    parts: dict[str, list[int]] = defaultdict(list)
    within: dict[int, set[str]] = defaultdict(set)
    for index, value in enumerate(values):
        parts[value].append(index)
        within[places[index]].add(value)
    few = sum(2 * len({places[index] for index in part}) < len(within) for part in parts.values())
    if few > rest or few == len(parts) or max(map(len, within.values())) < 2:
        return []
    labels = {value: ", ".join(filter(None, (volume.label, f"{name} {printable(value) or 'none'}"))) for value in parts}
    return [Group([volume.slices[index] for index in part], labels[value]) for value, part in parts.items()]


def _ranks(slices: Sequence[Slice], places: Sequence[int]) -> list[str]:
    """Return the number of each slice among those of its place, from 1, by instance number and image of the file."""
    order = sorted(range(len(slices)), key=lambda i: (slices[i].number, slices[i].index, slices[i].path.name))
    seen: Counter[int] = Counter()
    ranks = [""] * len(slices)
    for index in order:
        seen[places[index]] += 1
        ranks[index] = str(seen[places[index]])
    return ranks


def _rank(volume: Group) -> tuple[object, ...]:
    """Return what a volume of a series is sorted by: complete, magnitude, original, without diffusion, then first."""
    first = volume.first
    words = {*first.variant[IMAGE_TYPE].upper().split("\\")[2:], first.variant[COMPONENTS].upper()}
    derived = first.variant[IMAGE_TYPE].upper().startswith("DERIVED")
    try:
        weighted = float(first.variant[B_VALUE] or 0)
    except ValueError:
        weighted = 0.0
    when = min((one.number, one.index) for one in volume.slices)
    return -len(volume.slices), bool(words & NOT_MAGNITUDE), derived, weighted, *when


def _names(volume: Group) -> str:
    return f"{volume.first.description} {volume.first.variant[IMAGE_TYPE]}"


def _none(volumes: Sequence[Group], others: Counter[str]) -> UserError:
    """Return the refusal of files among which is no volume."""
    if len(volumes) == 1 and len(volumes[0].slices) == 1:
        return UserError("single_slice", "This is a single DICOM slice, not a 3D scan.", WHOLE)
    if volumes:
        text = f"No series here has {MIN_SIDE} slices or more: {listed(volumes)}."
        return UserError("dicom_few_slices", text, WHOLE)
    listing = kinds(others) or "nothing"
    if set(others) == {COLOURS}:
        return UserError("colour_image", f"The DICOM files are colour pictures ({listing}).", "Export the scan itself.")
    if set(others) == {MULTI_FRAME}:
        text = "The DICOM file holds many images, and nothing in it states where each of them lies."
        return UserError("dicom_multiframe", text, "Export the scan again, as single slices or as Enhanced DICOM.")
    if set(others) == {WITHOUT_VOXELS}:
        text = f"The DICOM files are only headers: {listing}."
        return UserError("dicom_no_image", text, "Export the images too, or give the files that hold them.")
    return UserError(
        "dicom_no_image",
        f"The DICOM files hold no scan that can be read: {listing}.",
        "Export the images of the series, not its reports or screenshots.",
    )
