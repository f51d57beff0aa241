"""Zip files: what may be a scan is unpacked within limits, under names of our own."""

from __future__ import annotations

import os
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.errors import UserError, is_disk_full
from core.files.signatures import SCANS, kind_name
from core.files.voxel_stream import AGAIN, GZIP_MAGIC

MAX_FILES = 5000
MAX_RATIO = 200
FREE_BYTES = 64 << 20
PIECE_BYTES = 1 << 20
NAME_CHARACTERS = 300
LOCAL_HEADER = 30  # bytes before a member's name (APPNOTE 4.3.7)
# of the list of a zip's files, which is read whole, at half a kilobyte a file: a set of 100,000 pictures has less
LIST_BYTES = 32 << 20
# signatures and bytes of the records at the end of a zip (APPNOTE 4.3.14 to 4.3.16), the short one with a comment
END, LONG_END, LOCATOR = b"PK\5\6", b"PK\6\6", b"PK\6\7"
END_BYTES, LONG_END_BYTES, LOCATOR_BYTES, COMMENT_BYTES = 22, 56, 20, 1 << 16
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, UnicodeDecodeError)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# the last for names that are none, as "."
NO_FILES = frozenset({"dicomdir", "thumbs.db", "desktop.ini", ""})
DRIVE = re.compile("[A-Za-z]:")
FEWER = "Pack only the series you want."


@dataclass(frozen=True)
class Unpacked:
    """Files that may be scans, what the zip calls them, and what else there was (kind in words -> number)."""

    files: tuple[Path, ...]
    names: tuple[str, ...]
    others: Counter[str]


def is_litter(name: str) -> bool:
    """Whether a file of this path is of no interest: left by a file manager, hidden, or a DICOM index."""
    path = PurePosixPath(name)
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts) or path.name.lower() in NO_FILES


def open_zip(path: Path) -> zipfile.ZipFile:
    """Return the zip at ``path``, open, unless the list of its files alone would take the memory of the machine.

    OSError, BadZipFile; UserError too_many_files.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - COMMENT_BYTES - END_BYTES - LOCATOR_BYTES - LONG_END_BYTES))
        tail = file.read()
    # a comment may hold the signature again, and zipfile takes the end of the file first
    ends = {len(tail) - END_BYTES, tail.rfind(END)}
    if any(_list_bytes(tail, end) > LIST_BYTES for end in ends):
        raise UserError("too_many_files", "The zip holds far too many files.", FEWER)
    return zipfile.ZipFile(path)


def _list_bytes(tail: bytes, end: int) -> int:
    """Return the size of the list that the record at ``end``, or a long one before it, states; 0 for no record."""
    if end < 0 or not tail.startswith(END, end) or len(tail) < end + END_BYTES:
        return 0
    (size,) = struct.unpack_from("<I", tail, end + 12)
    locator = end - LOCATOR_BYTES
    long_end = locator - LONG_END_BYTES
    if long_end >= 0 and tail.startswith(LOCATOR, locator) and tail.startswith(LONG_END, long_end):
        (size,) = struct.unpack_from("<Q", tail, long_end + 40)
    return int(size)


def file_names(path: Path) -> list[str]:
    """Return the names of the files in the zip at ``path`` that are no litter. OSError, BadZipFile, UserError."""
    with open_zip(path) as archive:
        return [name for name in archive.namelist() if not name.endswith("/") and not is_litter(name)]


def unpack(path: Path, folder: Path, *, max_bytes: int, room: int | None = None) -> Unpacked:
    """Write the members of the zip at ``path`` that may be scans into ``folder``, at most ``max_bytes`` of them.

    Names only decide what is litter. room: bytes that the disk has for them, None where nobody counts. ``UserError``
    for a zip that is damaged, encrypted or a trap, disk_full before anything is written.
    """
    try:
        with open_zip(path) as archive:
            members = _checked(archive.infolist(), path.stat().st_size, max_bytes, room=room)
            return _unpacked(archive, members, folder)
    except DAMAGE as error:
        raise UserError("zip_damaged", "The zip file is damaged or cut off.", AGAIN) from error


def unpack_all(
    path: Path,
    folder: Path,
    *,
    max_bytes: int,
    max_files: int = MAX_FILES,
    room: int | None = None,
) -> dict[str, Path]:
    """Write every member of the zip at ``path`` but litter into ``folder`` under its own name: ``max_bytes`` and
    ``max_files`` of them at most.

    Return name in the zip -> file. ``UserError`` for a zip that is damaged, encrypted or a trap, or names that only
    differ in case, disk_full before anything is written. room: as for ``unpack``.
    """
    found: dict[str, Path] = {}
    taken: set[str] = set()
    try:
        with open_zip(path) as archive:
            members = _checked(archive.infolist(), path.stat().st_size, max_bytes, max_files, room)
            for member in members:
                name = PurePosixPath(member.filename.replace("\\", "/")).as_posix()
                too_long = len(name) > NAME_CHARACTERS or any(len(os.fsencode(part)) > 255 for part in name.split("/"))
                if name.lower() in taken or too_long:
                    raise UserError("zip_unsafe", "Two files in the zip have the same name, or a very long one.", FEWER)
                taken.add(name.lower())
                found[name] = folder / name
                found[name].parent.mkdir(parents=True, exist_ok=True)
                with found[name].open("wb") as file:
                    file.writelines(_pieces(archive, member))
    except (*DAMAGE, OSError, UnicodeError) as error:
        if is_disk_full(error):
            # another took the room meanwhile
            raise UserError("disk_full", "The disk is full.", "Try again later, or give a smaller zip.") from error
        raise UserError("zip_damaged", "The zip file is damaged or cut off.", AGAIN) from error
    return found


def _checked(
    members: list[zipfile.ZipInfo], size: int, max_bytes: int, max_files: int = MAX_FILES, room: int | None = None
) -> list[zipfile.ZipInfo]:
    """Return the members worth a look; ``UserError`` where the list itself shows a trap."""
    if len(members) > max_files:
        raise UserError("too_many_files", f"The zip holds {len(members)} files; the limit is {max_files}.", FEWER)
    for member in members:
        _require_harmless(member)
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end:
            raise UserError("zip_unsafe", "Files in the zip overlap, as no program packs them.", FEWER)
        end = member.header_offset + LOCAL_HEADER + len(member.orig_filename) + member.compress_size
    wanted = [member for member in members if not member.is_dir() and not is_litter(member.filename)]
    total = sum(member.file_size for member in wanted)
    if total > max_bytes:
        raise UserError(
            "too_many_bytes", f"The zip unpacks to {total >> 20} MB; the limit is {max_bytes >> 20} MB.", FEWER
        )
    if total > FREE_BYTES and total > MAX_RATIO * size:
        raise UserError(
            "compressed_too_much",
            f"The zip unpacks to {total >> 20} MB, more than {MAX_RATIO} times its size.",
            "Give the scan itself, unpacked.",
        )
    if room is not None and total > room:
        raise UserError(
            "disk_full",
            f"The zip unpacks to {total >> 20} MB, for which the disk has no room.",
            "Give less, or come back in an hour.",
        )
    return wanted


def _require_harmless(member: zipfile.ZipInfo) -> None:
    parts = member.orig_filename.replace("\\", "/").split("/")
    # a drive of Windows; other colons are the slashes of names on a Mac
    away = ".." in parts or parts[0] == "" or DRIVE.match(parts[0]) or "\0" in member.orig_filename
    if away or stat.S_ISLNK(member.external_attr >> 16):
        raise UserError("zip_unsafe", "A name in the zip points outside of it.", FEWER)
    if member.flag_bits & 1:
        raise UserError("zip_encrypted", "The zip is protected by a password.", "Pack it again without a password.")
    if member.compress_type not in METHODS:
        raise UserError("zip_method", "The zip is packed by a method that is not read.", "Pack it again as plain zip.")


def _unpacked(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], folder: Path) -> Unpacked:
    folder.mkdir()
    files, names, others = [], [], Counter[str]()
    for number, member in enumerate(members):
        pieces = _pieces(archive, member)
        start = next(pieces, b"")
        kind = kind_name(start)
        if kind not in SCANS and not start.startswith(GZIP_MAGIC):
            others[kind] += 1
            continue
        path = folder / f"{number:05d}"
        with path.open("wb") as file:
            file.write(start)
            file.writelines(pieces)
        files.append(path)
        names.append(member.filename)
    return Unpacked(tuple(files), tuple(names), others)


def _pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the bytes of a member, never more than it states; its checksum is checked at the end."""
    with archive.open(member) as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
