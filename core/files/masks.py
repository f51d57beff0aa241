"""Masks: which voxels of a scan are to be filled, read from a file or drawn, and checked against the head."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.nifti import Stored
from core.files.nifti_header import Header
from core.files.voxel_stream import MAX_BYTES, Source, open_source, pieces
from core.files.whole_numbers import NEARLY, without_rounding
from core.volume import Orientation, corners, resample

MASK_FREE_BYTES = 256 << 20  # a mask packs far more than 100 times; a 512 x 512 x 512 one in 16 bit passes
SAME_GRID_MM = 1e-3
MAX_LABELS = 16
SOFT_LOW, SOFT_HIGH = -0.25, 1.25  # interpolating a {0, 1} mask by cubic splines stays within
MIN_IN_HEAD = 0.5
MAX_OF_HEAD = 0.4

DRAW = "Draw or export a mask that is 1 where tissue is to be replaced and 0 elsewhere."


@dataclass(frozen=True, eq=False)
class Mask:
    """data: (X, Y, Z) bool in RAS+ on the scan's grid, not empty; ``notices`` are plain sentences for the user."""

    data: NDArray[np.bool_]
    volume_ml: float
    notices: tuple[str, ...] = ()


def read_mask(path: Path, scan: Stored, *, max_bytes: int = MAX_BYTES) -> Mask:
    """Return the mask at ``path`` on the RAS+ grid of ``scan``; ``UserError`` where it cannot be one.

    Accepted: 0 and one other value; up to ``MAX_LABELS`` labels (their union); 0..1 with interpolation noise (cut at
    0.5). A file on the same grid within ``SAME_GRID_MM``, in any axis order, is taken voxel for voxel; another grid
    is resampled to the nearest voxel. Of a scan or a mask whose header names two places only the sform counts.
    """
    source = open_source(path, max_bytes=max_bytes, free_bytes=MASK_FREE_BYTES)
    header = source.header
    _require_used_place(header, scan)
    _require_own_place(header, scan)
    if not _boxes_meet(header.affine, header.shape, scan):
        raise _elsewhere()
    marked, notices = _marked(source)
    if not marked.any():
        raise _empty()
    turn = _same_grid(header.affine, header.shape, scan)
    if turn is not None:
        data = np.ascontiguousarray(scan.orientation.to_ras(turn.to_ras(marked)))
    else:
        data = resample(marked, header.affine, scan.ras_affine, scan.ras_shape, order=0)
        if not data.any():
            raise _elsewhere()
        notices += ("The mask lies on another grid than the scan; each voxel took the nearest mask voxel.",)
        notices += _lost(_ml(marked, header.affine), _ml(data, scan.affine)) + _as_large(header, scan)
    return Mask(data, _ml(data, scan.affine), notices)


def check_mask(data: NDArray[np.bool_], scan: Stored, head: NDArray[np.bool_], notices: tuple[str, ...] = ()) -> Mask:
    """Return ``data`` (X, Y, Z bool, RAS+) as a mask that can be filled within ``head`` (same shape).

    ``UserError`` when it is empty, mostly outside the head, or more than ``MAX_OF_HEAD`` of it.
    """
    if data.shape != scan.ras_shape or head.shape != scan.ras_shape:
        raise ValueError(f"mask {data.shape} and head {head.shape} must have the scan's shape {scan.ras_shape}")
    voxels, inside, all_head = int(data.sum()), int((data & head).sum()), int(head.sum())
    if voxels == 0:
        raise _empty()
    if inside < MIN_IN_HEAD * voxels:
        raise UserError(
            "mask_outside_head",
            f"Only {inside / voxels:.0%} of the mask lies inside the head.",
            "Check that the mask belongs to this scan, and draw it inside the brain.",
        )
    if voxels > MAX_OF_HEAD * all_head:
        raise UserError(
            "mask_too_large",
            f"The mask covers {voxels / all_head:.0%} of the head; at most {MAX_OF_HEAD:.0%} can be filled.",
            "Mark only the lesion, not the brain or its background.",
        )
    if inside < voxels:
        notices += (f"{1 - inside / voxels:.1%} of the mask lies outside the head.",)
    return Mask(data, _ml(data, scan.affine), notices)


class _Values:
    """The distinct values of a mask file other than 0, as far as they matter; nearly whole ones count as whole."""

    def __init__(self) -> None:
        self.low, self.high = math.inf, -math.inf
        self.labels: set[float] = set()
        self.faint: set[float] = set()
        self.fractions = False

    def add(self, piece: NDArray[np.float64]) -> None:
        """Note the values of ``piece``; ``UserError`` once they cannot be a mask's."""
        low, high = float(piece.min()), float(piece.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise UserError("nan_voxels", "Some voxels of the mask are not numbers (NaN or infinite).", DRAW)
        self.low, self.high = min(self.low, low), max(self.high, high)
        if len(self.labels) <= MAX_LABELS and (low, high) != (0, 0):
            values = np.unique(piece[piece != 0])
            shown = without_rounding(values)
            self.labels.update(shown[shown != 0].tolist())
            self.faint.update(values[shown == 0][:2].tolist())
            self.fractions = any(not label.is_integer() for label in self.labels)
        odd = self.fractions or self.low < -NEARLY or len(self.labels) > MAX_LABELS
        if odd and len(self.labels) > 1 and not self.soft:
            raise UserError("not_a_mask", "This file holds many grey values, as a scan does, not a mask.", DRAW)

    @property
    def soft(self) -> bool:
        """Whether the values so far may be those of an interpolated {0, 1} mask."""
        return len(self.labels) > 1 and self.low >= SOFT_LOW and self.high <= SOFT_HIGH

    @property
    def tiny(self) -> bool:
        """Whether the one value other than 0 is smaller than any label."""
        return not self.labels and len(self.faint) == 1


def _marked(source: Source) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Return the marked voxels (I, J, K) in file order, and notices; they take memory only once the file is sound."""
    header, seen = source.header, _Values()
    for _, values in _scaled(source):
        seen.add(values)
    if not seen.labels and not seen.tiny:
        raise _empty()
    marked = np.empty(math.prod(header.shape), np.bool_)
    for here, values in _scaled(source):
        marked[here] = values >= 0.5 if seen.soft else (values if seen.tiny else without_rounding(values)) != 0
    notices: tuple[str, ...] = ()
    if seen.soft:
        notices = ("The mask has values between 0 and 1; 0.5 and above were taken as inside.",)
    elif len(seen.labels) > 1:
        names = ", ".join(f"{label:g}" for label in sorted(seen.labels))
        notices = (f"The mask holds several labels ({names}); all of them were taken together.",)
    return marked.reshape(header.shape, order="F"), notices


def _scaled(source: Source) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield where each piece lies and its scaled values, one value for a piece that holds only one."""
    header, start = source.header, 0
    for piece in pieces(source):
        with np.errstate(invalid="ignore", over="ignore"):
            shown = piece[:1] if piece.min() == piece.max() else piece
            values = shown.astype(np.float64) * header.slope + header.intercept
        yield slice(start, start + piece.size), values
        start += piece.size


def _same_grid(affine: NDArray[np.float64], shape: tuple[int, ...], scan: Stored) -> Orientation | None:
    """Return how the mask's axes become the scan's file axes where both grids have the same voxels, else None."""
    step = np.linalg.solve(scan.affine[:3, :3], affine[:3, :3])
    near = np.abs(step) > 0.5
    if not (near.sum(axis=0) == 1).all() or not (near.sum(axis=1) == 1).all():
        return None
    axes = [int(axis) for axis in near.argmax(axis=1)]
    flips = [bool(step[row, axis] < 0) for row, axis in enumerate(axes)]
    turn = Orientation((axes[0], axes[1], axes[2]), (flips[0], flips[1], flips[2]))
    if tuple(shape[axis] for axis in axes) != scan.values.shape:
        return None
    indices = np.indices((2, 2, 2)).reshape(3, -1)
    theirs = corners(affine, shape).reshape(2, 2, 2, 3)
    turned = turn.to_ras(np.arange(8).reshape(2, 2, 2))[tuple(indices)]
    apart = theirs.reshape(8, 3)[turned] - corners(scan.affine, scan.values.shape)
    return turn if float(np.abs(apart).max()) <= SAME_GRID_MM else None


def _require_used_place(header: Header, scan: Stored) -> None:
    """Refuse a mask that lies on the scan only by the form of a header that is not used, the scan's or its own."""
    if scan.other is None and header.other is None:
        return
    straight = Orientation((0, 1, 2), (False, False, False))
    used = _same_grid(header.affine, header.shape, scan)
    if used == straight:
        return
    places = [(header.affine, scan.other), (header.other, scan.affine), (header.other, scan.other)]
    for mask, place in places:
        if mask is None or place is None:
            continue
        fits = _same_grid(mask, header.shape, replace(scan, affine=place))
        # a mirrored grid covers the same voxels: the one in the file's own order is meant
        if fits is not None and (used is None or fits == straight):
            raise UserError(
                "mask_other_place",
                "A header names two places, by sform and qform, and the mask lies on the scan by the one not used.",
                "Set both forms of scan and mask to the right place, for example with fslorient -copysform2qform.",
            )


def _require_own_place(header: Header, scan: Stored) -> None:
    """Refuse a mask of as many voxels as the scan that was saved without its place: with its first voxel at 0, 0, 0 and
    along the axes. It would be taken for one of another part of the head."""
    if header.shape == scan.values.shape and _placeless(header.affine) and _apart(header, scan) > 1:
        raise UserError(
            "mask_without_place",
            "The mask has as many voxels as the scan, but its header does not have the scan's place: its first voxel "
            "lies at 0, 0, 0, as programs write that leave the place out.",
            "Save the mask with the header of the scan, for example with fslcpgeom SCAN MASK.",
        )


def _placeless(affine: NDArray[np.float64]) -> bool:
    turn = affine[:3, :3]
    return not affine[:3, 3].any() and np.array_equal(turn, np.diag(np.diag(turn)))


def _apart(header: Header, scan: Stored) -> float:
    """Return how far the boxes of two grids lie apart at most, in voxels of the scan."""
    low, high = _box(header.affine, header.shape, scan)
    return float(max(np.abs(low).max(), np.abs(high - np.array(scan.values.shape) + 1).max()))


def _as_large(header: Header, scan: Stored) -> tuple[str, ...]:
    """Return a sentence on a mask that was probably drawn on the scan, but lies elsewhere by its header."""
    apart = _apart(header, scan) if header.shape == scan.values.shape else 0.0
    if apart <= 1:
        return ()
    return (
        f"The mask has as many voxels as the scan but lies up to {apart:.0f} voxels off: if it was drawn on this scan, "
        "its header is wrong, and so is the place that is filled.",
    )


def _boxes_meet(affine: NDArray[np.float64], shape: tuple[int, ...], scan: Stored) -> bool:
    """Whether the mask's grid and the scan's may share space (bounding boxes along the scan's axes)."""
    low, high = _box(affine, shape, scan)
    return bool((high >= -0.5).all() and (low <= np.array(scan.values.shape) - 0.5).all())


def _box(
    affine: NDArray[np.float64], shape: tuple[int, ...], scan: Stored
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the largest voxel coordinates that a grid takes in the scan, (3,) each."""
    inverse = np.linalg.inv(scan.affine)
    points = corners(affine, shape) @ inverse[:3, :3].T + inverse[:3, 3]
    return points.min(axis=0), points.max(axis=0)


def _ml(data: NDArray[Any], affine: NDArray[np.float64]) -> float:
    return float(data.sum()) * abs(float(np.linalg.det(affine[:3, :3]))) / 1000.0


def _lost(before_ml: float, after_ml: float) -> tuple[str, ...]:
    if after_ml >= 0.9 * before_ml:
        return ()
    return (f"Only {after_ml:.2f} ml of the mask's {before_ml:.2f} ml remain on the scan's grid.",)


def _empty() -> UserError:
    return UserError("empty_mask", "The mask is empty.", DRAW)


def _elsewhere() -> UserError:
    return UserError(
        "mask_elsewhere",
        "The mask and the scan do not overlap in space.",
        "Use a mask made on this scan, or register it to the scan first.",
    )
