"""Many files of single spectra as one set: on common bands, with what a table or the folders say of each file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.archive import MAX_FILES, is_litter
from core.files.envi import data_of, is_header
from core.files.table_text import MISSING, Cells, is_text, read_cells

Arrays = dict[str, NDArray[Any]]

HEAD_BYTES = 1024
# what lies beside measurements and is none
BESIDE = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".cfg", ".ini", ".log", ".md", ".pdf", ".doc", ".docx", ".json", ".xlsx"}
)
TEXTS = (".csv", ".tsv", ".txt", ".tab")
AGILENT = (".bsp", ".dat", ".seq", ".dmt", ".dmd", ".drd", ".dms", ".hdr")
# a column names the files where most of them are found in it
NAMED_SHARE = 0.5
COMMON = ("spectra", "wavenumbers", "axis", "unit", "technique", "notices", "cube")
PARTS = "Give one kind of spectra, with the unit in each file or the same program for all."


def files_of(folder: Path, most: int = MAX_FILES) -> dict[str, Path]:
    """Return the files of a folder by their names within it, no litter and no link. UserError too_many_files where
    there are more than ``most``."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not path.is_symlink() and not is_litter(name):
            found[name] = path
        if len(found) > most:
            raise UserError("too_many_files", f"There are more than {most} files.", "Give fewer files.")
    return found


def read_collection(files: Mapping[str, Path], read: Callable[[Path], Arrays]) -> Arrays:
    """Return the spectra of ``files`` (name with folders -> path), each read by ``read``, as one table of spectra.

    A table among them that names the others has their labels; without one, the names of their folders are the classes.
    Spectra are brought to the bands of the first by linear interpolation. One file alone is read as it is. UserError
    cube_unreadable, patches_mismatch.
    """
    mains = main_files(files)
    table = describing_table({name: files[name] for name in mains})
    names = [name for name in mains if files[name] != (table.path if table else None)]
    if not names:
        raise UserError("cube_unreadable", "There are no files of spectra.", PARTS)
    if len(names) == 1 and table is None:
        return read(files[names[0]])
    if table is not None:
        names = [name for name in names if table.row(name) is not None]
    parts = [read(files[name]) for name in names]
    found = _joined(names, parts)
    counts = [len(part["spectra"]) for part in parts]
    if table is not None:
        rows = [table.row(name) or () for name in names]
        for column, title in enumerate(table.titles):
            found[title] = np.repeat(np.array([row[column] for row in rows]), counts)
    elif len({_folder(name) for name in names}) > 1 and "class" not in found:
        found["class"] = np.repeat(np.array([_folder(name) for name in names]), counts)
    found["file"] = np.repeat(np.array([PurePosixPath(name).name[:100] for name in names]), counts)
    return found


class DescribingTable:
    """A table that describes files: ``titles`` of its columns, and ``rows`` of texts, one for each that it names."""

    def __init__(self, path: Path, cells: Cells, column: int) -> None:
        self.path = path
        kept = [index for index in range(len(cells.rows[0])) if index != column]
        self.titles = tuple(cells.rows[0][index].strip() or f"column {index + 1}" for index in kept)
        self.rows = [tuple("" if row[at].lower() in MISSING else row[at] for at in kept) for row in cells.rows[1:]]
        self._places = {key: place for place, row in enumerate(cells.rows[1:]) for key in reversed(_keys(row[column]))}

    def place(self, *names: str) -> int | None:
        """Return the number of the row, from 0, of the file that ``names`` name with its folders; of a file that the
        table has without or with other folders that of its last name; None where the table does not name it."""
        keys = [*(_keys(name)[0] for name in names), *_keys(names[0])[1:]]
        return next((self._places[key] for key in keys if key in self._places), None)

    def row(self, name: str) -> tuple[str, ...] | None:
        """Return the texts of the file ``name``, None where the table does not name it."""
        place = self.place(name)
        return None if place is None else self.rows[place]


def describing_table(files: Mapping[str, Path]) -> DescribingTable | None:
    """Return the first table among ``files`` (name with folders -> path) that describes the others, None without."""
    known = Counter(key for name in files for key in set(_keys(name)))
    tables = (_describing_table(name, path, known, len(files) - 1) for name, path in sorted(files.items()))
    return next((each for each in tables if each is not None), None)


def _describing_table(name: str, path: Path, known: Counter[str], others: int) -> DescribingTable | None:
    """Return the table ``name`` at ``path`` if one of its columns names most of the ``others`` files, else None.

    known: how many files have each of their names, counted once, as there may be thousands of tables to look at.
    """
    if path.suffix.lower() not in TEXTS or not others:
        return None
    with path.open("rb") as file:
        if not is_text(file.read(HEAD_BYTES)):
            return None
    try:
        cells = read_cells(path)
    except UserError:
        return None
    own = set(_keys(name))
    for column in range(min(len(cells.rows[0]), 50)):
        told = [cell[column] for cell in cells.rows[1:]]
        if told and sum(any(known[key] > (key in own) for key in _keys(cell)) for cell in told) >= max(
            1, NAMED_SHARE * min(len(told), others)
        ):
            return DescribingTable(path, cells, column)
    return None


def main_files(files: Mapping[str, Path]) -> list[str]:
    """Return the names of files that stand for a measurement: the header of an ENVI image and not its data, the first
    file of an Agilent tile or mosaic and not its others, no pictures and notes."""
    beside = {path for name, path in files.items() if path.suffix.lower() in BESIDE}
    for path in files.values():
        if path.suffix.lower() == ".hdr" and is_header(path):
            beside.add(data_of(path))
    stems = {(path.parent, path.stem.lower()) for path in files.values() if path.suffix.lower() in (".bsp", ".dmt")}
    for path in files.values():
        # the tiles of a mosaic have its name and their numbers
        stem = path.stem.lower()
        bases = {(path.parent, stem), (path.parent, stem[: -len("_0000_0000")])}
        if path.suffix.lower() in AGILENT and path.suffix.lower() not in (".bsp", ".dmt") and bases & stems:
            beside.add(path)
    return [name for name in sorted(files) if files[name] not in beside]


def _joined(names: Sequence[str], parts: Sequence[Arrays]) -> Arrays:
    first = parts[0]
    for name, part in zip(names, parts, strict=True):
        if "spectra" not in part or "wavenumbers" not in part or part["spectra"].ndim != 2:
            raise UserError(
                "cube_unreadable", f"{PurePosixPath(name).name[:80]!r} is no file of single spectra.", PARTS
            )
        if any(_text(part, key) != _text(first, key) for key in ("axis", "unit", "technique")):
            raise UserError(
                "patches_mismatch", f"{PurePosixPath(name).name[:80]!r} has another unit than the first file.", PARTS
            )
    at = first["wavenumbers"]
    same = all(np.array_equal(part["wavenumbers"], at) for part in parts)
    if not same:
        low = max(part["wavenumbers"].min() for part in parts)
        high = min(part["wavenumbers"].max() for part in parts)
        at = at[(at >= low) & (at <= high)]
        if len(at) < 2:
            raise UserError("patches_mismatch", "The files have no range of bands in common.", PARTS)
    found: Arrays = {"wavenumbers": at, "spectra": np.concatenate([_at(part, at, same) for part in parts])}
    found |= {key: first[key] for key in ("axis", "unit", "technique") if key in first}
    if not same:
        found["notices"] = np.array(["The files have different bands and were read at those of the first."])
    for key in set(first).difference(COMMON):
        if all(key in part and part[key].shape == (len(part["spectra"]),) for part in parts):
            columns = [part[key] for part in parts]
            texts = any(column.dtype.kind == "U" for column in columns)
            found[key] = np.concatenate([column.astype(str) if texts else column for column in columns])
    return found


def _at(part: Arrays, at: NDArray[Any], same: bool) -> NDArray[np.float32]:
    if same:
        return part["spectra"].astype(np.float32)
    order = np.argsort(part["wavenumbers"])
    positions, spectra = part["wavenumbers"][order], part["spectra"][:, order]
    return np.array([np.interp(at, positions, spectrum) for spectrum in spectra], np.float32)


def _text(part: Arrays, key: str) -> str:
    return str(part[key]) if key in part and part[key].ndim == 0 else ""


def _folder(name: str) -> str:
    return PurePosixPath(name).parent.name


def _keys(name: str) -> tuple[str, ...]:
    """Return the names under which a file may be known: with and without its folders and ending, in small letters."""
    path = PurePosixPath(name.strip().replace("\\", "/").lower())
    return str(path), path.name, path.stem if path.suffix else path.name
