"""Spectra as text: in rows below a line of wavenumbers, in columns beside one, or pixel by pixel with their places."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.table_text import HOW, MISSING, Cells, bad_table, read_cells
from core.files.value_units import WORDS, units_in
from core.files.whole_numbers import is_index

ANSWER = re.compile(r"logits?\W*\w*", re.IGNORECASE)
MICRO = "[uµμ]m|micromet[a-z]*|microns?"
AXIS_NAME = re.compile(
    rf"\W*(wave\W*(numbers?|lengths?)?|waves|wl|(raman\W*)?shift|cm\W?-?1?|nm|{MICRO}|lambda)\b.*", re.IGNORECASE
)
NUMBER_NAME = re.compile(
    r"(?P<before>[a-z]{0,11}[_. ]*)(?P<number>-?\d+(?:[.,]\d+)?(?:e[-+]?\d+)?)"
    rf"(?P<after>[\s_]*[(\[]?(?:cm\S{{0,6}}|1/cm|nm|{MICRO})?[)\]]?)",
    re.IGNORECASE,
)
BEFORE = frozenset({"", "x", "v", "wn", "wl", "nm", "um", "cm", "wavenumber", "wavelength", "band", "shift"})
# percent before transmittance, which it is too
VALUES = {"absorbance": WORDS["absorbance"], "percent": "%t", **WORDS}
PLACES = {
    "x": r"#?x\b.*|.*\(x\)|map_x",
    "y": r"#?y\b.*|.*\(y\)|map_y",
    "wave": r"#?wave.*|.*shift.*",
    "value": r"#?inten.*|#?abs.*|#?counts.*",
}
# the names of what a table of spectra means, which no other column of it may have
RESERVED = frozenset({"ir", "cube", "spectra", "wavenumbers", "axis", "unit", "logits", "technique", "notices"})
FEWEST_POINTS = 8
LONE_STEPS = 20.0
LARGER = 3.0
TEXT_CHARACTERS = 100


def read_table(path: Path) -> dict[str, NDArray[Any]]:
    """Return ``spectra`` (N, B) float32, NaN where a cell is empty, ``wavenumbers`` (B,) as written and ``axis``, their
    unit as written, ``logits`` (N, K) where columns are named so, and every other column by its name.

    A column is an array of numbers where all of it is numbers, else of texts, "" for an empty cell. A table without
    positions of bands has no ``wavenumbers``. UserError cube_unreadable, cube_too_large, no_wavenumbers.
    """
    cells = read_cells(path)
    rows = cells.rows
    if _long(rows):
        return _from_long(cells)
    named = cells.named or not all(cells.is_number(cell) or cell.lower() in MISSING for cell in rows[0])
    body = rows[1:] if named else rows
    if not body:
        raise bad_table()
    if _first_column_is_axis(cells, rows[0] if named else None, body):
        return _from_columns(cells, rows)
    places = {
        index: place for index, name in enumerate(rows[0]) if named and (place := _place(name, cells.decimal_comma))
    }
    spectral, apart = _run(places)
    # names that neither rise nor fall are the first spectrum of a table without names
    if not named or len(apart) > max(len(spectral) // 2, 3):
        return _without_names(cells, rows)
    return _from_rows(cells, rows[0], body, {index: places[index] for index in spectral}, apart)


def _from_rows(
    cells: Cells,
    names: Sequence[str],
    body: Sequence[Sequence[str]],
    places: Mapping[int, tuple[float, str]],
    apart: Sequence[int],
) -> dict[str, NDArray[Any]]:
    """Read one spectrum a row; ``places`` are the columns of the bands, ``apart`` others that a number names."""
    columns = list(zip(*body, strict=True))
    answers = [index for index, name in enumerate(names) if ANSWER.fullmatch(name.strip())]
    if not places and not answers:
        raise UserError("no_wavenumbers", "No column of the table is named by a wavenumber.", HOW)
    found: dict[str, NDArray[Any]] = {}
    if places:
        found["wavenumbers"] = np.array([place[0] for place in places.values()], np.float64)
        units = {place[1] for place in places.values()}
        found["axis"] = np.array(units.pop() if len(units) == 1 else "")
        found["spectra"] = _matrix([columns[index] for index in places], cells)
    if answers:
        found["logits"] = _matrix([columns[index] for index in answers], cells)
    if apart:
        lone = ", ".join(repr(names[index][:30]) for index in apart)
        found["notices"] = np.array([f"Columns named by a number apart from the others are no bands: {lone}."])
    for index in sorted(set(range(len(names))) - {*places, *answers}):
        found.setdefault(_free_name(names[index], index), _column(columns[index], cells))
    return found


def _without_names(cells: Cells, rows: Sequence[Sequence[str]]) -> dict[str, NDArray[Any]]:
    """Read a table of numbers; its first row is the axis where it rises or falls throughout and no other does."""
    columns = [_column(column, cells) for column in zip(*rows, strict=True)]
    words = {f"column {index + 1}": column for index, column in enumerate(columns) if column.dtype.kind == "U"}
    numbers = [column for column in columns if column.dtype.kind != "U"]
    if not numbers:
        raise bad_table()
    values = np.stack(numbers, axis=1)
    first = np.isfinite(values[0])
    axis, others = values[0, first], values[1:, first]
    larger = others.size > 0 and np.abs(axis).max() > LARGER * np.nanmax(np.abs(others))
    alone = not any(_monotone(row) for row in others)
    if words or not (_monotone(axis) and (larger or (alone and len(axis) >= FEWEST_POINTS))):
        return {"spectra": values.astype(np.float32), **words}
    found = {"wavenumbers": axis, "axis": np.array(""), "spectra": others.astype(np.float32)}
    return found | {f"column {index + 1}": values[1:, index] for index in np.flatnonzero(~first)}


def _from_columns(cells: Cells, rows: Sequence[Sequence[str]]) -> dict[str, NDArray[Any]]:
    """Read one spectrum a column beside the column of positions; rows above the numbers describe the spectra."""
    start = 1 + max((index for index, row in enumerate(rows) if not cells.is_number(row[0])), default=-1)
    try:
        values = np.array([[cells.number(cell) for cell in row] for row in rows[start:]])
    except ValueError as error:
        raise bad_table() from error
    found: dict[str, NDArray[Any]] = {"wavenumbers": values[:, 0], "spectra": values[:, 1:].T.astype(np.float32)}
    above = rows[:start]
    found["axis"] = np.array(above[0][0] if above else "")
    if above:
        found["unit"] = np.array(_values_unit(above[0][1:]))
        found["spectrum"] = np.array([cell[:TEXT_CHARACTERS] for cell in above[0][1:]])
    for index, row in enumerate(above[1:], 1):
        found.setdefault(_free_name(row[0], index), _column(row[1:], cells))
    return found


def _from_long(cells: Cells) -> dict[str, NDArray[Any]]:
    """Read one number a row, with place and position: a map as microscopes export it."""
    at = _places(cells.rows[0])
    table = np.array([[cells.number(row[at[name]]) for name in PLACES] for row in cells.rows[1:]])
    pixels, pixel = np.unique(table[:, :2], axis=0, return_inverse=True)
    axis, band = np.unique(table[:, 2], return_inverse=True)
    spectra = np.full((len(pixels), len(axis)), np.nan, np.float32)
    spectra[pixel.ravel(), band] = table[:, 3]
    names = cells.rows[0]
    return {
        "spectra": spectra,
        "wavenumbers": axis,
        "axis": np.array(names[at["wave"]].strip("#")),
        "unit": np.array(_values_unit([names[at["value"]]])),
        "x": pixels[:, 0],
        "y": pixels[:, 1],
    }


def _long(rows: Sequence[Sequence[str]]) -> bool:
    return len(rows) > 1 and len(rows[0]) == len(PLACES) and len(set(_places(rows[0]).values())) == len(PLACES)


def _places(names: Sequence[str]) -> dict[str, int]:
    """Return the column of each of place, position and number."""
    return {
        what: index
        for index, name in enumerate(names)
        for what, pattern in PLACES.items()
        if re.fullmatch(pattern, name.strip().lower())
    }


def _first_column_is_axis(cells: Cells, names: Sequence[str] | None, body: Sequence[Sequence[str]]) -> bool:
    """Return whether the first column holds the positions of the bands."""
    named_so = names is not None and AXIS_NAME.fullmatch(names[0]) is not None
    numbers = [cells.number(row[0]) if cells.is_number(row[0]) else math.nan for row in body]
    start = next((index for index, value in enumerate(numbers) if math.isfinite(value)), len(numbers))
    positions = np.array(numbers[start:])
    # rows of words above the numbers describe the spectra
    if len(body[0]) < 2 or len(positions) < (2 if named_so else FEWEST_POINTS) or not _monotone(positions):
        return False
    if named_so:
        return True
    bands = [place[0] for name in names or () if (place := _place(name, cells.decimal_comma))]
    if len(bands) > 1 and not is_index(np.array(bands)):
        return False
    # a column that numbers the rows is no axis, unless there is nothing but it and one spectrum
    return len(body[0]) == 2 or not is_index(positions)


def _place(name: str, decimal_comma: bool) -> tuple[float, str] | None:
    """Return the position that a column is named by and its unit as written: "X1655.2", "1655.2 (cm-1)", "nm_900"."""
    found = NUMBER_NAME.fullmatch(name.strip())
    if found is None or ("," in found["number"] and not decimal_comma):
        return None
    before, after = found["before"].lower().strip("_. "), found["after"].strip("_()[] ")
    value = float(found["number"].replace(",", "."))
    if before not in BEFORE or not math.isfinite(value):
        return None
    # R writes -100 as X.100
    value = -value if found["before"].lower() == "x." else value
    return value, after or (before if before in ("nm", "um", "wavenumber", "shift") else "")


def _run(places: Mapping[int, tuple[float, str]]) -> tuple[list[int], list[int]]:
    """Return the columns of the longest run of rising or falling positions, and those that are no bands.

    A number or two at an end, far from the others, are no bands either: a year, or the number of a patient.
    """
    columns, positions = list(places), [place[0] for place in places.values()]
    best: tuple[int, int] = (0, 0)
    for sign in (1, -1):
        start = 0
        for index in range(1, len(columns) + 1):
            if index == len(columns) or sign * (positions[index] - positions[index - 1]) <= 0:
                best = max(best, (start, index), key=lambda pair: pair[1] - pair[0])
                start = index
    first, last = best
    steps = np.abs(np.diff(positions[first:last]))
    usual = float(np.median(steps)) if len(steps) > 3 else math.inf
    for _ in range(2):
        if last - first > 4 and abs(positions[first + 1] - positions[first]) > LONE_STEPS * usual:
            first += 1
        if last - first > 4 and abs(positions[last - 1] - positions[last - 2]) > LONE_STEPS * usual:
            last -= 1
    kept = list(columns[first:last])
    return kept, [column for column in columns if column not in kept]


def _monotone(values: NDArray[np.float64]) -> bool:
    steps = np.diff(values)
    return bool(np.isfinite(values).all() and len(values) > 1 and ((steps > 0).all() or (steps < 0).all()))


def _values_unit(names: Sequence[str]) -> str:
    return next(iter(units_in("".join(names[:3]).replace(" ", ""), VALUES)), "")


def _matrix(columns: Sequence[Sequence[str]], cells: Cells) -> NDArray[np.float32]:
    found = [_column(column, cells) for column in columns]
    if any(column.dtype.kind == "U" for column in found):
        raise bad_table()
    return np.stack(found, axis=1).astype(np.float32)


def _column(texts: Sequence[str], cells: Cells) -> NDArray[Any]:
    try:
        return np.array([cells.number(text) for text in texts])
    except ValueError:
        return np.array(["" if text.lower() in MISSING else text[:TEXT_CHARACTERS] for text in texts])


def _free_name(name: str, index: int) -> str:
    plain = name.strip()[:TEXT_CHARACTERS] or f"column {index + 1}"
    return f"{plain} (column)" if plain in RESERVED else plain
