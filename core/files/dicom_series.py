"""DICOM series: slices are sorted into volumes, the one scan among them is chosen, and its slices are stacked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.dicom_header import DAMAGED, DIRECTORY, MULTI_FRAME, VARIANTS, Other, Slice, read_plane, read_slice
from core.files.nifti import Stored
from core.files.nifti_header import MIN_SIDE, check_affine, check_shape

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
SCOUT = re.compile(r"local|scout|survey|topogram|surview", re.IGNORECASE)
UNEVEN = 0.01  # of the distance between slices
ROUNDING_MM = 0.01  # positions are often written with two decimals
LISTED = 12
SPLIT = "Export one series alone: drop or zip only the files of the one you want."
WHOLE = "Give every file of the series together, as a zip or by marking all of them."
CONVERT = "Convert the series to NIfTI with dcm2niix, then give that file."


@dataclass(frozen=True, eq=False)
class Loaded:
    """A volume, sentences for the user about how it was made, and facts about it that name nobody."""

    stored: Stored
    notices: tuple[str, ...] = ()
    facts: tuple[tuple[str, float | str], ...] = ()


def read_series(paths: Sequence[Path]) -> Loaded:
    """Return the one scan among the DICOM files ``paths``; ``UserError`` where there is none or more than one."""
    found = [read_slice(path) for path in paths]
    others = Counter(one.kind for one in found if isinstance(one, Other) and one.kind != DIRECTORY)
    if others[DAMAGED]:
        raise _damaged(others[DAMAGED], len(paths))
    every = [one for one in found if isinstance(one, Slice)]
    slices = _once(every)
    repeated = len(every) - len(slices)
    groups: dict[tuple[object, ...], list[Slice]] = {}
    for one in slices:
        groups.setdefault(one.stack, []).append(one)
    volumes = sorted(groups.values(), key=len, reverse=True)
    chosen = _choose(volumes, others)
    notices = _left_out(chosen, volumes, others, repeated)
    ordered = _ordered(chosen)
    return _stacked(ordered, notices)


def describe(volume: Sequence[Slice]) -> str:
    """Return a volume in words: its description, number of slices, their size and the voxel size in mm."""
    first = volume[0]
    apart = np.diff(sorted(_along(volume)))
    step = f" x {float(np.median(apart)):.3g}" if apart.size and np.median(apart) > 0 else ""
    name = _printable(first.description) or "no description"
    size = f"{first.size[0]} x {first.size[1]}, {first.spacing[0]:.3g} x {first.spacing[1]:.3g}{step} mm"
    return f"{name} ({_count(len(volume), 'slice')}, {size})"


def _choose(volumes: Sequence[list[Slice]], others: Counter[str]) -> list[Slice]:
    """Return the one volume that is a scan; scouts and single images beside it are no choice."""
    large = [volume for volume in volumes if len(volume) >= MIN_SIDE]
    real = [volume for volume in large if not SCOUT.search(_names(volume))] or large
    multi_frame = others[MULTI_FRAME]
    if len(real) == 1 and not multi_frame:
        return real[0]
    listing = "; ".join(map(describe, volumes[:LISTED])) + ("; ..." if len(volumes) > LISTED else "")
    if real:
        beside = f"; {_count(multi_frame, MULTI_FRAME)}" if multi_frame else ""
        raise UserError("dicom_series", f"There is more than one series here: {listing}{beside}.", SPLIT)
    if multi_frame:
        raise UserError("dicom_multiframe", "The DICOM file holds many slices in one file, which is not read.", CONVERT)
    if len(volumes) == 1 and len(volumes[0]) == 1:
        raise UserError("single_slice", "This is a single DICOM slice, not a 3D scan.", WHOLE)
    if volumes:
        raise UserError("dicom_few_slices", f"No series here has {MIN_SIDE} slices or more: {listing}.", WHOLE)
    raise _no_image(others)


def _no_image(others: Counter[str]) -> UserError:
    listing = _kinds(others) or "nothing"
    if set(others) == {"colour picture"}:
        return UserError("colour_image", f"The DICOM files are colour pictures ({listing}).", "Export the scan itself.")
    return UserError(
        "dicom_no_image",
        f"The DICOM files hold no scan that can be read: {listing}.",
        "Export the images of the series, not its reports or screenshots; dcm2niix converts what is not read here.",
    )


def _once(slices: Iterable[Slice]) -> list[Slice]:
    """Return the slices without those that are there again under another file name."""
    kept: dict[tuple[str, str], Slice] = {}
    for one in slices:
        kept.setdefault((one.series, one.instance or str(one.path)), one)
    return list(kept.values())


def _left_out(
    chosen: list[Slice], volumes: Sequence[list[Slice]], others: Counter[str], repeated: int
) -> tuple[str, ...]:
    notices = []
    if len(volumes) > 1:
        rest = "; ".join(describe(volume) for volume in volumes[:LISTED] if volume is not chosen)
        notices.append(f"Taken: {describe(chosen)}. Left out: {rest}.")
    if others:
        notices.append(f"Other DICOM files were left out: {_kinds(others)}.")
    if repeated:
        notices.append(f"{_count(repeated, 'slice')} came twice; one copy was taken.")
    if any(one.lossy for one in chosen):
        notices.append("The images were compressed with loss before they came here.")
    return tuple(notices)


def _ordered(volume: list[Slice]) -> list[Slice]:
    """Return the slices along their normal; ``UserError`` unless they lie evenly, one at each place."""
    along = _along(volume)
    order = np.argsort(along, kind="stable")
    ordered = [volume[index] for index in order]
    steps = np.diff(along[order])
    if steps.min() < ROUNDING_MM:
        raise _same_place(ordered, int((steps >= ROUNDING_MM).sum()) + 1)
    usual = float(np.median(steps))
    slack = max(UNEVEN * usual, ROUNDING_MM)
    gaps = np.flatnonzero(steps > 1.5 * usual)
    if gaps.size:
        missing = int(np.rint(steps[gaps] / usual - 1).sum())
        raise UserError(
            "dicom_missing_slices",
            f"About {_count(missing, 'slice')} of the series {'is' if missing == 1 else 'are'} missing: the slices lie "
            f"{usual:.3g} mm apart, but {float(steps.max()):.3g} mm in {_count(gaps.size, 'place')}.",
            WHOLE,
        )
    if np.abs(steps - usual).max() > slack:
        raise UserError(
            "dicom_uneven",
            f"The slices lie unevenly, {float(steps.min()):.3g} to {float(steps.max()):.3g} mm apart.",
            CONVERT,
        )
    _require_straight(ordered, slack)
    return ordered


def _require_straight(ordered: Sequence[Slice], slack: float) -> None:
    """Refuse slices that shift sideways from one to the next, as with a tilted gantry."""
    places = np.array([one.origin for one in ordered])
    steps = np.diff(places, axis=0)
    sideways = steps - np.outer(steps @ ordered[0].normal, ordered[0].normal)
    if np.sqrt((sideways**2).sum(axis=1)).max() > slack:
        raise UserError("dicom_tilt", "The slices are shifted against each other, as with a tilted gantry.", CONVERT)


def _same_place(ordered: Sequence[Slice], places: int) -> UserError:
    """Say why several slices lie in one place: the series is one of volumes, or a file is there twice."""
    differing = []
    for index, name in enumerate(VARIANTS):
        values = list(dict.fromkeys(one.variant[index] for one in ordered))
        if 1 < len(values) <= len(ordered) // 2:
            differing.append(f"{name} {', '.join(map(_printable, values[:4]))}{' ...' if len(values) > 4 else ''}")
    if not differing:
        text = f"The {len(ordered)} slices lie in only {places} places; some are there twice."
        return UserError("dicom_duplicates", text, SPLIT)
    return UserError(
        "volume_4d",
        f"This DICOM series holds several volumes, not one 3D scan: {'; '.join(differing)}.",
        "Export one of them alone, or convert the series with dcm2niix and give one volume.",
    )


def _stacked(ordered: Sequence[Slice], notices: tuple[str, ...]) -> Loaded:
    shape = check_shape([3, *ordered[0].size, len(ordered)])
    affine = _affine(ordered)
    stored = _voxels(ordered, shape, affine)
    distance = float(np.linalg.norm(affine[:3, 2]))
    facts: list[tuple[str, float | str]] = [("slice_distance_mm", round(distance, 4))]
    thicknesses = {one.thickness for one in ordered}
    thickness = thicknesses.pop() if len(thicknesses) == 1 else None
    if thickness is not None and thickness > 0:
        facts.append(("slice_thickness_mm", round(thickness, 4)))
        notices += _gap(thickness, distance)
    if ordered[0].description:
        facts.append(("series", _printable(ordered[0].description)))
    return Loaded(stored, notices, tuple(facts))


def _gap(thickness: float, distance: float) -> tuple[str, ...]:
    if abs(thickness - distance) <= max(UNEVEN * distance, ROUNDING_MM):
        return ()
    what = "overlap" if thickness > distance else "leave a gap that was not measured"
    return (f"The slices are {thickness:.3g} mm thick and {distance:.3g} mm apart: they {what}.",)


def _affine(ordered: Sequence[Slice]) -> NDArray[np.float64]:
    """Return the (4, 4) affine of (column, row, slice) to RAS+ mm (PS3.3 C.7.6.2.1.1)."""
    first, last = ordered[0], ordered[-1]
    affine = np.eye(4)
    affine[:3, 0] = np.multiply(first.rows, first.spacing[0])
    affine[:3, 1] = np.multiply(first.columns, first.spacing[1])
    affine[:3, 2] = np.subtract(last.origin, first.origin) / (len(ordered) - 1)
    affine[:3, 3] = first.origin
    return check_affine(LPS_TO_RAS @ affine)


def _voxels(ordered: Sequence[Slice], shape: tuple[int, int, int], affine: NDArray[np.float64]) -> Stored:
    """Return stored integers and their scaling where all slices share one, else scaled 32-bit floats."""
    first = ordered[0]
    if len({(one.slope, one.intercept, one.stored) for one in ordered}) == 1:
        exact = np.empty(shape, first.stored, order="F")
        if _fill(exact, ordered):
            return Stored(exact, affine, first.slope, first.intercept)
    scaled = np.empty(shape, np.float32, order="F")
    _fill(scaled, ordered)
    return Stored(scaled, affine)


def _fill(values: NDArray[Any], ordered: Sequence[Slice]) -> bool:
    """Read the slices into ``values``, integers as stored, floats scaled; False where the stored ones stay unknown."""
    for k, one in enumerate(ordered):
        try:
            scaled, stored = read_plane(one)
        except RuntimeError as error:
            raise _damaged(1, len(ordered)) from error
        plane = scaled if values.dtype == np.float32 else stored
        if plane is None:
            return False
        values[:, :, k] = plane
    return True


def _along(volume: Sequence[Slice]) -> NDArray[np.float64]:
    """Return where each slice lies along the normal of the first, mm."""
    along: NDArray[np.float64] = np.array([one.origin for one in volume]) @ volume[0].normal
    return along


def _names(volume: Sequence[Slice]) -> str:
    return f"{volume[0].description} {' '.join(one.variant[-1] for one in volume[:1])}"


def _damaged(number: int, of: int) -> UserError:
    verb = "is" if number == 1 else "are"
    return UserError("dicom_damaged", f"{number} of {_count(of, 'DICOM file')} {verb} damaged.", "Export it again.")


def _kinds(others: Counter[str]) -> str:
    return ", ".join(f"{kind} ({number})" for kind, number in others.most_common())


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:64].strip()
