"""Spectra as text: one a line, the first line names the columns and the wavenumbers."""

from __future__ import annotations

import csv
import itertools
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError

MAX_BYTES = 512 << 20
MAX_COLUMNS = 10_000
FIELD_CHARACTERS = 10_000
ANSWER = re.compile(r"logits?\W*\w*", re.IGNORECASE)
KINDS = frozenset({"", "c", "d", "s", "t", "continuous", "discrete", "string", "time"})
HOW = "Begin with a line of column names: label, patient, and the wavenumber of each band."


def read_table(path: Path) -> dict[str, NDArray[Any]]:
    """Return ``spectra`` (N, B) float32, ``wavenumbers`` (B,), ``logits`` (N, K) where columns are named so, and every
    other column by its name, as numbers where all of it is numbers.

    Separated by commas, tabs or semicolons, the last also with decimal commas. UserError cube_unreadable,
    no_wavenumbers.
    """
    if path.stat().st_size > MAX_BYTES:
        raise UserError("cube_too_large", "The table has more than 512 MB.", "Save the spectra as NPZ.")
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        first = file.readline(MAX_COLUMNS * 40)
        mark = max(";\t,", key=first.count)
        rows = csv.reader(itertools.chain([first], file), delimiter=mark)
        csv.field_size_limit(FIELD_CHARACTERS)
        try:
            names, columns = _columns(rows)
        except csv.Error as error:
            raise _bad() from error
    numbers = [_number(name, mark) for name in names]
    spectral = [index for index, value in enumerate(numbers) if value is not None]
    answers = [index for index, name in enumerate(names) if ANSWER.fullmatch(name.strip())]
    if not spectral and not answers:
        raise UserError("no_wavenumbers", "No column of the table is named by a wavenumber.", HOW)
    found: dict[str, NDArray[Any]] = {}
    if spectral:
        found["wavenumbers"] = np.array([numbers[index] for index in spectral], np.float64)
        found["spectra"] = _matrix([columns[index] for index in spectral], mark)
    if answers:
        found["logits"] = _matrix([columns[index] for index in answers], mark)
    for index in sorted(set(range(len(names))) - {*spectral, *answers}):
        found.setdefault(names[index].strip() or f"column {index + 1}", _column(columns[index], mark))
    return found


def _columns(rows: Iterator[list[str]]) -> tuple[list[str], list[tuple[str, ...]]]:
    names = next(rows, [])
    body = [row for row in rows if row]
    if body and set(body[0]) <= KINDS:
        # Orange writes two more lines of header: the kind of each column and its part
        del body[:2]
    if not body or len(names) > MAX_COLUMNS or any(len(row) != len(names) for row in body):
        raise _bad()
    return names, list(zip(*body, strict=True))


def _number(text: str, mark: str) -> float | None:
    """The wavenumber that a column is named by, also as "X1655.2" or "1655.2 cm-1"; None for another name."""
    plain = re.sub(r"^[Xx]|\s*(cm-1|cm\^-1|1/cm)$", "", text.strip())
    try:
        value = float(plain.replace(",", ".") if mark == ";" else plain)
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _matrix(columns: Sequence[Sequence[str]], mark: str) -> NDArray[np.float32]:
    found = [_column(column, mark) for column in columns]
    if any(column.dtype.kind == "U" for column in found):
        raise _bad()
    return np.stack(found, axis=1).astype(np.float32)


def _column(texts: Sequence[str], mark: str) -> NDArray[Any]:
    words = [text.strip().replace(",", ".") if mark == ";" else text.strip() for text in texts]
    try:
        return np.array([float(word) if word else math.nan for word in words])
    except ValueError:
        return np.array([text.strip()[:100] for text in texts])


def _bad() -> UserError:
    return UserError("cube_unreadable", "The table has no rows, or rows of different length.", HOW)
