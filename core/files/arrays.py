"""Named arrays out of files of spectra and pictures of any kind, told apart by content.

The libraries that decode these are not made for strangers' files: ``core.files.spectra`` calls this in a process of
its own.
"""

from __future__ import annotations

import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.archive import MAX_FILES, file_names, is_litter, unpack_all
from core.files.envi import MARK, data_of, header_of, is_header, read_envi
from core.files.spectra_collection import files_of, read_collection
from core.files.spectra_table import read_table
from core.files.table_text import is_text
from core.files.vendor.formats import reader_of, refusal

Arrays = dict[str, NDArray[Any]]

MAX_BYTES = 2 << 30  # of all numbers of a file together
MAX_ARRAYS = 1000
HEAD_BYTES = 1024
# what the libraries raise over damaged files
DAMAGE = (
    *(OSError, EOFError, ValueError, TypeError, LookupError, ArithmeticError, AssertionError, RuntimeError),
    *(AttributeError, NameError, SyntaxError, struct.error, zipfile.BadZipFile, zlib.error, TokenError),
)
FORMATS = "Give NPZ, ENVI (.hdr and data), TIFF, MATLAB (.mat), CSV, or a format of docs/failure-lab.md."


def read_arrays(*paths: Path, room: int | None = None) -> Arrays:
    """Return the arrays of one file, of the files of one image, or of a folder, zip or list of files of spectra.

    Texts are str arrays. A picture is ``image`` as stored, (H, W), (H, W, C) or for a stack (H, W, pages); a table has
    ``spectra`` (N, B) and ``wavenumbers``; see ``read_table``, ``read_envi`` and ``read_collection``. UserError
    cube_unreadable, cube_too_large, envi_header, patches_mismatch, and those of ``unpack_all``, as is ``room``.
    """
    try:
        with np.errstate(all="ignore"):
            return _sized(_decoded(paths, partial(_decoded_file, room=room)))
    except MemoryError as error:
        raise _too_large() from error
    except DAMAGE as error:
        raise _damaged() from error


def _decoded(paths: tuple[Path, ...], read: Callable[[Path], Arrays]) -> Arrays:
    if len(paths) == 1 and paths[0].is_dir():
        return read_collection(files_of(paths[0]), read)
    if len(paths) == 1:
        return read(paths[0])
    headers = [path for path in paths if is_header(path)]
    if len(paths) == 2 and len(headers) == 1:
        return read_envi(headers[0], next(path for path in paths if path != headers[0]))
    if len({path.name for path in paths}) < len(paths):
        raise UserError("cube_unreadable", "Two files have the same name.", "Give them as a zip, in folders.")
    with tempfile.TemporaryDirectory() as folder:
        # libraries look for the other files of an image beside the first
        for path in paths:
            (Path(folder) / path.name).symlink_to(path.absolute())
        return _loaded(_together({path.name: Path(folder) / path.name for path in paths}, read))


def _together(files: Mapping[str, Path], read: Callable[[Path], Arrays]) -> Arrays:
    kept = {name: path for name, path in files.items() if not is_litter(name)}
    if len(kept) > MAX_FILES:
        raise UserError("too_many_files", f"There are more than {MAX_FILES} files.", "Give fewer files.")
    return read_collection(kept, read)


def _decoded_file(path: Path, room: int | None) -> Arrays:
    head = _head(path)
    if not head:
        raise UserError("cube_unreadable", f"{path.name[:80]!r} is empty.", "Copy, download or export it again.")
    if head.startswith(MARK):
        return read_envi(path, data_of(path))
    vendor = reader_of(path, head)
    if vendor is not None:
        return vendor(path)
    if head.startswith(b"PK"):
        return _read_zip(path, room)
    for marks_of_format, read in READERS:
        if head.startswith(marks_of_format):
            return read(path)
    beside = header_of(path)
    if beside is not None:
        return read_envi(beside, path)
    if is_text(head):
        return read_table(path)
    raise refusal(path, head, FORMATS)


def _loaded(arrays: Arrays) -> Arrays:
    """Return arrays that no longer need their files."""
    return {name: np.array(array) for name, array in arrays.items()}


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _read_zip(path: Path, room: int | None) -> Arrays:
    """Read an archive of NumPy, or the files of spectra in another zip."""
    names = file_names(path)
    if "[Content_Types].xml" in names or "mimetype" in names:
        raise UserError("cube_unreadable", "This is a spreadsheet or document of Office.", "Save the sheet as CSV.")
    if any(name.endswith(".npy") for name in names):
        return _read_npz(path)
    with tempfile.TemporaryDirectory() as folder:
        files = unpack_all(path, Path(folder) / "files", max_bytes=MAX_BYTES, room=room)
        # a zip may hold others
        left = None if room is None else room - sum(each.stat().st_size for each in files.values())
        return _loaded(_together(files, partial(_decoded_file, room=left)))


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
    ((b"\x93NUMPY",), _read_npy),
    ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _read_tiff),
    ((b"\x89PNG", b"\xff\xd8\xff", b"BM"), _read_picture),
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
