"""What one DICOM file states about its images: geometry, scaling and what distinguishes them, nothing else."""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import BytesLengthException, InvalidDicomError

IMAGES = "1.2.840.10008.5.1.4.1.1."
DIRECTORY, DAMAGED, WITHOUT_VOXELS = "directory", "damaged file", "header without an image"
WITHOUT_PLACE, UNUSUAL_TYPE = "image without its place in space", "image of an unusual voxel type"
MULTI_FRAME = "multi-frame image without the places of its frames"
COLOURS, PALETTE = "colour picture", "PALETTE"
MOSAIC, UNKNOWN_SYNTAX = "mosaic of many slices", "image in a compression that is not read"
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
# PS3.5 annex A; deflated files were inflated before
BIG_ENDIAN = "1.2.840.10008.1.2.2"
RAW = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", BIG_ENDIAN)
LOSSY = tuple(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 81, 91))
RUN_LENGTHS = "1.2.840.10008.1.2.5"
LOSSLESS = (RUN_LENGTHS, *(f"1.2.840.10008.1.2.4.{number}" for number in (57, 70, 80, 90)))
PIXEL_DATA, LUT = 0x7FE00010, 0x00283000
UNDEFINED = 0xFFFFFFFF
HELD_BYTES = 64 << 10  # longer values stay in the file
READS = 450_000  # an Enhanced file of 5000 images takes two thirds as many
# Philips: what turns stored into "precise" values (Chenevert et al. 2014, PMC3998685), in the sequence of Enhanced MR
PHILIPS_SCALE, PHILIPS_FRAME = 0x2005100E, 0x2005140F
# what may differ between images of one place in one series: title -> keyword, and the group that holds it in Enhanced
VARIANTS: dict[str, tuple[str, str]] = {
    "image type": ("ImageType", ""),
    "component": ("ComplexImageComponent", "MRImageFrameTypeSequence"),
    "stack": ("StackID", "FrameContentSequence"),
    "echo time": ("EchoTime", ""),
    "effective echo time": ("EffectiveEchoTime", "MREchoSequence"),
    "inversion time": ("InversionTime", ""),
    "flip angle": ("FlipAngle", "MRTimingAndRelatedParametersSequence"),
    "b-value": ("DiffusionBValue", "MRDiffusionSequence"),
    "temporal position": ("TemporalPositionIdentifier", ""),
    "point in time": ("TemporalPositionIndex", "FrameContentSequence"),
    "acquisition": ("AcquisitionNumber", ""),
    "acquisition time": ("AcquisitionTime", ""),
    "trigger time": ("TriggerTime", ""),
}
FRAME_TYPES = ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence")
# what pydicom raises over damaged files
DAMAGE = (
    *(OSError, EOFError, ValueError, TypeError, LookupError, ArithmeticError, AssertionError, AttributeError),
    *(RuntimeError, struct.error, zlib.error, BytesLengthException, InvalidDicomError),
)


@dataclass(frozen=True)
class Encoding:
    """How the voxels of a file are written.

    syntax: the transfer syntax; stored: dtype of a voxel, "u2", in native order; bits, high: how many bits count and
    which is the highest; start, length: of the pixel data element's value in the file, in bytes; photometric: how
    values are shown.
    """

    syntax: str
    stored: str
    bits: int
    high: int
    start: int
    length: int
    frames: int
    photometric: str
    word: bool

    @property
    def compressed(self) -> bool:
        """Whether the voxels have to be decoded."""
        return self.syntax not in RAW


@dataclass(frozen=True)
class Slice:
    """One image of a file; lengths in mm, directions in DICOM's LPS frame.

    index: which image of the file, from 0; size: columns, rows; spacing: between columns, between rows; origin: centre
    of the first voxel; rows, columns: unit vectors along which the column and the row index grow; thickness, apart:
    slice thickness and spacing between slices as stated, None without; tilt: of the gantry, in degrees; a value is
    ``stored * slope + intercept``; scaled: whether the file states a slope; variant: what may tell it from others at
    its place, in the order of ``VARIANTS``.
    """

    path: Path
    index: int
    series: str
    number: int
    description: str
    size: tuple[int, int]
    spacing: tuple[float, float]
    origin: tuple[float, ...]
    rows: tuple[float, ...]
    columns: tuple[float, ...]
    thickness: float | None
    apart: float | None
    tilt: float
    slope: float
    intercept: float
    scaled: bool
    encoding: Encoding
    lossy: bool
    variant: tuple[str, ...]

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector that completes rows and columns to a right-handed frame."""
        return np.cross(self.rows, self.columns)


@dataclass(frozen=True)
class Other:
    """A DICOM file that is no slice of a scan; ``kind`` names what it is, as in "structured report"."""

    kind: str


class _Bounded(io.FileIO):
    """A file from which READS pieces may be read: pydicom takes each element on its own, and zeros are elements too."""

    def __init__(self, path: Path, mode: str = "rb") -> None:
        super().__init__(path, mode)
        self._left = READS

    def read(self, size: int | None = -1) -> bytes:
        """Return the next piece; ValueError after so many."""
        self._left -= 1
        if self._left < 0:
            raise ValueError("too many elements")
        return super().read(-1 if size is None else size) or b""


def read_slices(path: Path) -> list[Slice] | Other:
    """Return the images that the DICOM file at ``path`` holds, or what it is instead; voxels are not read.

    ``path`` has a preamble and is not deflated: see ``core.files.dicom_plain``.
    """
    with warnings.catch_warnings():
        # pydicom warns of values that are against the standard; the ones needed are checked here
        warnings.simplefilter("ignore")
        try:
            with _Bounded(path) as file:
                header = dcmread(file, defer_size=HELD_BYTES, force=True)
            return _refused(header, path.stat().st_size) or _slices(path, header)
        except DAMAGE:
            return Other(DAMAGED)


def _refused(header: FileDataset, size: int) -> Other | None:
    """Return what the file is where it cannot hold slices of a scan that are read here."""
    holds = str(header.file_meta.get("MediaStorageSOPClassUID") or header.get("SOPClassUID") or "")
    known = [name for name in CLASSES if f"{holds}.".startswith(f"{name}.")]
    if known:
        return Other(CLASSES[max(known, key=len)])
    if not holds.startswith(IMAGES):
        return Other("object of a private or unknown kind")
    if _cut(header, size):
        return Other(DAMAGED)
    if PIXEL_DATA not in header:
        return Other(WITHOUT_VOXELS)
    if _syntax(header) not in (*RAW, *LOSSLESS, *LOSSY):
        return Other(UNKNOWN_SYNTAX)
    coloured = str(header.get("PhotometricInterpretation") or "").startswith(PALETTE)
    if coloured or int(header.get("SamplesPerPixel") or 1) != 1:
        return Other(COLOURS)
    if str(header.get("BurnedInAnnotation") or "").upper() == "YES":
        return Other("picture with burned-in text")
    if "MOSAIC" in _text(header.get("ImageType")).upper().split("\\"):
        return Other(MOSAIC)
    if header.get("BitsAllocated") not in (8, 16, 32) or LUT in header:
        return Other(UNUSUAL_TYPE)
    return None


def _cut(header: FileDataset, size: int) -> bool:
    """Whether an element states more bytes than the file has left."""
    items = (_raw(header, tag) for tag in header.keys())  # noqa: SIM118 - iteration would decode every element
    return any(item and item.length != UNDEFINED and item.value_tell + item.length > size for item in items)


def _raw(header: FileDataset, tag: int) -> RawDataElement | None:
    """Return an element as the file holds it, without reading its value; None where it is decoded already."""
    item: object = header.get_item(tag, keep_deferred=True)
    return item if isinstance(item, RawDataElement) else None


def _syntax(header: FileDataset) -> str:
    return str(header.file_meta.get("TransferSyntaxUID") or "")


def _slices(path: Path, header: FileDataset) -> list[Slice] | Other:
    encoding = _encoding(header)
    if encoding is None:
        return Other(DAMAGED)
    own = header.get("PerFrameFunctionalGroupsSequence") or [Dataset()] * min(encoding.frames, 1)
    shared = (header.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    if len(own) != encoding.frames:
        return Other(MULTI_FRAME)
    found = [_slice(path, index, encoding, _Groups(header, shared, frame)) for index, frame in enumerate(own)]
    slices = [one for one in found if one is not None]
    return slices if len(slices) == len(found) else Other(WITHOUT_PLACE)


def _encoding(header: FileDataset) -> Encoding | None:
    """Return how the voxels are written, None where there are fewer bytes than an image takes (PS3.5, A.4)."""
    item = _raw(header, PIXEL_DATA)
    if item is None:
        return None
    syntax, frames = _syntax(header), int(header.get("NumberOfFrames") or 1)
    allocated, bits = int(header.BitsAllocated), int(header.get("BitsStored") or header.BitsAllocated)
    stored = f"{'i' if header.get('PixelRepresentation') == 1 else 'u'}{allocated // 8}"
    high = int(bits - 1 if header.get("HighBit") is None else header.HighBit)
    expected = int(header.Rows) * int(header.Columns) * allocated // 8 * frames
    if min(expected, frames) < 1 or not 0 < bits <= high + 1 <= allocated:
        return None
    if syntax in RAW and not expected <= item.length < UNDEFINED:
        return None
    photometric = str(header.get("PhotometricInterpretation") or "MONOCHROME2")
    word = item.VR == "OW" or item.VR is None
    return Encoding(syntax, stored, bits, high, item.value_tell, item.length, frames, photometric, word)


class _Groups:
    """The elements of one frame: its own functional groups, then the shared ones, then the file's."""

    def __init__(self, header: Dataset, shared: Dataset, own: Dataset) -> None:
        self._header, self._levels = header, (own, shared)

    def value(self, keyword: str, group: str = "") -> Any:
        """Return an element's value, from ``group`` where that is there; None without one."""
        for level in self._levels:
            items = level.get(group) if group else None
            if items and items[0].get(keyword) is not None:
                return items[0].get(keyword)
        return self._header.get(keyword)

    def number(self, keyword: str, group: str = "") -> float | None:
        """Return the one finite number of an element, None where it holds anything else."""
        return _number(self.value(keyword, group))

    def numbers(self, keyword: str, group: str, count: int) -> tuple[float, ...] | None:
        """Return ``count`` finite numbers of an element, None where it holds anything else."""
        value = self.value(keyword, group)
        found = [_number(one) for one in value] if isinstance(value, Sequence) and not isinstance(value, str) else []
        return tuple(one for one in found if one is not None) if len(found) == count and None not in found else None

    def private(self, tag: int, group: int) -> float | None:
        """Return a private number of the frame or of the file."""
        sequences = [level[group].value for level in self._levels if group in level]
        # of a creator that pydicom does not know, a sequence stays bytes
        places = [items[0] for items in sequences if items and isinstance(items[0], Dataset)]
        for place in (*places, self._header):
            if tag in place:
                value = place[tag].value
                return _number(struct.unpack("<f", value)[0] if isinstance(value, bytes) else value)
        return None

    def frame_type(self) -> str:
        """Return the image type of the frame, else that of the file."""
        found = (self.value("FrameType", group) for group in FRAME_TYPES)
        return _text(next((one for one in found if one), None) or self._header.get("ImageType"))


def _slice(path: Path, index: int, encoding: Encoding, groups: _Groups) -> Slice | None:
    """Return one image, None where its place is not stated."""
    origin = groups.numbers("ImagePositionPatient", "PlanePositionSequence", 3)
    cosines = groups.numbers("ImageOrientationPatient", "PlaneOrientationSequence", 6)
    spacing = groups.numbers("PixelSpacing", "PixelMeasuresSequence", 2)
    if origin is None or cosines is None or spacing is None or min(spacing) <= 0:
        return None
    rows, columns = np.array(cosines[:3]), np.array(cosines[3:])
    if min(np.linalg.norm(rows), np.linalg.norm(columns), np.linalg.norm(np.cross(rows, columns))) < 0.1:
        return None
    slope, intercept, scaled = _scaling(groups)
    variant = tuple(_text(groups.value(keyword, group)) for keyword, group in VARIANTS.values())
    number = groups.number("InstanceNumber")
    value = groups.value
    return Slice(
        path=path,
        index=index,
        series=f"{value('SeriesInstanceUID') or ''} {value('SeriesNumber') or ''}",
        number=0 if number is None else int(number),
        description=_text(value("SeriesDescription")),
        size=(int(value("Columns")), int(value("Rows"))),
        spacing=(spacing[1], spacing[0]),
        origin=origin,
        rows=tuple((rows / np.linalg.norm(rows)).tolist()),
        columns=tuple((columns / np.linalg.norm(columns)).tolist()),
        thickness=groups.number("SliceThickness", "PixelMeasuresSequence"),
        apart=groups.number("SpacingBetweenSlices", "PixelMeasuresSequence"),
        tilt=groups.number("GantryDetectorTilt") or 0.0,
        slope=slope,
        intercept=intercept,
        scaled=scaled,
        encoding=encoding,
        lossy=encoding.syntax in LOSSY or value("LossyImageCompression") == "01",
        variant=(groups.frame_type(), *variant[1:]),
    )


def _scaling(groups: _Groups) -> tuple[float, float, bool]:
    """Return slope and intercept of stored values, and whether a slope is stated; of Philips the "precise" ones, as
    dcm2niix does."""
    stated = groups.number("RescaleSlope", "PixelValueTransformationSequence")
    slope = stated or 1.0
    intercept = groups.number("RescaleIntercept", "PixelValueTransformationSequence") or 0.0
    if "PHILIPS" in _text(groups.value("Manufacturer")).upper():
        scale = groups.private(PHILIPS_SCALE, PHILIPS_FRAME)
        if scale:
            # 32-bit as NIfTI-1 holds them, and as dcm2niix writes them
            return float(np.float32(1 / scale)), float(np.float32(intercept / (slope * scale))), True
    return slope, intercept, stated is not None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _text(value: Any) -> str:
    """Return a value without its padding, several joined by backslashes."""
    if value is None:
        return ""
    several = isinstance(value, Sequence) and not isinstance(value, str)
    return ("\\".join(map(str, value)) if several else str(value)).strip(" \0")
