"""Write NIfTI files with a header made from nothing but the geometry and scaling of the scan."""

from __future__ import annotations

import os
import secrets
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.nibabel_alone import nibabel as nib
from core.files.nifti_header import DISAGREE_MM
from core.volume import corners

# window bits that make zlib write gzip
GZIP = 31
# level and strategy of zlib, with what a byte of each counts: the first is three times as fast
PACKINGS = {(6, zlib.Z_RLE): 1.0, (4, zlib.Z_DEFAULT_STRATEGY): 1.1}
ALIGNED = 2
EXACT_MM = 1e-4
# part of a step between stored values by which the rounding of slope and intercept may move a value
EXACT_STEP = 1e-2
NO_EXTENSIONS = bytes(4)


def write_nifti(
    path: Path,
    values: NDArray[Any],
    affine: NDArray[np.float64],
    slope: float,
    intercept: float,
    description: str,
    *,
    other: NDArray[np.float64] | None = None,
) -> None:
    """Write ``values`` (I, J, K) to ``path`` (.nii or .nii.gz): the same arguments give the same bytes.

    affine: (4, 4), voxel -> mm RAS+, the sform; other: the qform where it is another place, as in the file read.
    The file appears under its name only when it is complete and on disk. ``ValueError`` for another suffix or
    type, ``UserError`` when the place cannot be written.
    """
    if not path.name.endswith((".nii", ".nii.gz")):
        raise ValueError(f"not a NIfTI name: {path.name}")
    header = fresh_header(values.shape, values.dtype, affine, slope, intercept, description, other)
    with replacing(path) as file:
        parts = _bytes(header, values)
        middle = _plane(values, values.shape[2] // 2)
        for part in _packed(parts, middle) if path.name.endswith(".gz") else parts:
            file.write(part)


def fresh_header(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    affine: NDArray[np.float64],
    slope: float,
    intercept: float,
    description: str,
    other: NDArray[np.float64] | None = None,
) -> bytes:
    """Return header and extension flag: NIfTI-1, or NIfTI-2, which few programs read, where 32-bit floats would move a
    voxel by more than ``EXACT_MM`` or its value by more than ``EXACT_STEP`` of a step.

    A qform cannot hold shear. It is left out where a reader would take it for another place; a smaller shear is lost to
    programs that know upright grids alone (ITK).
    """
    moved = corners(affine.astype(np.float32).astype(np.float64), shape) - corners(affine, shape)
    first = bool(np.abs(moved).max() <= EXACT_MM) and _scales_exactly(dtype, slope, intercept)
    header = nib.Nifti1Header(endianness="<") if first else nib.Nifti2Header(endianness="<")
    header.set_data_shape(shape)
    header.set_data_dtype(dtype.newbyteorder("="))
    header.set_slope_inter(slope, intercept)
    header.set_xyzt_units("mm")
    header.set_qform(affine if other is None else other, ALIGNED, strip_shears=True)
    header.set_sform(affine, ALIGNED)
    if other is None and np.abs(corners(header.get_qform(), shape) - corners(affine, shape)).max() > DISAGREE_MM:
        header["qform_code"] = 0
    header["descrip"] = description.encode("ascii", "replace")[:79]
    header["vox_offset"] = header.sizeof_hdr + len(NO_EXTENSIONS)
    block: bytes = header.binaryblock
    return block + NO_EXTENSIONS


def _scales_exactly(dtype: np.dtype[Any], slope: float, intercept: float) -> bool:
    """Return whether slope and intercept as 32-bit floats give every integer of ``dtype`` its value; the values of
    floats are rounded as much anyway."""
    with np.errstate(over="ignore"):
        off_slope, off_intercept = (abs(float(np.float32(value)) - value) for value in (slope, intercept))
    if dtype.kind == "f":
        return True
    ends = np.iinfo(dtype)
    largest = max(abs(int(ends.min)), int(ends.max))
    return largest * off_slope + off_intercept <= EXACT_STEP * abs(slope)


def _bytes(header: bytes, values: NDArray[Any]) -> Iterator[bytes]:
    yield header
    for k in range(values.shape[2]):
        yield _plane(values, k)


def _plane(values: NDArray[Any], k: int) -> bytes:
    plane = values[:, :, k : k + 1]
    return plane.astype(plane.dtype.newbyteorder("<"), copy=False).tobytes(order="F")


def _packed(parts: Iterable[bytes], sample: bytes) -> Iterator[bytes]:
    """Yield ``parts`` as one gzip stream without a name or a time.

    Runs of equal bytes are all that zlib looks for (Z_RLE): of scans, whose noise repeats nothing else, that takes a
    third of the time of level 4 and as few bytes. Of label maps and of integers kept as floats it can take six times
    as many: where a ``sample`` of them shows that, level 4 is taken.
    """
    level, strategy = min(PACKINGS, key=lambda packing: _size(sample, *packing) * PACKINGS[packing])
    stream = zlib.compressobj(level, wbits=GZIP, strategy=strategy)
    yield from map(stream.compress, parts)
    yield stream.flush()


def _size(sample: bytes, level: int, strategy: int) -> int:
    packer = zlib.compressobj(level, wbits=GZIP, strategy=strategy)
    return len(packer.compress(sample)) + len(packer.flush())


@contextmanager
def replacing(path: Path, what: str = "") -> Iterator[BinaryIO]:
    """Open a hidden neighbour of ``path`` that takes its name once it is safely on disk; UserError write_failed leaves
    nothing behind.

    what: the words for the file in that error; without them it is the result, and the system's reason is given.
    """
    draft = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with draft.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        failed = f"{what} could not be written." if what else f"The result could not be written ({error.strerror})."
        raise UserError("write_failed", failed, "Free some space or check rights.") from error
    finally:
        draft.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Bring the names in ``folder`` to the disk: a rename lasts only after this."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
