"""Read the voxels of an untrusted NIfTI file in small pieces, never more than its checked header promises."""

from __future__ import annotations

import math
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.nifti_header import HEADER_BYTES, Header, parse_header
from core.files.signatures import DICOM, MGH, NIFTI, UNKNOWN, kind_name

MAX_BYTES = 512 << 20
PIECE_BYTES = 1 << 20
EXTRA_BYTES = 64 << 10
MAX_RATIO = 100
GZIP_MAGIC = b"\x1f\x8b"
GZIP_FORMAT = 31  # zlib's code of a gzip member in the largest window
MAX_MEMBERS = 1 << 16  # bgzip's hold up to 64 KB each

AGAIN = "Copy or download the file again; if that does not help, export it again."


@dataclass(frozen=True, eq=False)
class Source:
    """A file whose header has been checked; its voxels have not been read."""

    path: Path
    header: Header


class Plain:
    """The bytes of an uncompressed file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, count: int) -> bytes:
        """Return the next ``count`` bytes, fewer at the end."""
        return self._file.read(count)


class Gzip:
    """The bytes inside a gzip file: every member (bgzip writes many), checksums verified, never more than requested;
    zeros behind a member do not count."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._inflate = zlib.decompressobj(GZIP_FORMAT)
        self._members = 1
        self._waiting = b""  # read from the file, not yet given to the member

    def read(self, count: int) -> bytes:
        """Return the next ``count`` bytes, fewer at the end; ``UserError`` for a damaged or cut file."""
        found = bytearray()
        while len(found) < count and not (self._inflate.eof and not self._next_member()):
            packed = self._inflate.unconsumed_tail or self._waiting or self._file.read(EXTRA_BYTES)
            self._waiting = b""
            try:
                piece = self._inflate.decompress(packed, count - len(found))
            except zlib.error as error:
                raise UserError("gzip_damaged", "The compressed file is damaged.", AGAIN) from error
            if not packed and not piece and not self._inflate.eof:
                raise UserError("gzip_truncated", "The compressed file is cut off before its end.", AGAIN)
            found += piece
        return bytes(found)

    def _next_member(self) -> bool:
        """Begin the member that follows and return whether there is one; ``UserError`` for bytes that are none."""
        rest = self._inflate.unused_data
        # files copied in blocks end in zeros, which gzip leaves out too
        while len(rest := rest.lstrip(b"\0")) < len(GZIP_MAGIC) and (more := self._file.read(EXTRA_BYTES)):
            rest += more
        if not rest:
            return False
        if not rest.startswith(GZIP_MAGIC) or self._members == MAX_MEMBERS:
            raise UserError(
                "gzip_trailing",
                "Something else follows the compressed scan in its file.",
                "Unpack it and compress it again with gzip, or export the scan again.",
            )
        self._members += 1
        self._inflate = zlib.decompressobj(GZIP_FORMAT)
        self._waiting = rest
        return True


def open_source(path: Path, *, max_bytes: int, free_bytes: int) -> Source:
    """Check size, kind and header of the file at ``path`` and return it unread.

    A file that claims more than ``free_bytes`` of voxels and packs them tighter than ``MAX_RATIO`` is refused:
    scans pack 2 to 10 times, bombs 1000 times.
    """
    size = check_size(path, max_bytes)
    with reading(path) as (reader, packed):
        header = parse_header(reader.read(HEADER_BYTES))
    if packed:
        if header.nbytes > free_bytes and header.nbytes > MAX_RATIO * size:
            raise UserError(
                "compressed_too_much",
                f"The file unpacks to {header.nbytes >> 20} MB, more than {MAX_RATIO} times its size.",
                "Crop it to the head, store it in 8 or 16 bits, or save it uncompressed (.nii).",
            )
    else:
        _check_length(size - header.offset, header.nbytes)
    return Source(path, header)


def kind_of(path: Path) -> str:
    """Return the kind of the file at ``path`` in the words of core.files.signatures, looking into gzip for scans.

    ``UserError`` when it cannot be read.
    """
    with reading(path) as (reader, packed):
        try:
            kind = kind_name(reader.read(HEADER_BYTES))
        except UserError:
            return UNKNOWN
    return UNKNOWN if packed and kind not in (NIFTI, MGH, DICOM) else kind


def pieces(source: Source) -> Iterator[NDArray[Any]]:
    """Yield the voxels in file order as flat arrays of at most ``PIECE_BYTES``, in the file's type, native byte order.

    ``UserError`` as soon as the file turns out damaged, too short or too long; only after the last piece is the
    whole file known to be sound.
    """
    header = source.header
    step = PIECE_BYTES // header.dtype.itemsize
    count = math.prod(header.shape)
    with reading(source.path) as (reader, _):
        reader.read(header.offset)
        for start in range(0, count, step):
            expected = min(step, count - start) * header.dtype.itemsize
            raw = reader.read(expected)
            if len(raw) < expected:
                raise _too_short()
            yield np.frombuffer(raw, header.dtype).astype(header.dtype.newbyteorder("="), copy=False)
        _check_length(header.nbytes + len(reader.read(EXTRA_BYTES + 1)), header.nbytes)


def check_size(path: Path, max_bytes: int) -> int:
    """Return the bytes of the regular file at ``path``; ``UserError`` where there is none, or too many of them."""
    try:
        status = path.stat()
    except OSError as error:
        raise _unreadable() from error
    if not stat.S_ISREG(status.st_mode):
        raise _unreadable()
    if status.st_size == 0:
        raise UserError("file_empty", "The file is empty.", AGAIN)
    if status.st_size > max_bytes:
        raise UserError(
            "file_too_large",
            f"The file has {status.st_size >> 20} MB; the limit is {max_bytes >> 20} MB.",
            "Compress it (.nii.gz), crop it to the head, or resample it to a larger voxel size.",
        )
    return status.st_size


@contextmanager
def reading(path: Path) -> Iterator[tuple[Plain | Gzip, bool]]:
    """Open ``path`` and give its bytes, and whether they are compressed: by the first two, not by the name."""
    try:
        if not path.is_file():
            # a pipe would be waited for, and could be read once only
            raise _unreadable()
        with path.open("rb") as file:
            packed = file.read(2) == GZIP_MAGIC
            file.seek(0)
            yield (Gzip(file) if packed else Plain(file)), packed
    except OSError as error:
        raise _unreadable() from error


def _check_length(found: int, expected: int) -> None:
    if found < expected:
        raise _too_short()
    if found > expected + EXTRA_BYTES:
        raise UserError("data_longer", "The file holds more voxels than its header states.", AGAIN)


def _too_short() -> UserError:
    return UserError("data_truncated", "The file holds fewer voxels than its header states.", AGAIN)


def _unreadable() -> UserError:
    return UserError("file_unreadable", "There is no readable file at this place.", "Check the path and its rights.")
