"""What one DICOM file says about its image: geometry, scaling and what tells it from its neighbours, nothing else."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import SimpleITK

META_BYTES = 64 << 10
IMAGES = "1.2.840.10008.5.1.4.1.1."
DIRECTORY, DAMAGED = "directory", "damaged file"
MULTI_FRAME = "multi-frame image"
# PS3.6 annex A: what a file of this class, or of a class below it, holds; the longest match counts
CLASSES = {
    "1.2.840.10008.1.3.10": DIRECTORY,
    f"{IMAGES}88": "structured report",
    f"{IMAGES}11": "presentation state",
    f"{IMAGES}9": "waveform",
    f"{IMAGES}66": "raw data object",
    f"{IMAGES}66.4": "segmentation",
    f"{IMAGES}104": "document",
    f"{IMAGES}481.2": "radiotherapy dose",
    f"{IMAGES}481": "radiotherapy object",
    f"{IMAGES}7": "screenshot",
}
# PS3.5 annex A. Deflated files are left out: a small one unpacks to any size. So is big endian, which is retired.
RAW = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")
LOSSY = tuple(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 81, 91))
LOSSLESS = ("1.2.840.10008.1.2.5", *(f"1.2.840.10008.1.2.4.{number}" for number in (57, 70, 80, 90)))
PIXEL_DATA = b"\xe0\x7f\x10\0"
# what may differ between images of one place in one series
VARIANTS = {
    "echo times": "0018|0081",
    "inversion times": "0018|0082",
    "flip angles": "0018|1314",
    "trigger times": "0018|1060",
    "b-values": "0018|9087",
    "temporal positions": "0020|0100",
    "acquisitions": "0020|0012",
    "image types": "0008|0008",
}
ROUND = 3


@dataclass(frozen=True)
class Slice:
    """The image of one file; lengths in mm, directions in DICOM's LPS frame.

    size: columns, rows; spacing: between columns, between rows; origin: centre of the first voxel; rows and columns:
    unit vectors along which the column and the row index grow; a value is ``stored * slope + intercept``.
    """

    path: Path
    series: str
    instance: str
    description: str
    size: tuple[int, int]
    spacing: tuple[float, float]
    origin: tuple[float, ...]
    rows: tuple[float, ...]
    columns: tuple[float, ...]
    thickness: float | None
    slope: float
    intercept: float
    stored: str
    compressed: bool
    lossy: bool
    variant: tuple[str, ...]

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector that completes rows and columns to a right-handed frame."""
        return np.cross(self.rows, self.columns)

    @property
    def stack(self) -> tuple[object, ...]:
        """What all slices of one volume share."""
        angles = tuple(round(part, ROUND) + 0.0 for part in (*self.rows, *self.columns))
        return self.series, self.size, tuple(round(side, ROUND) for side in self.spacing), angles


@dataclass(frozen=True)
class Other:
    """A DICOM file that is no slice of a scan; ``kind`` says what it is, as in "structured report"."""

    kind: str


def read_slice(path: Path) -> Slice | Other:
    """Return what the DICOM file at ``path`` says about its image; its voxels are not kept."""
    meta = _meta(path)
    holds, syntax = meta.get((2, 2), ""), meta.get((2, 0x10), "")
    known = [name for name in CLASSES if f"{holds}.".startswith(f"{name}.")]
    if known:
        return Other(CLASSES[max(known, key=len)])
    if not holds.startswith(IMAGES):
        return Other("object of a private or unknown kind")
    if syntax not in (*RAW, *LOSSLESS, *LOSSY):
        return Other("image in a compression that is not read")
    reader = _reader(path)
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return Other(DAMAGED)
    tags = _Tags(reader)
    return _refused(reader, tags) or _slice(path, reader, tags, syntax)


def read_plane(one: Slice) -> tuple[NDArray[Any], NDArray[np.integer[Any]] | None]:
    """Return the scaled voxels of ``one`` (columns, rows), and the stored integers where they follow from those.

    ``RuntimeError`` when the file is damaged.
    """
    import SimpleITK as sitk

    if not one.compressed and not _has_voxels(one):
        raise RuntimeError("fewer voxels than rows times columns")
    scaled: NDArray[Any] = sitk.GetArrayFromImage(_reader(one.path).Execute())[0].T
    dtype = np.dtype(one.stored)
    if scaled.dtype == dtype and (one.slope, one.intercept) == (1.0, 0.0):
        return scaled, scaled
    # ITK scales in 64-bit floats or whole numbers, so rounding gives back every integer of up to 32 bits
    stored = np.rint((scaled - np.float64(one.intercept)) / one.slope)
    limits = np.iinfo(dtype)
    exact = float(np.abs(stored * one.slope + one.intercept - scaled).max()) <= 1e-6 * max(1.0, abs(one.slope))
    if not exact or stored.min() < limits.min or stored.max() > limits.max:
        return scaled, None
    return scaled, stored.astype(dtype)


def _has_voxels(one: Slice) -> bool:
    """Whether the pixel data element holds an image of this size: GDCM makes up what is missing (PS3.5, A.4)."""
    raw = one.path.read_bytes()
    expected = one.size[0] * one.size[1] * np.dtype(one.stored).itemsize
    at = -1
    while (at := raw.find(PIXEL_DATA, at + 1)) >= 0 and at + 12 <= len(raw):
        explicit = raw[at + 4 : at + 6] in (b"OW", b"OB")
        (length,) = struct.unpack_from("<I", raw, at + (8 if explicit else 4))
        if expected <= length <= len(raw) - at:
            return True
    return False


class _Tags:
    """The elements of a file by their "gggg|eeee"."""

    def __init__(self, reader: SimpleITK.ImageFileReader) -> None:
        self._reader = reader

    def text(self, tag: str, default: str = "") -> str:
        """Return an element without its padding."""
        return self._reader.GetMetaData(tag).strip(" \0") if self._reader.HasMetaDataKey(tag) else default

    def number(self, tag: str) -> float | None:
        """Return the one finite number of an element, None where it holds anything else."""
        try:
            value = float(self.text(tag))
        except ValueError:
            return None
        return value if np.isfinite(value) else None


def _refused(reader: SimpleITK.ImageFileReader, tags: _Tags) -> Other | None:
    """Return what the image is where it cannot be a slice of a scan."""
    if int(tags.number("0028|0008") or 1) > 1 or reader.GetSize()[2:] not in ((), (1,)):
        return Other(MULTI_FRAME)
    if tags.number("0028|0002") not in (None, 1.0) or reader.GetNumberOfComponents() != 1:
        return Other("colour picture")
    if tags.text("0028|0301").upper() == "YES":
        return Other("picture with burned-in text")
    kinds = tags.text("0008|0008").upper().split("\\")
    if "MOSAIC" in kinds:
        return Other("mosaic of many slices")
    if not all(tags.text(tag) for tag in ("0020|0032", "0020|0037", "0028|0030", "0020|000e")):
        return Other("image without its place in space")
    if tags.text("0028|0100") not in ("8", "16", "32"):
        return Other("image of an unusual voxel type")
    return None


def _slice(path: Path, reader: SimpleITK.ImageFileReader, tags: _Tags, syntax: str) -> Slice | Other:
    direction = reader.GetDirection()
    numbers = (*reader.GetOrigin(), *reader.GetSpacing(), *direction)
    slope, intercept = tags.number("0028|1053"), tags.number("0028|1052")
    if not np.isfinite(numbers).all():
        return Other("image without its place in space")
    signed = "i" if tags.text("0028|0103") == "1" else "u"
    size, spacing = reader.GetSize(), reader.GetSpacing()
    return Slice(
        path=path,
        series=tags.text("0020|000e"),
        instance=tags.text("0008|0018"),
        description=tags.text("0008|103e"),
        size=(size[0], size[1]),
        spacing=(spacing[0], spacing[1]),
        origin=tuple(reader.GetOrigin()),
        rows=tuple(direction[0::3]),
        columns=tuple(direction[1::3]),
        thickness=tags.number("0018|0050"),
        slope=slope or 1.0,
        intercept=intercept or 0.0,
        stored=f"{signed}{int(tags.text('0028|0100')) // 8}",
        compressed=syntax not in RAW,
        lossy=syntax in LOSSY or tags.text("0028|2110") == "01",
        variant=tuple(tags.text(tag) for tag in VARIANTS.values()),
    )


def _reader(path: Path) -> SimpleITK.ImageFileReader:
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    return reader


def _meta(path: Path) -> dict[tuple[int, int], str]:
    """Return the elements of group 2, which says what the rest is (PS3.10, 7.1)."""
    with path.open("rb") as file:
        return dict(_elements(file.read(META_BYTES)))


def _elements(head: bytes) -> Iterator[tuple[tuple[int, int], str]]:
    """Yield tag and text of the explicit little endian elements after the preamble, as long as they are of group 2."""
    at = 132
    while at + 12 <= len(head):
        group, element, kind, length = struct.unpack_from("<HH2sH", head, at)
        if group != 2:
            return
        at += 8
        if kind in (b"OB", b"OW", b"SQ", b"UN", b"UT"):
            (length,) = struct.unpack_from("<I", head, at)
            at += 4
        yield (group, element), head[at : at + length].decode("latin-1").strip(" \0")
        at += length
