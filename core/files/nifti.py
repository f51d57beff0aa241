"""Scans on disk: read untrusted NIfTI files within bounds, write clean ones, and keep the stored voxels exact."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.nifti_header import MAX_VOXELS, RESAVE, Header
from core.files.nifti_writer import write_nifti
from core.files.voxel_stream import MAX_BYTES, Source, open_source, pieces
from core.result import Note, notes
from core.volume import Orientation, Volume, corners, orientation_of, ras_affine, slanted_axis, spacing

PathLike = str | os.PathLike[str]

HELD_BYTES = 32 << 20
SCAN_FREE_BYTES = 64 << 20
OWN_BYTES = 8 * MAX_VOXELS + (1 << 20)  # what any scan takes that this program writes
MAX_VALUE = 2.0**64  # holds every integer type; its square still fits a float32


@dataclass(frozen=True, eq=False)
class Stored:
    """A scan exactly as its file holds it.

    values: (I, J, K) in file order and the file's own type, native byte order; affine: (4, 4) float64 of that grid,
    voxel index -> mm; a voxel's intensity is ``values * slope + intercept``. thickness: of the slices along K in mm,
    None where it is not known; other: a second (4, 4) affine by which the file's header places it elsewhere.
    """

    values: NDArray[Any]
    affine: NDArray[np.float64]
    slope: float = 1.0
    intercept: float = 0.0
    thickness: float | None = None
    other: NDArray[np.float64] | None = None

    @property
    def notes(self) -> tuple[Note, ...]:
        """What a user should know of the place of the scan."""
        return _place_notes(self.affine, self.other, self.values.shape)

    @property
    def slices(self) -> tuple[int, float] | None:
        """The axis X, Y, Z (0, 1, 2) along which slices follow each other and how thick they are in mm, if known."""
        return None if self.thickness is None else (self.orientation.axes.index(2), self.thickness)

    @property
    def orientation(self) -> Orientation:
        """How the file's axes become RAS+."""
        return orientation_of(self.affine)

    @property
    def ras_shape(self) -> tuple[int, int, int]:
        """Number of voxels along X, Y, Z of the RAS+ view."""
        x, y, z = (self.values.shape[axis] for axis in self.orientation.axes)
        return x, y, z

    @property
    def ras_affine(self) -> NDArray[np.float64]:
        """The (4, 4) affine of the RAS+ view."""
        return ras_affine(self.affine, self.values.shape)

    def to_volume(self) -> Volume:
        """Return the intensities as float32 in RAS+."""
        data = np.empty(self.ras_shape, np.float32)
        in_file_order = self.orientation.from_ras(data)
        for k in range(self.values.shape[2]):
            plane = self.values[:, :, k]
            if (self.slope, self.intercept) != (1.0, 0.0):
                plane = plane * np.float64(self.slope) + np.float64(self.intercept)
            in_file_order[:, :, k] = plane
        return Volume(data, self.ras_affine)

    def replace(self, mask_ras: NDArray[np.bool_], values_ras: NDArray[np.float32]) -> Stored:
        """Return a copy with the intensities ``values_ras`` where ``mask_ras`` is True, both (X, Y, Z) in RAS+.

        Inside, the nearest value that type and scaling can hold; outside, the stored voxels bit for bit.
        """
        inside = self.orientation.from_ras(mask_ras)
        wanted = self.orientation.from_ras(values_ras)[inside].astype(np.float64)
        values = self.values.copy(order="K")
        values[inside] = _quantised((wanted - self.intercept) / self.slope, values.dtype)
        return replace(self, values=values)

    def like(self, data_ras: NDArray[Any]) -> Stored:
        """Return another map (X, Y, Z) in RAS+ on this file's grid: a bool map as uint8, any other as float32."""
        dtype = np.uint8 if data_ras.dtype == np.bool_ else np.float32
        values = np.asfortranarray(self.orientation.from_ras(data_ras).astype(dtype))
        return Stored(values, self.affine, other=self.other)


def read_stored(path: PathLike, *, max_bytes: int = MAX_BYTES) -> Stored:
    """Return the scan at ``path``; ``UserError`` for a file that is not one sound 3D scan.

    Nothing in the file is trusted: at most 64 MB over the file's size are held before it is known to be sound.
    """
    source = open_source(Path(path), max_bytes=max_bytes, free_bytes=SCAN_FREE_BYTES)
    if source.header.nbytes > HELD_BYTES:
        _check_range(*_collect(source, None), source.header)
    stored, ends = _read(source)
    _check_range(*ends, source.header)
    return stored


def read_own(path: PathLike) -> Stored:
    """Return a volume that this program wrote, or that its user vouches for: it may hold one value, and pack as tightly
    as it does. ``UserError`` for a file that is not one whole 3D volume."""
    return _read(open_source(Path(path), max_bytes=OWN_BYTES, free_bytes=OWN_BYTES))[0]


def read_volume(path: PathLike, *, max_bytes: int = MAX_BYTES) -> Volume:
    """Return the NIfTI scan at ``path`` as float32 in RAS+; ``UserError`` as ``read_stored``."""
    return read_stored(path, max_bytes=max_bytes).to_volume()


def write_stored(path: PathLike, stored: Stored, description: str = "") -> None:
    """Write ``stored`` in its own type and scaling to ``path`` (.nii or .nii.gz): fresh header, all at once."""
    if stored.thickness is not None:
        description = "; ".join(filter(None, (description, f"slice thickness {stored.thickness:.6g} mm")))
    path = Path(path)
    write_nifti(path, stored.values, stored.affine, stored.slope, stored.intercept, description, other=stored.other)


def write_volume(path: PathLike, volume: Volume, description: str = "") -> None:
    """Write ``volume`` as float32 in RAS+ order to ``path`` (.nii or .nii.gz)."""
    write_nifti(Path(path), volume.data.astype(np.float32, copy=False), volume.affine, 1.0, 0.0, description)


def place_notes(path: Path, title: str) -> tuple[Note, ...]:
    """Return what a user should know of the place of the scan at ``path``, each note begun by ``title``; its header
    alone is read. ``UserError`` as ``read_stored``."""
    header = open_source(path, max_bytes=MAX_BYTES, free_bytes=MAX_BYTES).header
    found = _place_notes(header.affine, header.other, header.shape)
    return tuple(replace(note, text=f"{title}: {note.text}") for note in found)


def _place_notes(
    affine: NDArray[np.float64], other: NDArray[np.float64] | None, shape: tuple[int, ...]
) -> tuple[Note, ...]:
    return notes("warning", filter(None, (_two_places(affine, other, shape), _slanted(affine))))


def _two_places(affine: NDArray[np.float64], other: NDArray[np.float64] | None, shape: tuple[int, ...]) -> str:
    """Return a sentence about a sform and a qform that disagree, "" where they agree."""
    if other is None:
        return ""
    apart = float(np.linalg.norm(corners(other, shape) - corners(affine, shape), axis=1).max())
    mirrored = np.linalg.det(other[:3, :3]) * np.linalg.det(affine[:3, :3]) < 0
    how = "one mirrors the other" if mirrored else f"they lie up to {apart:.3g} mm apart"
    return f"The header places the scan twice, by its sform and by its qform, and {how}; the sform was used."


def _slanted(affine: NDArray[np.float64]) -> str:
    """Return a sentence about an axis that is not perpendicular to the others, "" without one."""
    axis = slanted_axis(affine)
    if axis is None:
        return ""
    apart, along = spacing(affine)[axis], float(np.linalg.norm(affine[:3, axis]))
    return (
        f"The grid is sheared, as after a tilted gantry: its slices lie {apart:.3g} mm apart, "
        f"{along:.3g} mm along the slanted axis."
    )


def _read(source: Source) -> tuple[Stored, tuple[float, float]]:
    """Return the voxels of ``source``, and the least and the largest as they are stored."""
    header = source.header
    values = np.empty(header.shape, header.dtype.newbyteorder("="), order="F")
    ends = _collect(source, values.reshape(-1, order="F"))
    return Stored(values, header.affine, header.slope, header.intercept, header.thickness, header.other), ends


def _collect(source: Source, into: NDArray[Any] | None) -> tuple[float, float]:
    """Read every voxel, keep them in ``into`` (flat, file order) where it is given, and return the least and the
    largest; ``UserError`` where one is no number."""
    low, high, start = np.inf, -np.inf, 0
    for piece in pieces(source):
        with np.errstate(invalid="ignore"):
            least, most = float(piece.min()), float(piece.max())
        if not np.isfinite((least, most)).all():
            raise UserError(
                "nan_voxels",
                "Some voxels are not numbers (NaN or infinite).",
                "Replace them by 0, for example with fslmaths scan -nan clean.",
            )
        low, high = min(low, least), max(high, most)
        if into is not None:
            into[start : start + piece.size] = piece
        start += piece.size
    return low, high


def _check_range(low: float, high: float, header: Header) -> None:
    ends = low * header.slope + header.intercept, high * header.slope + header.intercept
    if max(map(abs, ends)) > MAX_VALUE:
        raise UserError("values_too_large", "The voxels have absurdly large values.", RESAVE)
    if np.float32(ends[0]) == np.float32(ends[1]):
        raise UserError("constant_image", "All voxels have the same value.", "Choose the scan itself; this is empty.")


def _quantised(wanted: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the values of ``dtype`` nearest to ``wanted``, at its ends where they lie beyond."""
    if not np.isfinite(wanted).all():
        raise ValueError("values to store must be finite")
    if dtype.kind == "f":
        limits = np.finfo(dtype)
        return np.clip(wanted, float(limits.min), float(limits.max)).astype(dtype)
    ends = np.iinfo(dtype)
    # The largest 64-bit integers round up to 2**63 or 2**64 as floats, which would wrap around.
    top = float(ends.max) if int(float(ends.max)) <= ends.max else float(np.nextafter(float(ends.max), 0.0))
    return np.clip(np.rint(wanted), float(ends.min), top).astype(dtype)
