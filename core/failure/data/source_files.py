"""The files that a run of the failure lab read, by name, size and sha256."""

from __future__ import annotations

import hashlib
from pathlib import Path

from core.errors import UserError
from core.failure.data.manifest import beside, read_manifest
from core.files.envi import data_of, is_header
from core.files.spectra_collection import AGILENT, TEXTS, files_of
from core.result import NamedFile

MOST = 200
"""So many files are named one by one; what is more is summed up in one line."""


def source_files(path: Path) -> tuple[NamedFile, ...]:
    """Return the files at ``path``: a file and those that belong to it, a table and the images that it names, or all
    files of a folder."""
    found = files_of(path) if path.is_dir() else belonging(path)
    named = [identified(name, each) for name, each in sorted(found.items())]
    if len(named) <= MOST:
        return tuple(named)
    rest = named[MOST:]
    digest = hashlib.sha256("".join(f"{each.name}\0{each.sha256}\n" for each in rest).encode()).hexdigest()
    more = NamedFile(f"and {len(rest)} more files", sum(each.bytes for each in rest), digest)
    return (*named[:MOST], more)


def belonging(path: Path) -> dict[str, Path]:
    """Return the file at ``path`` and those that are read with it, by their names relative to its folder."""
    found = {path.name: path}
    try:
        if path.suffix.lower() == ".hdr" and is_header(path):
            data = data_of(path)
            found[data.name] = data
        elif path.suffix.lower() in AGILENT:
            same = (each for each in path.parent.iterdir() if each.stem.lower() == path.stem.lower())
            found |= {each.name: each for each in same if each.suffix.lower() in AGILENT}
        elif path.suffix.lower() in TEXTS:
            for entry in read_manifest(path, beside(path)):
                files = [each for each in (entry.image, entry.labels, entry.picture) if each is not None]
                files += [data_of(each) for each in files if each.suffix.lower() == ".hdr" and is_header(each)]
                found |= {_within(each, path.parent): each for each in files}
    except (OSError, UserError):
        # who reads the data has named the fault
        return found
    return found


def _within(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def identified(name: str, path: Path) -> NamedFile:
    """Return the file at ``path``, called ``name``."""
    with path.open("rb") as file:
        return NamedFile(name[-200:], path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
