"""Named arrays out of files of spectra and pictures: NPZ, MATLAB, ENVI, TIFF, CSV, PNG, told apart by content.

The libraries that decode these are not made for strangers' files: ``core.files.spectra`` calls this in a process of
its own.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.envi import data_of, header_of, read_envi
from core.files.spectra_table import read_table
from core.files.table_text import is_text

Arrays = dict[str, NDArray[Any]]

MAX_BYTES = 2 << 30  # of all numbers of a file together
MAX_ARRAYS = 1000
HEAD_BYTES = 1024
NUMERIC = frozenset(
    {"double", "single", "logical"} | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)
# what the libraries raise over damaged files
DAMAGE = (
    *(OSError, EOFError, ValueError, TypeError, LookupError, ArithmeticError, AssertionError, RuntimeError),
    *(SyntaxError, struct.error, zipfile.BadZipFile, zlib.error),
)
FORMATS = "Give NPZ, ENVI (.hdr and data), TIFF, MATLAB (.mat) or CSV."


def read_arrays(*paths: Path) -> Arrays:
    """Return the arrays of one file, or of an ENVI header and its data file in either order; texts are str arrays.

    A picture is ``image`` as stored, (H, W), (H, W, C) or for a stack (H, W, pages); a table has ``spectra`` (N, B)
    and ``wavenumbers``; see ``read_table`` and ``read_envi``. UserError cube_unreadable, cube_too_large, envi_header.
    """
    heads = [_head(path) for path in paths]
    try:
        return _sized(_decoded(paths, heads))
    except MemoryError as error:
        raise _too_large() from error
    except DAMAGE as error:
        raise _damaged() from error


def _decoded(paths: Sequence[Path], heads: Sequence[bytes]) -> Arrays:
    marks = [head.startswith(b"ENVI") for head in heads]
    if any(marks) and len(paths) <= 2:
        header = paths[marks.index(True)]
        return read_envi(header, paths[marks.index(False)] if len(paths) == 2 else data_of(header))
    if len(paths) != 1:
        raise UserError("cube_unreadable", "These files do not belong together.", FORMATS)
    path, head = paths[0], heads[0]
    for marks_of_format, read in READERS:
        if head.startswith(marks_of_format):
            return read(path)
    beside = header_of(path)
    if beside is not None:
        return read_envi(beside, path)
    if is_text(head):
        return read_table(path)
    raise UserError("cube_unreadable", "This is no file of spectra of a kind that is known.", FORMATS)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _read_npz(path: Path) -> Arrays:
    with zipfile.ZipFile(path) as archive:
        _require_room(sum(member.file_size for member in archive.infolist()), len(archive.infolist()))
    found: Arrays = {}
    pickled = []
    with np.load(path, allow_pickle=False) as stored:
        for name in stored.files:
            try:
                array = stored[name]
            except ValueError as error:
                if "allow_pickle" not in str(error):
                    raise
                pickled.append(name)
                continue
            # what is no array in the archive comes as bytes
            if isinstance(array, np.ndarray) and array.dtype.kind in "biufUS":
                found[name] = array.astype(str) if array.dtype.kind == "S" else array
    if pickled:
        names = ", ".join(name[:40] for name in pickled[:10])
        if not found:
            raise UserError("cube_unreadable", f"{names}: stored as Python objects.", "Save texts with .astype(str).")
        found["notices"] = np.array([f"Stored as Python objects and left out: {names}. Save texts with .astype(str)."])
    return found


def _read_npy(path: Path) -> Arrays:
    _require_room(path.stat().st_size, 1)
    # mapped, so that a header cannot promise more than there is
    return {"image": np.load(path, allow_pickle=False, mmap_mode="r")}


def _read_mat(path: Path) -> Arrays:
    from scipy.io import loadmat, whosmat

    listed = whosmat(str(path))
    wanted = [name for name, _, kind in listed if kind in NUMERIC or kind in ("char", "cell")]
    _require_room(sum(8 * int(np.prod(shape, dtype=np.float64)) for _, shape, _ in listed), len(listed))
    found = loadmat(str(path), variable_names=wanted, chars_as_strings=True)
    return {name: array for name in wanted if (array := _plain(found[name])) is not None}


def _plain(values: NDArray[Any]) -> NDArray[Any] | None:
    """Numbers and texts as they are, a cell array of texts as texts, None for anything else; vectors are made flat."""
    if values.dtype == object:
        texts = [each.item() for each in values.ravel() if isinstance(each, np.ndarray) and each.size == 1]
        if len(texts) != values.size or not all(isinstance(text, str) for text in texts):
            return None
        return np.array(texts)
    if values.dtype.kind not in "biufU":
        return None
    return values.ravel() if values.ndim == 2 and 1 in values.shape else values


def _read_hdf(path: Path) -> Arrays:
    """MATLAB 7.3 is HDF5 with the axes in reverse; links to other files are not followed."""
    import h5py

    found: Arrays = {}
    with h5py.File(path, "r") as file:
        names = list(file)
        _require_room(0, len(names))
        for name in names:
            if not isinstance(file.get(name, getlink=True), h5py.HardLink):
                continue
            stored = file[name]
            if not isinstance(stored, h5py.Dataset) or stored.external or stored.is_virtual or stored.shape is None:
                continue
            _require_room(stored.size * stored.dtype.itemsize, 1)
            if stored.dtype.kind in "biuf":
                values = stored[()].T
                text = stored.attrs.get("MATLAB_class") == b"char"
                plain = np.array("".join(map(chr, values.ravel(order="F")))) if text else _plain(values)
                if plain is not None:
                    found[name] = plain
            elif h5py.check_string_dtype(stored.dtype):
                found[name] = np.asarray(stored.asstr()[()], str)
    return found


def _read_tiff(path: Path) -> Arrays:
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        _require_room(series.size * series.dtype.itemsize, 1)
        values, axes = series.asarray(), series.axes
    kept = [axis for axis, side in zip(axes, values.shape, strict=True) if side > 1 or axis in "YX"]
    values = values.reshape([side for axis, side in zip(axes, values.shape, strict=True) if axis in kept])
    if "Y" not in kept or "X" not in kept or len(kept) > 3:
        raise UserError("cube_unreadable", "The TIFF is no stack of pictures, one a band.", FORMATS)
    others = [axis for axis in kept if axis not in "YX"]
    return {"image": values.transpose([kept.index(axis) for axis in ["Y", "X", *others]])}


def _read_picture(path: Path) -> Arrays:
    from PIL import Image

    with Image.open(path) as picture:
        _require_room(4 * picture.width * picture.height, 1)
        return {"image": np.asarray(picture)}


# the first bytes of each format, and what reads it
READERS: tuple[tuple[tuple[bytes, ...], Callable[[Path], Arrays]], ...] = (
    ((b"PK",), _read_npz),
    ((b"\x93NUMPY",), _read_npy),
    ((b"\x89HDF", b"MATLAB 7.3"), _read_hdf),
    ((b"MATLAB 5",), _read_mat),
    ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _read_tiff),
    ((b"\x89PNG", b"\xff\xd8\xff"), _read_picture),
)


def _sized(arrays: Arrays) -> Arrays:
    if not arrays:
        raise _damaged()
    _require_room(sum(array.nbytes for array in arrays.values()), len(arrays))
    if any(array.dtype.kind not in "biufU" for array in arrays.values()):
        raise _damaged()
    return arrays


def _require_room(size: int, number: int) -> None:
    if size > MAX_BYTES or number > MAX_ARRAYS:
        raise _too_large()


def _too_large() -> UserError:
    return UserError(
        "cube_too_large",
        f"The file holds more than {MAX_BYTES >> 30} GB of numbers or over {MAX_ARRAYS} arrays.",
        "Give a part of the image, or fewer bands.",
    )


def _damaged() -> UserError:
    return UserError("cube_unreadable", "The file of spectra or pictures is damaged or of an unusual kind.", FORMATS)
