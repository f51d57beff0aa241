"""DICOM series: the one scan among the files is chosen, its slices are put in order and stacked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.dcm2niix import run_dcm2niix
from core.files.dicom_header import DAMAGED, DIRECTORY, MOSAIC, UNUSUAL_TYPE, Other, Slice, read_slices
from core.files.dicom_pixels import read_plane
from core.files.dicom_plain import Budget, plain_file
from core.files.dicom_volumes import (
    NUMBERED,
    SPLIT,
    WHOLE,
    Choice,
    Group,
    choose,
    describe,
    kinds,
    listed,
    printable,
)
from core.files.nifti import Stored
from core.files.nifti_header import check_affine, check_shape
from core.plurals import count
from core.result import Note

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
UNEVEN = 0.01  # of the distance between slices
ROUNDING_MM = 0.01  # positions are often written with two decimals
MANY = 0.25  # share of the steps between slices from which wider ones are no gaps of missing slices
# kinds of files that only dcm2niix reads
FOREIGN = frozenset({MOSAIC, UNUSUAL_TYPE})
UNPACKED_BYTES = 2 << 30
CONVERT = "Convert the series to NIfTI with dcm2niix, then give that file."
TILT = "_Tilt"


@dataclass(frozen=True, eq=False)
class Loaded:
    """A volume, notes for the user about how it was made, and facts about it that name nobody.

    volumes: in words, all that could be taken from the files; number: which of them it is, from 1. files: the DICOM
    files that hold it.
    """

    stored: Stored
    notes: tuple[Note, ...] = ()
    facts: tuple[tuple[str, float | str], ...] = ()
    volumes: tuple[str, ...] = ()
    number: int = 1
    files: tuple[Path, ...] = ()


def read_series(paths: Sequence[Path], work: Path, numbers: Sequence[int | None] = (None,)) -> Iterator[Loaded]:
    """Yield the scans among the DICOM files ``paths`` that ``numbers`` name, whose headers are read once.

    work: a folder for what has to be unpacked. A number is that of one of the volumes listed in a refusal, from 1; None
    stands for the one scan there is. ``UserError`` where there is none, or more than one and no number.
    """
    budget = Budget(UNPACKED_BYTES)
    plain = [plain_file(path, work / "plain", index, budget) for index, path in enumerate(paths)]
    found = {path: read_slices(path) for path in plain}
    others = Counter(one.kind for one in found.values() if isinstance(one, Other) and one.kind != DIRECTORY)
    if others[DAMAGED]:
        raise _damaged(others[DAMAGED], len(paths))
    slices = [one for each in found.values() if not isinstance(each, Other) for one in each]
    foreign = [path for path, one in found.items() if isinstance(one, Other) and one.kind in FOREIGN]
    if foreign and not slices:
        yield _foreign(foreign, others, work)
        return
    for place, number in enumerate(numbers):
        own = work / f"volume-{place}"
        own.mkdir()
        yield _volume(choose(slices, others, own, number), others, own)


def _volume(choice: Choice, others: Counter[str], work: Path) -> Loaded:
    ordered, shift = _ordered(choice.taken.slices)
    notes = _notes(choice, others)
    loaded = _tilted(ordered, shift, notes, work) if shift > 0 else _stacked(ordered, notes, work)
    at = choice.volumes.index(choice.taken)
    files = tuple(dict.fromkeys(one.path for one in ordered))
    return replace(loaded, volumes=tuple(describe(one) for one in choice.volumes), number=at + 1, files=files)


def _foreign(files: Sequence[Path], others: Counter[str], work: Path) -> Loaded:
    """Return what dcm2niix makes of files that are not read here: one volume, the first where there are several."""
    made = run_dcm2niix(files, work)
    if len(made) > 1:
        raise UserError("dicom_series", f"There is more than one series here: dcm2niix makes {len(made)}.", SPLIT)
    stored, volumes = _converted(made[0]) if made else (None, 0)
    # of a mosaic without the scanner's own header dcm2niix makes one slice
    if stored is None or (MOSAIC in others and stored.values.shape[2] * volumes <= len(files)):
        text = f"The DICOM files hold no scan that can be read: {kinds(others)}."
        raise UserError("dicom_no_image", text, "Export the images of the series as single slices.")
    notes = [Note("info", f"Read by dcm2niix: {kinds(others)}.")]
    if volumes > 1:
        notes.append(Note("warning", f"The series holds {volumes} volumes; the first was taken."))
    distance = float(np.linalg.norm(stored.affine[:3, 2]))
    return Loaded(stored, tuple(notes), (("slice_distance_mm", round(distance, 4)),), files=tuple(files))


def _converted(path: Path) -> tuple[Stored, int]:
    """Return the first volume of a NIfTI file of dcm2niix, and how many there are."""
    import nibabel as nib

    image = nib.load(path)
    shape = check_shape([3, *image.shape[:3]])
    slope, intercept = image.dataobj.slope, image.dataobj.inter
    values = np.asfortranarray(image.dataobj.get_unscaled().reshape((*shape, -1), order="F")[..., 0])
    if values.dtype.kind not in "iuf":
        raise UserError("colour_image", "The DICOM files are colour pictures.", "Export the scan itself.")
    affine = check_affine(np.asarray(image.affine, np.float64))
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    volumes = int(np.prod(image.shape[3:], dtype=np.int64))
    return Stored(native, affine, float(slope), float(intercept)), volumes


def _notes(choice: Choice, others: Counter[str]) -> tuple[Note, ...]:
    notes = []
    if choice.beside:
        total = len(choice.beside) + 1
        text = f"This series holds {total} volumes. Taken: {describe(choice.taken)}. Left: {listed(choice.beside)}."
        notes.append(Note("warning", f"{text} {NUMBERED}"))
    if choice.others:
        notes.append(Note("info", f"Taken: {describe(choice.taken)}. Left out: {listed(choice.others)}."))
    if others:
        notes.append(Note("info", f"Other DICOM files were left out: {kinds(others)}."))
    if choice.copies:
        notes.append(Note("info", f"{count(choice.copies, 'slice')} came twice; one copy was taken."))
    if any(one.lossy for one in choice.taken.slices):
        notes.append(Note("warning", "The images were compressed with loss before they came here."))
    return tuple(notes)


def _ordered(volume: list[Slice]) -> tuple[list[Slice], float]:
    """Return the slices along their normal, and how far each is shifted sideways against the one before, mm.

    A shift of up to ``UNEVEN`` of their distance counts as 0. ``UserError`` unless they lie evenly, one at each place.
    """
    along = Group(volume).along
    order = np.argsort(along, kind="stable")
    ordered = [volume[index] for index in order]
    steps = np.diff(along[order])
    if steps.min() < ROUNDING_MM:
        places = int((steps >= ROUNDING_MM).sum()) + 1
        text = (
            f"The {len(ordered)} slices lie in only {places} places, and nothing in their headers distinguishes them."
        )
        raise UserError("dicom_duplicates", text, SPLIT)
    _require_even(steps)
    return ordered, _shift(ordered, max(UNEVEN * float(np.median(steps)), ROUNDING_MM))


def _require_even(steps: NDArray[np.float64]) -> None:
    """Refuse slices that lie unevenly: ``steps`` from each to the next, mm."""
    usual = float(np.median(steps))
    if np.abs(steps - usual).max() <= max(UNEVEN * usual, ROUNDING_MM):
        return
    # slices are missing where a few steps are whole multiples of the others
    base = float(np.median(steps[steps < 1.5 * float(steps.min())]))
    slack = max(2 * UNEVEN * base, 2 * ROUNDING_MM)
    times = np.rint(steps / base)
    whole, wide = np.abs(steps - times * base).max() <= slack * times.max(), times > 1
    if whole and wide.mean() <= MANY:
        missing = int((times - 1).sum())
        raise UserError(
            "dicom_missing_slices",
            f"About {count(missing, 'slice')} of the series {'is' if missing == 1 else 'are'} missing: the slices lie "
            f"{base:.3g} mm apart, but {float(steps.max()):.3g} mm in {count(int(wide.sum()), 'place')}.",
            WHOLE,
        )
    runs = [f"{step:.3g} mm ({number} times)" for step, number in Counter(np.round(steps, 2).tolist()).most_common(4)]
    raise UserError(
        "dicom_uneven",
        f"The slices lie unevenly, {float(steps.min()):.3g} to {float(steps.max()):.3g} mm apart: {', '.join(runs)}.",
        "Give a series with one distance between slices; dcm2niix resamples such a series to an even one.",
    )


def _shift(ordered: Sequence[Slice], slack: float) -> float:
    """Return the sideways shift from slice to slice, mm, 0 for none; ``UserError`` where it is not always the same."""
    places = np.array([one.origin for one in ordered])
    steps = np.diff(places, axis=0)
    sideways = steps - np.outer(steps @ ordered[0].normal, ordered[0].normal)
    mean = (places[-1] - places[0]) / (len(ordered) - 1)
    mean -= mean @ ordered[0].normal * ordered[0].normal
    if np.linalg.norm(sideways - mean, axis=1).max() > slack:
        text = "The slices are shifted against each other, some more than others."
        raise UserError("dicom_tilt", text, CONVERT)
    shift = float(np.linalg.norm(mean))
    return shift if shift > UNEVEN * float(np.linalg.norm(steps[0])) else 0.0


def _tilted(ordered: Sequence[Slice], shift: float, notes: tuple[Note, ...], work: Path) -> Loaded:
    """Return a series taken with a tilted gantry: straightened by dcm2niix where its header states the tilt, else as
    it lies, with a slanted third axis."""
    loaded = _stacked(ordered, notes, work)
    distance = dict(loaded.facts)["slice_distance_mm"]
    angle = float(np.degrees(np.arctan(shift / float(distance))))
    text = (
        f"Each slice is shifted by {shift:.3g} mm against the one before, as by a gantry tilted by {angle:.3g} degrees"
    )
    files = list(dict.fromkeys(one.path for one in ordered))
    # the files of other volumes of the series must stay out; of one file with many images nothing can
    if ordered[0].tilt and len(files) == len(ordered):
        upright = [path for path in run_dcm2niix(files, work) if TILT in path.name]
        if len(upright) == 1:
            stored, _ = _converted(upright[0])
            stored = replace(stored, thickness=loaded.stored.thickness)
            note = Note("warning", f"{text}; dcm2niix shifted the slices back, linearly in their plane.")
            return replace(loaded, stored=stored, notes=(*loaded.notes, note))
    return replace(loaded, notes=(*loaded.notes, Note("warning", f"{text}.")))


def _stacked(ordered: Sequence[Slice], notes: tuple[Note, ...], work: Path) -> Loaded:
    shape = check_shape([3, *ordered[0].size, len(ordered)])
    affine = _affine(ordered)
    distance = abs(float(affine[:3, 2] @ (LPS_TO_RAS[:3, :3] @ ordered[0].normal)))
    facts: list[tuple[str, float | str]] = [("slice_distance_mm", round(distance, 4))]
    thicknesses = {one.thickness for one in ordered}
    thickness = thicknesses.pop() if len(thicknesses) == 1 else None
    if thickness is not None and thickness > 0:
        thickness = round(thickness, 4)
        facts.append(("slice_thickness_mm", thickness))
        notes += _gap(thickness, distance)
    else:
        thickness = None
    notes += _stated(ordered, distance) + _unscaled(ordered)
    if ordered[0].description:
        facts.append(("series", printable(ordered[0].description)))
    stored = replace(_voxels(ordered, shape, affine, work), thickness=thickness)
    return Loaded(stored, notes, tuple(facts))


def _gap(thickness: float, distance: float) -> tuple[Note, ...]:
    if abs(thickness - distance) <= max(UNEVEN * distance, ROUNDING_MM):
        return ()
    what = "overlap" if thickness > distance else "leave a gap that was not measured"
    text = f"The slices are {thickness:.3g} mm thick and {distance:.3g} mm apart: they {what}."
    return (Note("warning", text),)


def _stated(ordered: Sequence[Slice], distance: float) -> tuple[Note, ...]:
    """Return a note where the header states another spacing between slices than their places show (PS3.3 C.7.6.2)."""
    apart = {abs(one.apart) for one in ordered if one.apart}
    # some programs write the gap alone under this name
    wrong = [one for one in apart if min(abs(one - distance), abs(one + (ordered[0].thickness or 0) - distance)) > 0.1]
    if len(apart) != 1 or not wrong:
        return ()
    text = f"The header states slices {wrong[0]:.3g} mm apart, their places {distance:.3g} mm; the places were taken."
    return (Note("warning", text),)


def _unscaled(ordered: Sequence[Slice]) -> tuple[Note, ...]:
    """Return a note where some slices state no rescale slope and another does that changes values."""
    bare = sum(not one.scaled for one in ordered)
    if not bare or all((one.slope, one.intercept) == (1.0, 0.0) for one in ordered):
        return ()
    verb = "states" if bare == 1 else "state"
    text = f"{bare} of {count(len(ordered), 'slice')} {verb} no rescale slope, the others do; stored values were taken."
    return (Note("warning", f"{text} Such slices are darker or brighter than they should be."),)


def _affine(ordered: Sequence[Slice]) -> NDArray[np.float64]:
    """Return the (4, 4) affine of (column, row, slice) to RAS+ mm (PS3.3 C.7.6.2.1.1)."""
    first, last = ordered[0], ordered[-1]
    affine = np.eye(4)
    affine[:3, 0] = np.multiply(first.rows, first.spacing[0])
    affine[:3, 1] = np.multiply(first.columns, first.spacing[1])
    affine[:3, 2] = np.subtract(last.origin, first.origin) / (len(ordered) - 1)
    affine[:3, 3] = first.origin
    return check_affine(LPS_TO_RAS @ affine)


def _voxels(ordered: Sequence[Slice], shape: tuple[int, int, int], affine: NDArray[np.float64], work: Path) -> Stored:
    """Return stored integers and their scaling where all slices share one, else scaled 32-bit floats."""
    first = ordered[0]
    shared = len({(one.slope, one.intercept, one.encoding.stored) for one in ordered}) == 1
    values: NDArray[Any] = np.empty(shape, first.encoding.stored if shared else np.float32, order="F")
    for k, one in enumerate(ordered):
        try:
            plane = read_plane(one, work)
        except RuntimeError as error:
            raise _damaged(1, len(ordered)) from error
        values[:, :, k] = plane if shared else plane * one.slope + one.intercept
    return Stored(values, affine, first.slope, first.intercept) if shared else Stored(values, affine)


def _damaged(number: int, of: int) -> UserError:
    verb = "is" if number == 1 else "are"
    return UserError("dicom_damaged", f"{number} of {count(of, 'DICOM file')} {verb} damaged.", "Export it again.")
