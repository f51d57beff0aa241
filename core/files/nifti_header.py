"""Check a NIfTI-1 or NIfTI-2 header field by field, before a single voxel is read."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.signatures import kind_name
from core.volume import corners

NIFTI1 = np.dtype([
    ("sizeof_hdr", "i4"), ("data_type", "S10"), ("db_name", "S18"), ("extents", "i4"), ("session_error", "i2"),
    ("regular", "S1"), ("dim_info", "u1"), ("dim", "i2", (8,)), ("intent_p", "f4", (3,)), ("intent_code", "i2"),
    ("datatype", "i2"), ("bitpix", "i2"), ("slice_start", "i2"), ("pixdim", "f4", (8,)), ("vox_offset", "f4"),
    ("scl_slope", "f4"), ("scl_inter", "f4"), ("slice_end", "i2"), ("slice_code", "u1"), ("xyzt_units", "u1"),
    ("cal_max", "f4"), ("cal_min", "f4"), ("slice_duration", "f4"), ("toffset", "f4"), ("glmax", "i4"),
    ("glmin", "i4"), ("descrip", "S80"), ("aux_file", "S24"), ("qform_code", "i2"), ("sform_code", "i2"),
    ("quatern", "f4", (3,)), ("qoffset", "f4", (3,)), ("srow", "f4", (3, 4)), ("intent_name", "S16"),
    ("magic", "S4"),
])  # fmt: skip
NIFTI2 = np.dtype([
    ("sizeof_hdr", "i4"), ("magic", "S8"), ("datatype", "i2"), ("bitpix", "i2"), ("dim", "i8", (8,)),
    ("intent_p", "f8", (3,)), ("pixdim", "f8", (8,)), ("vox_offset", "i8"), ("scl_slope", "f8"),
    ("scl_inter", "f8"), ("cal_max", "f8"), ("cal_min", "f8"), ("slice_duration", "f8"), ("toffset", "f8"),
    ("slice_start", "i8"), ("slice_end", "i8"), ("descrip", "S80"), ("aux_file", "S24"), ("qform_code", "i4"),
    ("sform_code", "i4"), ("quatern", "f8", (3,)), ("qoffset", "f8", (3,)), ("srow", "f8", (3, 4)),
    ("slice_code", "i4"), ("xyzt_units", "i4"), ("intent_code", "i4"), ("intent_name", "S16"), ("dim_info", "u1"),
    ("unused", "S15"),
])  # fmt: skip
HEADER_BYTES = NIFTI2.itemsize
ByteOrder = Literal["<", ">"]
BYTE_ORDERS: tuple[ByteOrder, ByteOrder] = ("<", ">")

TYPES = {2: "u1", 256: "i1", 4: "i2", 512: "u2", 8: "i4", 768: "u4", 1024: "i8", 1280: "u8", 16: "f4", 64: "f8"}
COLOUR = {128: "RGB24", 2304: "RGBA32"}
COMPLEX = {32: "complex64", 1792: "complex128", 2048: "complex256"}
OTHER = {1: "one bit per voxel", 1536: "128-bit float"}

MIN_SIDE, MAX_SIDE, MAX_VOXELS = 8, 1024, 512**3
MIN_MM, MAX_MM, MAX_SHIFT_MM = 0.05, 20.0, 1e5
MAX_OFFSET = 1 << 20
MIN_SLOPE, MAX_SLOPE = 1e-12, 1e12
MIN_SKEW = 1e-2
# sform and qform that place a corner further apart than this are two places
DISAGREE_MM = 0.5
# codes of xyzt_units (nifti1.h): how many mm the unit has; any other is taken for mm
UNITS_MM = {1: 1000.0, 3: 0.001}
# as fresh headers state it in their description
THICKNESS = re.compile(rb"slice thickness (\d{1,2}(?:\.\d{1,4})?) mm")

RESAVE = "Export the scan again as one NIfTI file (.nii or .nii.gz), for example with dcm2niix, FSL or 3D Slicer."
REPAIR = "Save the scan again with the program that made it, or set its geometry there first."


@dataclass(frozen=True, eq=False)
class Header:
    """What the voxels of a checked file mean.

    shape: (I, J, K); dtype: the file's type with the file's byte order; affine: (4, 4) float64, voxel -> mm;
    value = stored * slope + intercept; ``offset``: bytes before the first voxel. other: the (4, 4) affine of the qform
    where that disagrees with the sform, which is ``affine``, by more than ``DISAGREE_MM``; thickness: of slices along
    the third axis in mm, None where it is not stated.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    affine: NDArray[np.float64]
    slope: float
    intercept: float
    offset: int
    other: NDArray[np.float64] | None = None
    thickness: float | None = None

    @property
    def nbytes(self) -> int:
        """Bytes that the voxels take."""
        return math.prod(self.shape) * self.dtype.itemsize


def parse_header(head: bytes) -> Header:
    """Return the meaning of the first ``HEADER_BYTES`` of a file; ``UserError`` for anything not understood."""
    fields, order = _fields(head)
    shape = check_shape([int(n) for n in fields["dim"]])
    dtype = _dtype(int(fields["datatype"]), int(fields["bitpix"]), order)
    # Hostile numbers overflow on the way to being refused; that is no news to anyone.
    with np.errstate(all="ignore"):
        offset = _offset(float(fields["vox_offset"]), fields.dtype.itemsize + 4)
        slope, intercept = _scaling(float(fields["scl_slope"]), float(fields["scl_inter"]))
        affine, other = _affines(fields)
        if other is not None and np.abs(corners(other, shape) - corners(affine, shape)).max() <= DISAGREE_MM:
            other = None
    return Header(shape, dtype, affine, slope, intercept, offset, other, _thickness(bytes(fields["descrip"])))


def _fields(head: bytes) -> tuple[np.void, ByteOrder]:
    """Return the header as one structured record, and its byte order."""
    if head[344:348] in (b"n+1\0", b"ni1\0"):
        layout, pair = NIFTI1, head[344:346] == b"ni"
    elif head[4:8] in (b"n+2\0", b"ni2\0"):
        layout, pair = NIFTI2, head[4:6] == b"ni"
    else:
        raise UserError("not_nifti", f"This is {kind_name(head)}, not a NIfTI scan.", RESAVE)
    if pair:
        raise UserError(
            "nifti_pair",
            "This is one half of a NIfTI pair (.hdr and .img).",
            "Convert the pair to a single .nii file, for example with fslchfiletype NIFTI_GZ.",
        )
    if len(head) < layout.itemsize:
        raise UserError("header_truncated", "The file ends inside its header.", "Copy or download the file again.")
    for order in BYTE_ORDERS:
        record: np.void = np.frombuffer(head, layout.newbyteorder(order), 1)[0]
        if int(record["sizeof_hdr"]) == layout.itemsize:
            return record, order
    raise UserError("bad_header", "The header does not state its own size correctly.", RESAVE)


def check_shape(dim: list[int]) -> tuple[int, int, int]:
    """Return the (I, J, K) that NIfTI's ``dim`` states: the number of axes, then the voxels along each.

    ``UserError`` for anything that is not one 3D scan of a size that can be worked on.
    """
    count = dim[0]
    if count in (1, 2):
        raise _single_slice()
    if not 3 <= count <= 5 or min(dim[1 : count + 1]) < 1:
        raise UserError("bad_dimensions", "The header states an impossible number of voxels.", RESAVE)
    if any(n != 1 for n in dim[4 : count + 1]):
        raise UserError(
            "volume_4d",
            f"This is a series of volumes ({' x '.join(map(str, dim[1 : count + 1]))}), not one 3D scan.",
            "Save one volume of the series, for example with fslroi or 3D Slicer.",
        )
    shape = (dim[1], dim[2], dim[3])
    size = " x ".join(map(str, shape))
    if min(shape) == 1:
        raise _single_slice()
    if min(shape) < MIN_SIDE:
        raise UserError(
            "too_small",
            f"The scan has {size} voxels; at least {MIN_SIDE} are needed along each side.",
            "Use a scan that covers the head in three dimensions.",
        )
    if max(shape) > MAX_SIDE or math.prod(shape) > MAX_VOXELS:
        raise UserError(
            "too_many_voxels",
            f"The scan has {size} voxels; the limit is {MAX_SIDE} along a side and 512 x 512 x 512 in all.",
            "Crop the scan to the head or resample it to a larger voxel size.",
        )
    return shape


def _single_slice() -> UserError:
    return UserError("single_slice", "This is a single slice, not a 3D scan.", "Save all slices as one 3D volume.")


def _dtype(code: int, bits: int, order: ByteOrder) -> np.dtype[Any]:
    if code in COLOUR:
        raise UserError(
            "colour_image",
            f"This is a colour image ({COLOUR[code]}); a scan has one grey value in each voxel.",
            "Save the grey-scale scan itself, not a screenshot or an overlay.",
        )
    if code in COMPLEX:
        raise UserError(
            "complex_image", f"The voxels are complex numbers ({COMPLEX[code]}).", "Save the magnitude image."
        )
    if code not in TYPES:
        name = OTHER.get(code, f"type code {code}")
        raise UserError(
            "unsupported_type", f"The voxels have an unsupported type ({name}).", "Save as 16-bit or 32-bit float."
        )
    dtype = np.dtype(TYPES[code]).newbyteorder(order)
    if bits != dtype.itemsize * 8:
        raise UserError("bad_bitpix", f"The header states {bits} bits for a voxel of type {dtype.name}.", RESAVE)
    return dtype


def _offset(offset: float, least: int) -> int:
    if not (math.isfinite(offset) and offset == int(offset) and least <= offset <= MAX_OFFSET):
        raise UserError("bad_offset", "The header puts the voxels at an impossible place in the file.", RESAVE)
    return int(offset)


def _scaling(slope: float, intercept: float) -> tuple[float, float]:
    if math.isnan(slope) or slope == 0:
        return 1.0, 0.0
    if not (MIN_SLOPE <= abs(slope) <= MAX_SLOPE and abs(intercept) <= MAX_SLOPE):
        raise UserError("bad_scaling", "The header scales the voxels by an impossible factor.", RESAVE)
    return slope, intercept


def _affines(fields: np.void) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return the sform where it is set and usable, else the qform; and the qform where both are usable, all in mm."""
    unit, with_sform, with_qform = _unit_mm(fields), int(fields["sform_code"]) > 0, int(fields["qform_code"]) > 0
    if not with_sform and not with_qform:
        raise no_orientation()
    affine = _in_mm(fields["srow"], unit)
    if with_sform and _usable(affine):
        # sizes and qfac belong to the qform; several programs leave them empty or negative beside a sform
        qform = _qform(fields, unit) if with_qform and _fault_of_sizes(fields, unit) is None else None
        return _sized(affine), qform
    fault = _fault_of_sizes(fields, unit)
    if fault is not None:
        raise fault
    qform = _qform(fields, unit) if with_qform else None
    if qform is None:
        raise _bad_affine()
    return qform, None


def _unit_mm(fields: np.void) -> float:
    """Return how many mm the unit of the header has. Metres beside sizes that only mm can be are not meant."""
    unit = UNITS_MM.get(int(fields["xyzt_units"]) & 7, 1.0)
    sizes = np.linalg.norm(fields["srow"][:, :3], axis=0) if int(fields["sform_code"]) > 0 else fields["pixdim"][1:4]
    return 1.0 if unit > 1 and float(np.abs(sizes).max()) >= MIN_MM else unit


def _fault_of_sizes(fields: np.void, unit: float) -> UserError | None:
    """Return what is wrong with the voxel sizes of the header or with its qfac, None where nothing is."""
    sizes = fields["pixdim"][1:4].astype(np.float64) * unit
    if not np.all((sizes >= MIN_MM) & (sizes <= MAX_MM)):
        return _bad_size(sizes)
    if fields["pixdim"][0] not in (-1.0, 0.0, 1.0):
        return UserError("bad_qfac", "The header does not state which way the third axis runs.", REPAIR)
    return None


def _in_mm(rows: NDArray[Any], unit: float) -> NDArray[np.float64]:
    """Return rows of a header (3, 4), in units of ``unit`` mm, as a (4, 4) affine."""
    affine = np.eye(4)
    affine[:3] = rows.astype(np.float64) * unit
    return affine


def _qform(fields: np.void, unit: float) -> NDArray[np.float64] | None:
    """Return the affine of the quaternion in mm, None where that is none."""
    quaternion = fields["quatern"].astype(np.float64)
    if not float((quaternion**2).sum()) <= 1 + 1e-6:
        return None
    affine = _from_quaternion(quaternion, fields["pixdim"].astype(np.float64), fields["qoffset"])
    affine[:3] *= unit
    return affine if _usable(affine) else None


def _thickness(description: bytes) -> float | None:
    found = THICKNESS.search(description)
    thickness = float(found[1]) if found else 0.0
    return thickness if thickness > 0 else None


def check_affine(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (4, 4) ``affine``; ``UserError`` where it is singular, extreme or of impossible voxel size."""
    with np.errstate(all="ignore"):
        if not _usable(affine):
            raise _bad_affine()
        return _sized(affine)


def _usable(affine: NDArray[np.float64]) -> bool:
    """Whether the (4, 4) affine is finite and its axes are clearly apart."""
    if not np.isfinite(affine).all() or np.abs(affine).max() > MAX_SHIFT_MM:
        return False
    volume = float(np.prod(np.sqrt((affine[:3, :3] ** 2).sum(axis=0))))
    return volume > 0 and abs(float(np.linalg.det(affine[:3, :3]))) > MIN_SKEW * volume


def no_orientation() -> UserError:
    """Return the refusal of a scan whose left and right are unknown."""
    return UserError("no_orientation", "The header does not state how the scan lies in the head.", REPAIR)


def _bad_affine() -> UserError:
    return UserError("bad_affine", "The header places the scan in space in an impossible way.", REPAIR)


def _sized(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    sizes = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    if sizes.min() < MIN_MM or sizes.max() > MAX_MM:
        raise _bad_size(sizes)
    return affine


def _bad_size(sizes: NDArray[np.float64]) -> UserError:
    text = " x ".join(f"{size:.3g}" for size in sizes)
    return UserError(
        "bad_voxel_size",
        f"The header states voxels of {text} mm; {MIN_MM:g} to {MAX_MM:g} mm are accepted.",
        REPAIR,
    )


def _from_quaternion(
    bcd: NDArray[np.float64], pixdim: NDArray[np.float64], shift: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Return the affine of NIfTI's method 2 (nifti1.h): rotation by (a, b, c, d), third axis times qfac."""
    b, c, d = (float(part) for part in bcd)
    rest = 1.0 - (b * b + c * c + d * d)
    # Below this (nifti1_io.c) it is 32-bit rounding of a half turn, which would tilt the scan by up to 0.02 degrees.
    a = math.sqrt(rest) if rest > 1e-7 else 0.0
    a, b, c, d = (part / math.sqrt(a * a + b * b + c * c + d * d) for part in (a, b, c, d))
    affine = np.eye(4)
    affine[:3, :3] = [
        [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ]
    affine[:3, :3] *= pixdim[1:4] * (1.0, 1.0, pixdim[0] or 1.0)
    affine[:3, 3] = shift
    return affine
