"""What a user gives as one scan, in files, a folder or a zip: the scan in it is found and read."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import UserError
from core.files.archive import MAX_FILES, is_litter, unpack
from core.files.dicom_series import Loaded, read_series
from core.files.mgh import read_mgh
from core.files.nifti import Stored, read_stored
from core.files.nrrd_mha import read_meta, read_nrrd
from core.files.signatures import DICOM, META, MGH, NRRD, SCANS, ZIP
from core.files.voxel_stream import check_size, kind_of

UNPACKED = 4  # a zip may hold so many times the bytes that a file may have
FEWER = "Give only the series you want."
ONE = "Give one scan at a time: one file, or all files of one DICOM series."


def load(
    paths: Sequence[Path],
    work: Path,
    *,
    max_bytes: int,
    numbers: Sequence[int | None] = (None,),
    room: int | None = None,
) -> Iterator[Loaded]:
    """Yield the one scan among ``paths``: files, one folder or one zip; ``UserError`` where there is not exactly one.

    numbers: which volumes of a DICOM folder with several to take, from 1; None for the one scan of anything else.
    work: an empty folder for what has to be unpacked. max_bytes: of a file, and a quarter of what files together and
    an unpacked zip may have. room: bytes that the disk has for what is unpacked, None where nobody counts.
    """
    files, others = _found(paths, work, max_bytes, room)
    kinds = {path: kind_of(path) for path in files}
    scans = [path for path in files if kinds[path] in SCANS]
    others += Counter(kind for kind in kinds.values() if kind not in SCANS)
    series = [path for path in scans if kinds[path] == DICOM]
    if not scans:
        raise _no_scan(others)
    if series and len(series) == len(scans):
        yield from read_series(series, work, numbers)
        return
    if len(scans) > 1:
        listing = ", ".join(f"{kind} ({number})" for kind, number in Counter(map(kinds.__getitem__, scans)).items())
        raise UserError("several_scans", f"There are {len(scans)} scans here, not one: {listing}.", ONE)
    yield Loaded(_read(scans[0], kinds[scans[0]], work, max_bytes))


def _found(paths: Sequence[Path], work: Path, max_bytes: int, room: int | None) -> tuple[Sequence[Path], Counter[str]]:
    """Return the files that may be scans, and what else a zip held."""
    first = paths[0]
    if len(paths) == 1 and first.is_dir():
        return _limited(list(_walk(first)), max_bytes), Counter()
    if len(paths) == 1:
        check_size(first, max_bytes)
        if kind_of(first) == ZIP:
            unpacked = unpack(first, work / "members", max_bytes=UNPACKED * max_bytes, room=room)
            return unpacked.files, unpacked.others
    return _limited(list(paths), max_bytes), Counter()


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the regular files below ``folder`` that are no litter.

    A link to a file is taken for that file, wherever it lies (git-annex); links to folders are not followed.
    ``UserError`` link_broken where links lead to no file.
    """
    broken = 0
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_litter(name))
        for name in sorted(names):
            path = Path(root) / name
            if is_litter(path.relative_to(folder).as_posix()):
                continue
            if path.is_symlink() and not path.exists():
                broken += 1
            elif stat.S_ISREG(path.stat().st_mode):
                yield path
    if broken:
        raise UserError(
            "link_broken",
            f"{broken} of the links in the folder lead to no file.",
            "Fetch the files that the links stand for, for example with git annex get, or give the files themselves.",
        )


def _limited(files: list[Path], max_bytes: int) -> list[Path]:
    if len(files) > MAX_FILES:
        raise UserError(
            "too_many_files",
            f"There are {len(files)} files; the limit is {MAX_FILES}.",
            FEWER,
        )
    total = sum(check_size(path, max_bytes) for path in files if path.stat().st_size)
    if total > UNPACKED * max_bytes:
        limit = UNPACKED * max_bytes >> 20
        raise UserError(
            "too_many_bytes",
            f"The files have {total >> 20} MB together; the limit is {limit} MB.",
            FEWER,
        )
    return files


def _read(path: Path, kind: str, work: Path, max_bytes: int) -> Stored:
    if kind == NRRD:
        return read_nrrd(path, work)
    if kind == META:
        return read_meta(path, work)
    return read_mgh(path) if kind == MGH else read_stored(path, max_bytes=max_bytes)


def _no_scan(others: Counter[str]) -> UserError:
    listing = ", ".join(f"{kind} ({number})" for kind, number in others.most_common(6))
    return UserError(
        "no_scan_found",
        f"There is no scan here{f', only: {listing}' if listing else '; it is empty'}.",
        "Give NIfTI, DICOM, NRRD (.nrrd), MetaImage (.mha) or MGZ; pictures and reports cannot be used.",
    )
