"""The scans of a batch: one row of a table, or one scan of a BIDS data set, is one of them."""

from __future__ import annotations

import csv
import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path, PurePath

from core.declaration import Task
from core.errors import UserError
from core.files.convert import numbered
from core.files.table_text import SEPARATORS, is_text, read_text
from core.result import VOLUME_SUFFIX

MOST_BYTES = 64 << 20
NAME = "name"
LONGEST_NAME = 100
# of a name that a file system or a table program could take for something else
UNFIT = re.compile(r"[^\w .+@()=,-]")
# what a file of a scan ends with, and its name as that of a scan leaves out
ENDS = (
    *(VOLUME_SUFFIX, ".dcm.gz", ".nii", ".dcm", ".mgz", ".mgh", ".nrrd", ".nhdr", ".mha", ".mhd", ".zip"),
    *(".npz", ".csv", ".mat", ".hdr", ".tif", ".tiff"),
)
# of the signs that a name may hold, those that it does not begin with
NOT_FIRST = " ._-+@()=,"
SHOWN = 5
# how R, pandas and spreadsheets write a cell without a value
NO_VALUE = frozenset({"na", "n/a", "#n/a", "nan"})
QUOTE = "Put cells with a separator in quotes; every row has the columns of the first line."


@dataclass(frozen=True)
class Scan:
    """One scan of a batch.

    name: of its folder, unique in the batch. inputs: input name -> file or folder. params: those of this scan alone.
    """

    name: str
    inputs: Mapping[str, str]
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ScanList:
    """The scans of a table, in its order, and the titles of columns that mean nothing to the task."""

    scans: tuple[Scan, ...]
    unused: tuple[str, ...] = ()


def read_scans(table: Path, task: Task, reserved: Sequence[str] = ()) -> ScanList:
    """Return the scans that ``table`` lists: a row each, a column for each input, parameter or ``name``.

    Paths are relative to the folder of the table. Columns go by their titles in any case; separators, encodings and a
    byte order mark are found out, and so is how another system writes the path of a file that is there. A scan without
    a name has that of its first file, with folders before it where that is not unique. reserved: names that no scan may
    have.
    UserError file_missing, manifest_wrong where the table cannot be meant, with its lines; whether the files of its
    rows exist is not looked at.
    """
    lines = _lines(table)
    columns, unused = _columns(lines[0][1], task)
    width = len(lines[0][1])
    base = table.absolute().parent
    rows = [(number, _filled(base, _row(number, cells, columns, width))) for number, cells in lines[1:]]
    if not rows:
        raise _wrong("The table has no rows.", "Give one line for each scan.")
    named = _named(rows, [entry.name for entry in task.inputs if entry.name in columns.values()])
    _require_unique(named, reserved)
    inputs = {entry.name for entry in task.inputs}
    scans = tuple(
        Scan(
            name,
            {title: _place(base, cell) for title, cell in row.items() if title in inputs and cell},
            {title: cell for title, cell in row.items() if title not in inputs and title != NAME and cell},
        )
        for (_, row), (_, name) in zip(rows, named, strict=True)
    )
    for (number, _), scan in zip(rows, scans, strict=True):
        _check_params(number, task, scan.params)
    return ScanList(scans, unused)


def _filled(base: Path, row: Mapping[str, str]) -> dict[str, str]:
    """Return a row with cells that state no value empty, but for names, and files that are called so."""
    return {
        title: "" if title != NAME and cell.lower() in NO_VALUE and not os.path.lexists(base / cell) else cell
        for title, cell in row.items()
    }


def _place(base: Path, cell: str) -> str:
    """Return the path that a cell gives: as it is written, or as another system writes the one that is there."""
    if cell.isascii() and "\\" not in cell:
        return str(base / cell)
    forward = cell.replace("\\", "/")
    # Finder decomposes letters, what is typed into a table is composed
    forms = [unicodedata.normalize(form, text) for text in (cell, forward) for form in ("NFC", "NFD")]
    found = [text for text in dict.fromkeys((cell, *forms)) if os.path.lexists(numbered(base / text)[0])]
    return str(base / (found[0] if found else cell))


def fit_name(text: str) -> str:
    """Return ``text`` as the name of a scan, "" where nothing is left that harms in no file system."""
    cleaned = UNFIT.sub("_", unicodedata.normalize("NFC", text)).lstrip(NOT_FIRST).rstrip(" .")
    while len(cleaned.encode()) > LONGEST_NAME:
        cleaned = cleaned[1:].lstrip(NOT_FIRST)
    return cleaned


def _lines(table: Path) -> list[tuple[int, list[str]]]:
    """Return the lines that are not empty as cells, with their numbers."""
    try:
        if table.stat().st_size > MOST_BYTES:
            raise _wrong("The table has more than 64 MB.", "Give a text table with one line for each scan.")
        with table.open("rb") as file:
            head = file.read(4096)
        text = read_text(table)
    except IsADirectoryError as error:
        hint = "Give a CSV file with one line for each scan; counterscan bids takes the folder of a BIDS data set."
        raise UserError("file_missing", "This is a folder, not a table of scans.", hint) from error
    except OSError as error:
        raise UserError("file_missing", "The table of scans cannot be read.", "Check its path.") from error
    if not is_text(head):
        raise _wrong("This is no text table.", "Give a CSV file with one line for each scan.")
    stated = re.match(r'"?sep=(.)"?\n', text, re.IGNORECASE)
    separator = stated.group(1) if stated else _separator(text)
    try:
        reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
        # each cell as it is, less the blanks around it
        found = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise _wrong(f"The table cannot be read: {error}.", QUOTE) from error
    lines = [line for line in found[1 if stated else 0 :] if any(line[1])]
    if not lines:
        raise _wrong("The table is empty.", "Give a line of column titles and one line for each scan.")
    return lines


def _separator(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=first.count)


def _columns(titles: Sequence[str], task: Task) -> tuple[dict[int, str], tuple[str, ...]]:
    """Return index -> name of the columns that mean something, and the titles of the others."""
    known = [NAME, *(entry.name for entry in task.inputs), *(param.name for param in task.params)]
    plain = {_plain(name): name for name in known}
    columns = {index: plain[_plain(title)] for index, title in enumerate(titles) if _plain(title) in plain}
    twice = [name for name, times in Counter(columns.values()).items() if times > 1]
    if twice:
        raise _wrong(f"The table has two columns {twice[0]!r}.", "Leave one of them out.")
    missing = [entry.name for entry in task.required if entry.name not in columns.values()]
    if missing or not any(entry.name in columns.values() for entry in task.inputs):
        wanted = " and ".join(missing) or " or ".join(entry.name for entry in task.inputs)
        raise _wrong(
            f"The table has no column {wanted}; its columns are {', '.join(title[:40] for title in titles[:12])}.",
            f"{task.title} takes the columns {', '.join(entry.name for entry in task.inputs)}; name is optional.",
        )
    return columns, tuple(title for index, title in enumerate(titles) if index not in columns and title)


def _plain(title: str) -> str:
    return re.sub(r"[\s_-]+", "_", title.strip().lower())


def _row(number: int, cells: Sequence[str], columns: Mapping[int, str], width: int) -> dict[str, str]:
    """Return column name -> cell of a line; cells that its end lacks are empty."""
    if any(cells[width:]):
        raise _wrong(f"Line {number} has {len(cells)} cells, the first line {width}.", QUOTE)
    return {name: cells[index] if index < len(cells) else "" for index, name in columns.items()}


def _named(rows: Sequence[tuple[int, Mapping[str, str]]], main: Sequence[str]) -> list[tuple[int, str]]:
    """Return line and name of each row; main: the inputs by whose files scans are named, the first that is there."""
    own = [row.get(NAME, "") for _, row in rows]
    for (number, _), name in zip(rows, own, strict=True):
        if name and fit_name(name) != unicodedata.normalize("NFC", name):
            raise _wrong(
                f"Line {number}: a scan cannot be named {name[:40]!r}.",
                f"Begin with a letter or a digit; no slashes, and at most {LONGEST_NAME} bytes.",
            )
    paths = [next((row[name] for name in main if row[name]), "") for _, row in rows]
    made = _apart([_parts(path) for path in paths])
    return [
        (number, unicodedata.normalize("NFC", name) or there or f"line-{number}")
        for (number, _), name, there in zip(rows, own, made, strict=True)
    ]


def _parts(path: str) -> tuple[str, ...]:
    """Return a path from its end: the name of the file without its kind, its folder, the folder of that."""
    pure = PurePath(path.replace("\\", "/"))
    end = next((end for end in ENDS if pure.name.lower().endswith(end)), "")
    stem = pure.name[: len(pure.name) - len(end)]
    parents = [part for part in pure.parent.parts if part not in (os.sep, ".", "..")]
    return tuple(filter(None, map(fit_name, (stem, *reversed(parents)))))


def names_apart(paths: Sequence[str]) -> list[str]:
    """Return a name for each path without its kind, fit for a folder: its last part, with folders before it as needed.

    UserError manifest_wrong where two cannot be told apart.
    """
    made = [one or f"scan-{number}" for number, one in enumerate(_apart([_parts(path) for path in paths]), 1)]
    twice = [name for name, times in Counter(map(str.casefold, made)).items() if times > 1]
    if twice:
        raise _wrong(f"Several scans would be called {twice[0]}.", "Give their files names that differ in letters.")
    return made


def _apart(paths: Sequence[tuple[str, ...]]) -> list[str]:
    """Return a name for each path: its last part, with as many parts before it as tell those of that name apart."""
    alike: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for parts in paths:
        alike["".join(parts[:1]).casefold()].append(parts)
    deep = {stem: _depth(group) for stem, group in alike.items()}
    return [fit_name("_".join(reversed(parts[: deep["".join(parts[:1]).casefold()]]))) for parts in paths]


def _depth(group: Sequence[tuple[str, ...]]) -> int:
    """Return how many last parts of the paths differ in all of them; all parts where they never do."""
    deepest = max(map(len, group))
    return next((n for n in range(1, deepest) if len({parts[:n] for parts in group}) == len(group)), deepest)


def _require_unique(named: Sequence[tuple[int, str]], reserved: Sequence[str]) -> None:
    """Refuse names that would give one folder, on file systems without case too."""
    lines: dict[str, list[int]] = defaultdict(list)
    for number, name in named:
        lines[name.casefold()].append(number)
    taken = [name for name in reserved if name.casefold() in lines]
    if taken:
        number = lines[taken[0].casefold()][0]
        raise _wrong(f"Line {number}: the batch itself writes {taken[0]}.", "Give the scan another name.")
    twice = [numbers for numbers in lines.values() if len(numbers) > 1]
    if twice:
        shown = "; ".join(", ".join(map(str, numbers[:SHOWN])) for numbers in twice[:SHOWN])
        raise _wrong(
            f"Several lines would write into one folder: {shown}.",
            f"Give each scan a name of its own in a column {NAME!r}.",
        )


def _check_params(number: int, task: Task, params: Mapping[str, str]) -> None:
    try:
        task.parse(params)
    except UserError as error:
        raise UserError(error.code, f"Line {number}: {error.message}", error.hint) from error


def _wrong(message: str, hint: str) -> UserError:
    return UserError("manifest_wrong", message, hint)
