"""Files of a job in pieces, as they travel between machines that share no disk."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.failure.data.source_files import belonging
from core.result import RUN

# bytes of a piece: large enough for Ray to keep it in shared memory, small beside that memory
PIECE = 4 << 20
# the folders of a job: what it reads, what it writes, what a stopped run of it has left
INPUTS, OUT, KEPT = "inputs", "out", "kept"
RECORD = f"{RUN}.json"
ROOMS = "counterscan-jobs-{user}"


@dataclass(frozen=True)
class Piece:
    """Bytes of the file ``name`` (with slashes) of the folder ``place`` from ``offset`` on; last: the file ends."""

    place: str
    name: str
    offset: int
    content: bytes
    last: bool


def input_files(path: Path) -> dict[str, Path]:
    """Return the files that reading ``path`` needs, by their names relative to its folder: the file and those that
    belong to it, or all files of a folder; none where there is nothing."""
    if path.is_dir():
        return {f"{path.name}/{name}": file for name, file in folder_files(path).items()}
    if not path.is_file():
        return {}
    record = path.with_name(RECORD)
    # results of an earlier run are read with their record
    with_record = {RECORD: record} if path.suffix.lower() == ".json" and record.is_file() else {}
    return belonging(path) | with_record


def folder_files(folder: Path) -> dict[str, Path]:
    """Return the files in ``folder`` and below by their names relative to it."""
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def pieces(place: str, name: str, path: Path) -> Iterator[Piece]:
    """Yield a file in order; an empty one is one empty piece."""
    size = path.stat().st_size
    with path.open("rb") as file:
        offset = 0
        while True:
            content = file.read(PIECE)
            end = offset + len(content)
            last = end >= size or not content
            yield Piece(place, name, offset, content, last)
            if last:
                return
            offset = end


def put(piece: Piece, folder: Path) -> None:
    """Write a piece, in order, into the file of its name in ``folder``, which appears with the last; ValueError for a
    name that leads out of the folder."""
    name = PurePosixPath(piece.name)
    if name.is_absolute() or ".." in name.parts or not name.name:
        raise ValueError("a name that leads elsewhere")
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name[:200]}.coming")
    with part.open("wb" if piece.offset == 0 else "ab") as file:
        file.write(piece.content)
    if piece.last:
        part.replace(path)


@contextmanager
def room(parent: Path) -> Iterator[Path]:
    """Give a fresh folder for one job below ``parent``, which no other user may read, and remove it in the end; what
    killed processes have left of theirs is removed too."""
    rooms = parent / ROOMS.format(user=os.getuid())
    rooms.mkdir(mode=0o700, exist_ok=True)
    if rooms.is_symlink() or rooms.stat().st_uid != os.getuid():
        raise PermissionError(f"{rooms.name} belongs to somebody else")
    _sweep(rooms)
    made, handle = _locked(rooms)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(handle)


def _locked(rooms: Path) -> tuple[Path, int]:
    """Return a new folder in ``rooms`` and its lock, which ends with this process."""
    while True:
        made = Path(tempfile.mkdtemp(dir=rooms))
        try:
            handle = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(handle, fcntl.LOCK_EX)
        except FileNotFoundError:
            continue
        if made.exists():
            return made, handle
        # swept before it was locked
        os.close(handle)


def _sweep(rooms: Path) -> None:
    for left in rooms.iterdir():
        try:
            handle = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(handle)
