"""How a scan was sampled and the finer grid that is to be made of it: read from the header, or assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.acquisition import Acquisition, Axis, Profile, whole
from core.errors import UserError
from core.files.nifti_header import MAX_SIDE, MAX_VOXELS
from core.imaging.superres.slice_width import SliceWidth
from core.presentation import GivenScan
from core.result import Note, notes
from core.volume import Orientation, spacing

Affine = NDArray[np.float64]
Triple = tuple[float, float, float]
Shape = tuple[int, int, int]

# an axis up to KEEP_MM is fine enough, a thicker one becomes FINE_MM
KEEP_MM, FINE_MM = 1.2, 1.0
# an axis is made finer from this factor on; the network learnt up to LEARNT; beyond MOST nothing is known
LEAST, LEARNT, MOST = 1.1, 8.0, 16.0
# where the thickness of the slices comes from: a user, the scan's header, the scan itself, or nowhere
GIVEN, STATED, ESTIMATED = "as given", "as the scan's header states", "estimated from the scan"
ASSUMED = "no thickness is known"
LATER = "A run estimates the thickness from the scan, and takes it where it is certain."
# slice thickness in parts of the distance of slices: scanners leave gaps and overlap within these
THINNEST, THICKEST = 0.2, 2.0
# a ratio of sizes is whole but for the float32 of headers below this
ROUNDED = 1e-5
SLICES = ("sagittal", "coronal", "axial")


@dataclass(frozen=True, eq=False)
class Geometry:
    """What was measured and what is to be made, RAS+.

    acquisition: how the scan samples the fine grid. affine: (4, 4) of the fine grid, voxel -> mm.
    measured, target, thickness: mm along X, Y, Z. refined: the axes (0, 1, 2) that become finer.
    profile: that of the slices; source: where their thickness comes from. notices: what a user should know.
    """

    acquisition: Acquisition
    affine: Affine
    measured: Triple
    target: Triple
    thickness: Triple
    refined: tuple[int, ...]
    profile: Profile
    source: str
    notices: tuple[str, ...]

    @property
    def shape(self) -> Shape:
        """Voxels of the fine grid."""
        return self.acquisition.fine

    @property
    def thickest(self) -> int:
        """The axis across the slices: of those refined, that with the largest distance of voxels."""
        return max(self.refined, key=lambda axis: self.measured[axis])


def geometry(
    shape: Sequence[int],
    affine: Affine,
    params: Mapping[str, Any],
    slices: tuple[int, float] | None = None,
    estimated: SliceWidth | None = None,
) -> Geometry:
    """Return how a scan of ``shape`` with ``affine`` (RAS+) is made finer under the task's ``params``.

    slices: the axis (0, 1, 2) across which slices lie and their thickness in mm as the scan's header states it.
    estimated: the thickness along the thickest axis as the scan itself shows it, taken where nothing states one and
    where it is certain.

    Target: ``params["spacing"]``; without it, axes up to 1.2 mm stay and others become 1 mm, or the size of the finest
    axis where that is 1 to 1.2 mm. ``thickness`` is that of the thickest axis, 0 for what
    ``slices`` states of it; slices of others, and those of which nothing is known, touch.
    The fine grid has exactly these voxels and is centred on the scan's field of view, which it covers to half a voxel.
    UserError no_thick_axis, factor_too_large, bad_thickness or result_too_large.
    """
    own = spacing(affine)
    target, notices = _target(own, params["spacing"])
    axes = tuple(axis for axis in range(3) if target[axis] != own[axis])
    if not axes:
        raise UserError(
            "no_thick_axis",
            f"The scan has voxels of {_sizes(own)} mm: no axis is coarser than the target.",
            "Choose a smaller target voxel, or a scan with thicker slices.",
        )
    thickest = max(axes, key=lambda axis: own[axis])
    stated = slices[1] if slices is not None and slices[0] == thickest else 0.0
    width, source, more = _thickness(own[thickest], float(params["thickness"]), stated)
    if source == ASSUMED and estimated is not None:
        width, source = _estimated(own[thickest], estimated)
        more += _overlap(width, own[thickest])
    thickness = tuple(width if axis == thickest else size for axis, size in enumerate(own))
    sampled = tuple(
        _axis(int(count), size, goal, wide, params["profile"])
        for count, size, goal, wide in zip(shape, own, target, thickness, strict=True)
    )
    acquisition = Acquisition((sampled[0], sampled[1], sampled[2]))
    _check_size(acquisition.fine, own, target)
    if max(size / goal for size, goal in zip(own, target, strict=True)) > LEARNT:
        notices += (f"More than {LEARNT:g} voxels are made of one: more than the network was trained for.",)
    wide = (thickness[0], thickness[1], thickness[2])
    fine = affine @ _to_coarse(acquisition)
    return Geometry(acquisition, fine, own, target, wide, axes, params["profile"], source, notices + more)


def describe_geometry(found: Geometry) -> tuple[str, ...]:
    """Return in plain sentences what was assumed of the scan and what will be made."""
    coarse = found.acquisition.coarse
    sentences = [f"Measured: {_counts(coarse)} voxels of {_sizes(found.measured)} mm."]
    thickest = found.thickest
    distance, width = found.measured[thickest], found.thickness[thickest]
    bell = "with a Gaussian profile" if found.profile == "gaussian" else "with a box profile"
    slices = f"{coarse[thickest]} {SLICES[thickest]} slices, each {width:.3g} mm thick {bell}"
    if abs(width - distance) < 1e-3 * distance:
        sentences.append(f"Taken as {slices}, touching ({found.source}).")
    elif width < distance:
        sentences.append(f"Taken as {slices}, with gaps of {distance - width:.2g} mm ({found.source}).")
    else:
        sentences.append(f"Taken as {slices}, overlapping by {width - distance:.2g} mm ({found.source}).")
    others = [axis for axis in range(3) if axis not in found.refined]
    kept = f" Along {_names(others)} nothing changes." if others else ""
    sentences.append(f"To be made: {_counts(found.shape)} voxels of {_sizes(found.target)} mm.{kept}")
    return (*sentences, *found.notices)


def explain(scans: Mapping[str, GivenScan], params: Mapping[str, Any]) -> tuple[Note, ...]:
    """Return what ``params`` make of the scan at hand, nothing without one."""
    scan = scans.get("image")
    if scan is None:
        return ()
    found = geometry(scan.shape, np.diag([*scan.spacing, 1.0]), params, scan.slices)
    return notes("info", (*describe_geometry(found), *((LATER,) if found.source == ASSUMED else ())))


def in_file_order(affine: Affine, shape: Shape, orientation: Orientation) -> Affine:
    """Return the affine of the file grid whose RAS+ view has ``affine`` and ``shape``."""
    stored = affine.copy()
    for ras, axis in enumerate(orientation.axes):
        column = affine[:3, ras]
        stored[:3, axis] = -column if orientation.flips[ras] else column
        if orientation.flips[ras]:
            stored[:3, 3] += column * (shape[ras] - 1)
    return stored


def _target(own: Triple, wanted: Sequence[float]) -> tuple[Triple, tuple[str, ...]]:
    """Return the voxel size to make and notices; an axis that stays has exactly its own size."""
    finest = min(own)
    usual = finest if FINE_MM <= finest <= KEEP_MM else FINE_MM
    goals = tuple(wanted) or tuple(size if size <= KEEP_MM else usual for size in own)
    x, y, z = (goal if size / goal >= LEAST else size for size, goal in zip(own, goals, strict=True))
    coarser = [axis for axis in range(3) if goals[axis] > own[axis] * 1.001]
    notices: tuple[str, ...] = ()
    if coarser:
        notices = (f"Along {_names(coarser)} the scan is finer than the target and stays as it is.",)
    return (x, y, z), notices


def _thickness(distance: float, wanted: float, stated: float) -> tuple[float, str, tuple[str, ...]]:
    """Return the thickness of slices ``distance`` apart, where it comes from, and notices; mm, 0 for not known."""
    accepted = THINNEST * distance, THICKEST * distance
    if wanted == 0:
        if stated == 0:
            return distance, ASSUMED, ()
        if not accepted[0] <= stated <= accepted[1]:
            text = f"The header states slices {stated:.3g} mm thick, {distance:.3g} mm apart, which cannot be: "
            text += "taken as touching."
            return distance, ASSUMED, (text,)
        return stated, STATED, _overlap(stated, distance)
    if not accepted[0] <= wanted <= accepted[1]:
        raise UserError(
            "bad_thickness",
            f"Slices {distance:.3g} mm apart cannot be {wanted:.3g} mm thick: "
            f"{accepted[0]:.2g} to {accepted[1]:.3g} mm are accepted.",
            "Look the slice thickness up in the scanner's protocol, or leave it at 0.",
        )
    return wanted, GIVEN, _overlap(wanted, distance)


def _estimated(distance: float, found: SliceWidth) -> tuple[float, str]:
    """Return the thickness to take of slices ``distance`` apart, and where it comes from."""
    if not found.certain:
        return distance, f"{ASSUMED}; the scan itself suggests {found.figures}, which is not enough to go by"
    width = min(max(found.width, THINNEST * distance), THICKEST * distance)
    return width, f"{ESTIMATED}: {found.figures}; Slice thickness overrules it"


def _overlap(width: float, distance: float) -> tuple[str, ...]:
    if width <= 1.001 * distance:
        return ()
    return ("Slices overlap: noise is amplified where that is undone. Relax helps.",)


def _axis(count: int, size: float, goal: float, width: float, profile: Profile) -> Axis:
    if size == goal:
        return whole(count)
    step, wide = _whole(size / goal), _whole(width / goal)
    fine = max(1, round(count * step))
    return Axis(fine, count, step, wide, (fine - 1) / 2 - step * (count - 1) / 2, profile)


def _whole(ratio: float) -> float:
    """Return ``ratio``, whole where only the rounding of headers parts it from that: what touches does not overlap."""
    return float(round(ratio)) if abs(ratio - round(ratio)) < ROUNDED else ratio


def _to_coarse(acquisition: Acquisition) -> Affine:
    """Return the matrix from fine to measured voxel indices."""
    matrix = np.eye(4)
    for axis, sampled in enumerate(acquisition.axes):
        matrix[axis, axis] = 1 / sampled.step
        matrix[axis, 3] = -sampled.first / sampled.step
    return matrix


def _check_size(fine: Shape, own: Triple, target: Triple) -> None:
    factor = max(size / goal for size, goal in zip(own, target, strict=True))
    if factor > MOST:
        raise UserError(
            "factor_too_large",
            f"Voxels of {_sizes(target)} mm cannot be made of {_sizes(own)} mm: {factor:.0f} from one.",
            f"At most {MOST:g} voxels are made of one: choose a larger target voxel.",
        )
    voxels = float(np.prod(np.array(fine, np.float64)))
    if max(fine) > MAX_SIDE or voxels > MAX_VOXELS:
        raise UserError(
            "result_too_large",
            f"The result would have {_counts(fine)} voxels, {voxels / 1e6:.0f} million.",
            f"At most {MAX_SIDE} along a side and {MAX_VOXELS / 1e6:.0f} million in all: choose larger target voxels.",
        )


def _names(axes: Sequence[int]) -> str:
    return " and ".join("XYZ"[axis] for axis in axes)


def _sizes(sizes: Triple) -> str:
    return " x ".join(f"{size:.3g}" for size in sizes)


def _counts(shape: Sequence[int]) -> str:
    return " x ".join(str(count) for count in shape)
