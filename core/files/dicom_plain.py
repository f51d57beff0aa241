"""DICOM files in unusual wrappings, written out plainly: gzip, deflated data sets, data sets without a preamble."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from core.errors import UserError
from core.files.signatures import DICOM_MARK, PREAMBLE_BYTES, bare_dicom, explicit_vr
from core.files.voxel_stream import AGAIN, GZIP_MAGIC, reading

DEFLATED = b"1.2.840.10008.1.2.1.99"
EXPLICIT, IMPLICIT = b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2"
META_BYTES = 64 << 10
PIECE_BYTES = 1 << 20
RAW_DEFLATE = -15  # zlib's code of a stream without header and checksum (PS3.5, A.5)
SYNTAX = b"\x02\0\x10\0UI"


class Budget:
    """Bytes that may still be unpacked, over all files of one import."""

    def __init__(self, left: int) -> None:
        self.left = left

    def spent(self, piece: bytes) -> bytes:
        """Return ``piece``; ``UserError`` too_many_bytes once all pieces together are too much."""
        self.left -= len(piece)
        if self.left < 0:
            raise UserError("too_many_bytes", "The DICOM files unpack to too many bytes.", "Give only one series.")
        return piece


def plain_file(path: Path, folder: Path, number: int, budget: Budget) -> Path:
    """Return a file of preamble, group 2 and an uncompressed data set with the content of the DICOM file ``path``.

    ``path`` itself where it is one; else a copy in ``folder`` named by ``number``. ``UserError`` for damaged
    compression and for more bytes than ``budget`` has.
    """
    head = _head(path)
    if head.startswith(GZIP_MAGIC):
        path = _written(folder, f"{number:05d}.unzipped", _unzipped(path, budget))
        head = _head(path)
    if bare_dicom(head):
        path = _written(folder, f"{number:05d}.framed", _framed(path, head))
        head = _head(path)
    if transfer_syntax(head) == DEFLATED:
        path = _written(folder, f"{number:05d}.inflated", _inflated(path, head, budget))
    return path


def transfer_syntax(head: bytes) -> bytes:
    """Return the UID of the encoding that group 2 of the file beginning with ``head`` states, b"" without one."""
    end = _meta_end(head)
    at = head.find(SYNTAX, PREAMBLE_BYTES, end)
    if at < 0:
        return b""
    (length,) = struct.unpack_from("<H", head, at + len(SYNTAX))
    return head[at + 8 : at + 8 + length].strip(b" \0")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(META_BYTES)


def _written(folder: Path, name: str, pieces: Iterator[bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    with (folder / name).open("wb") as file:
        file.writelines(pieces)
    return folder / name


def _unzipped(path: Path, budget: Budget) -> Iterator[bytes]:
    with reading(path) as (reader, _):
        while piece := reader.read(PIECE_BYTES):
            yield budget.spent(piece)


def _framed(path: Path, head: bytes) -> Iterator[bytes]:
    """Yield the file with the preamble it lacks, and with a group 2 where it has none (PS3.10, 7.1)."""
    syntax = b""
    if head[:2] != b"\x02\0":
        uid = EXPLICIT if explicit_vr(head[4:6]) else IMPLICIT
        uid += b"\0" * (len(uid) % 2)
        syntax = SYNTAX + struct.pack("<H", len(uid)) + uid
        syntax = b"\x02\0\0\0UL" + struct.pack("<HI", 4, len(syntax)) + syntax
    yield bytes(PREAMBLE_BYTES) + DICOM_MARK + syntax
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _inflated(path: Path, head: bytes, budget: Budget) -> Iterator[bytes]:
    end = _meta_end(head)
    meta, padding = head[:end], b"\0" * (len(DEFLATED) - len(EXPLICIT))
    yield meta.replace(DEFLATED, EXPLICIT + padding)
    inflate = zlib.decompressobj(RAW_DEFLATE)
    with path.open("rb") as file:
        file.seek(end)
        try:
            for packed in chain(iter(lambda: file.read(PIECE_BYTES), b""), (b"",)):
                yield budget.spent(inflate.decompress(packed, PIECE_BYTES))
                while inflate.unconsumed_tail:
                    yield budget.spent(inflate.decompress(inflate.unconsumed_tail, PIECE_BYTES))
        except zlib.error as error:
            raise UserError("dicom_damaged", "The compressed data of a DICOM file are damaged.", AGAIN) from error
    if not inflate.eof:
        raise UserError("dicom_damaged", "The compressed data of a DICOM file are cut off.", AGAIN)


def _meta_end(head: bytes) -> int:
    """Return where group 2 of a file with a preamble ends: by its length, or by the next group."""
    start = PREAMBLE_BYTES + len(DICOM_MARK)
    if head[start : start + 8] == b"\x02\0\0\0UL\x04\0":
        (length,) = struct.unpack_from("<I", head, start + 8)
        return int(min(len(head), start + 12 + length))
    at = start
    while head[at : at + 2] == b"\x02\0" and at + 12 <= len(head):
        long = head[at + 4 : at + 6] in (b"OB", b"OW", b"UN", b"SQ", b"UT")
        (length,) = struct.unpack_from("<I" if long else "<H", head, at + (8 if long else 6))
        at += (12 if long else 8) + length
    return int(min(len(head), at))
