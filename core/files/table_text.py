"""Text tables of any program as rows of cells: encodings, separators, comments, decimal commas, missing cells."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from core.errors import UserError

MAX_BYTES = 512 << 20
MAX_COLUMNS = 20_000
FIELD_CHARACTERS = 10_000
SAMPLE_LINES = 60
SEPARATORS = (";", "\t", ",", "|")
BLANKS = " "
COMMENTS = ("#", "%", "//")
MISSING = frozenset({"", "na", "nan", "n/a", "#n/a", "null", "none", "-", "--", ".", "?", "missing"})
# Orange writes two more lines of header: the kind of each column and its part
KINDS = frozenset({"", "c", "d", "s", "t", "continuous", "discrete", "string", "time"})
DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")
DECIMAL_POINT = re.compile(r"[-+]?\d*\.\d+(?:[eE][-+]?\d+)?")
HOW = "Begin with a line of column names: label, patient, and the wavenumber of each band."


@dataclass(frozen=True)
class Cells:
    """rows: cells, all rows of one length. decimal_comma: whether numbers have commas. named: whether the first row is
    known to be names."""

    rows: list[list[str]]
    decimal_comma: bool
    named: bool = False

    def number(self, cell: str) -> float:
        """Return the number in a cell, NaN for one without a number; ``ValueError`` for a word."""
        text = cell.strip()
        if text.lower() in MISSING:
            return math.nan
        # Python reads 1_000 as a number
        if "_" in text:
            raise ValueError(text)
        return float(text.replace(",", ".") if self.decimal_comma else text)

    def is_number(self, cell: str) -> bool:
        """Return whether a cell holds a finite number."""
        try:
            return math.isfinite(self.number(cell))
        except ValueError:
            return False


def is_text(head: bytes) -> bool:
    """Return whether a file that begins with ``head`` is a text, in UTF-16 too."""
    return head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in head or _wide(head) != ""


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8, UTF-16 or Latin-1. UserError cube_too_large."""
    if path.stat().st_size > MAX_BYTES:
        raise UserError("cube_too_large", "The table has more than 512 MB.", "Save the spectra as NPZ.")
    stored = path.read_bytes()
    wide = "utf-16" if stored[:2] in (b"\xff\xfe", b"\xfe\xff") else _wide(stored[:400])
    try:
        text = stored.decode(wide or "utf-8-sig")
    except UnicodeDecodeError:
        text = stored.decode("utf-16" if wide else "cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_cells(path: Path) -> Cells:
    """Return the cells of a table. UserError cube_unreadable for rows of different length, cube_too_large."""
    lines = read_text(path).split("\n")
    separator = ""
    if lines and (stated := re.fullmatch(r"sep=(.)", lines[0].strip(' "'), re.IGNORECASE)):
        separator, lines = stated.group(1), lines[1:]
    above = takewhile(lambda line: not line.strip() or _is_comment(line), lines)
    comments = [line for line in above if line.strip()]
    lines = [line for line in lines if line.strip() and not _is_comment(line)]
    separator = separator or _separator(lines)
    rows = _split(lines, separator)
    if comments and rows:
        # the last comment may be the line of names
        named = _split([comments[-1].lstrip("#%/ ")], separator)[0]
        if len(named) == len(rows[0]) and len(named) > 1 and not any(map(_looks_like_number, named)):
            rows.insert(0, named)
    by_orange = len(rows) > 2 and set(map(str.lower, rows[1])) <= KINDS
    if by_orange:
        del rows[1:3]
    widths = Counter(map(len, rows))
    if not rows or len(widths) != 1 or max(widths) > MAX_COLUMNS:
        raise bad_table()
    return Cells(rows, separator != "," and _decimal_comma(rows), by_orange)


def bad_table() -> UserError:
    """Return the refusal of a table that is none."""
    return UserError("cube_unreadable", "The table has no rows, or rows of different length.", HOW)


def _is_comment(line: str) -> bool:
    text = line.lstrip()
    return text.startswith(COMMENTS) and not text.lower().startswith("#n/a")


def _wide(head: bytes) -> str:
    """Return the encoding of a text in UTF-16 without a mark, "" for another file."""
    if len(head) < 8:
        return ""
    even, odd = head[0::2], head[1::2]
    if not any(odd[:-1]) and all(even[:-1]):
        return "utf-16-le"
    return "utf-16-be" if not any(even[:-1]) and all(odd[:-1]) else ""


def _separator(lines: Sequence[str]) -> str:
    """Return the separator by which the first lines have equally many cells, of several the rarest in texts."""
    sample = lines[:SAMPLE_LINES]
    for mark in SEPARATORS:
        widths = {len(row) for row in _split(sample, mark)}
        if len(widths) == 1 and widths.pop() > 1:
            return mark
    blank = {len(line.split()) for line in sample}
    if len(blank) == 1 and blank.pop() > 1:
        return BLANKS
    return max(SEPARATORS, key=lambda mark: lines[0].count(mark) if lines else 0)


def _split(lines: Sequence[str], separator: str) -> list[list[str]]:
    if separator == BLANKS:
        return [line.split() for line in lines]
    csv.field_size_limit(FIELD_CHARACTERS)
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator)]
    except csv.Error as error:
        raise bad_table() from error
    # some programs end each line with a separator
    if rows and all(row and not row[-1] for row in rows):
        rows = [row[:-1] for row in rows]
    return rows


def _decimal_comma(rows: Sequence[Sequence[str]]) -> bool:
    cells = [cell for row in rows[:SAMPLE_LINES] for cell in row[:200]]
    commas = sum(DECIMAL_COMMA.fullmatch(cell) is not None for cell in cells)
    return commas > sum(DECIMAL_POINT.fullmatch(cell) is not None for cell in cells)


def _looks_like_number(cell: str) -> bool:
    return re.fullmatch(r"[-+]?[\d.,]+(?:[eE][-+]?\d+)?", cell.strip()) is not None
