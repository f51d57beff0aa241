"""A spectral image of a section, in absorbance or in counts of a Raman spectrometer, over ascending wavenumbers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.spectra.axis import Unit, read_axis
from core.spectra.scale import CHOOSE, SAMPLE, SCALES, Scale, plausible_scale

MAX_BANDS = 2048
LOWEST_TRANSMITTANCE = 1e-4
HIGHEST_TRANSMITTANCE_SHARE = 2.0
MOST_MISSING = 0.5
# of the bands of one spectrum; the rest is interpolated
MOST_GAPS = 0.2
DIVIDED = frozenset({"transmittance", "reflectance"})


@dataclass(frozen=True)
class Reading:
    """How numbers are read. scale: what they are, written_scale: in the file's words. axis: the unit of the positions
    of the bands, written_axis: in the file's words. raman: whether they are Raman spectra, None where unknown. keep:
    the wavenumbers (cm^-1) that are kept. bands: the most that are kept, neighbours averaged."""

    scale: Scale = "auto"
    written_scale: str = ""
    axis: Unit = "auto"
    written_axis: str = ""
    raman: bool | None = None
    keep: tuple[float, float] | None = None
    bands: int = MAX_BANDS


@dataclass(frozen=True, eq=False)
class Cube:
    """data: (H, W, B) float32, finite: absorbance, or counts where raman. wavenumbers: (B,) float64, cm^-1, ascending;
    shifts where raman. valid: (H, W) False where a spectrum was missing and is 0. notices: sentences on how the numbers
    were read and changed."""

    data: NDArray[np.float32]
    wavenumbers: NDArray[np.float64]
    valid: NDArray[np.bool_]
    raman: bool = False
    notices: tuple[str, ...] = ()


def make_cube(values: NDArray[Any], positions: NDArray[Any], reading: Reading | None = None) -> Cube:
    """Return the cube of ``values`` (H, W, B) with bands at ``positions`` (B,) in any order and unit.

    Transmittance and reflectance become A = -log10 T. A missing number is interpolated between its neighbours; a
    spectrum without a fifth of its bands is not valid. UserError cube_unreadable, no_wavenumbers, unit_unknown.

    >>> made = make_cube(np.array([[[1.0, 10.0]]]), np.array([1700, 1000]), Reading(scale="percent"))
    >>> made.data.round(3).tolist()
    [[[1.0, 2.0]]]
    """
    reading = reading or Reading()
    if values.ndim != 3 or values.size == 0 or values.dtype.kind not in "biuf":
        raise UserError("cube_unreadable", "The spectra are no numbers, or there are none.", "Export them again.")
    if np.shape(positions) != (values.shape[2],):
        raise UserError(
            "no_wavenumbers",
            "There is not one wavenumber for each band.",
            "Give the wavenumbers of the bands in cm^-1.",
        )
    axis = read_axis(np.asarray(positions), reading.written_axis, reading.axis, raman=bool(reading.raman))
    if axis.raman and reading.raman is None:
        reading = replace(reading, raman=True)
    order = np.argsort(np.where(axis.kept, axis.wavenumbers, np.inf), kind="stable")[: int(axis.kept.sum())]
    if reading.keep is not None:
        inside = (axis.wavenumbers[order] >= reading.keep[0]) & (axis.wavenumbers[order] <= reading.keep[1])
        order = order[inside]
    if not len(order):
        raise UserError("no_wavenumbers", "No band lies within the range that is kept.", "Choose another range.")
    at = axis.wavenumbers[order]
    found, binned = _binned(values, order, min(reading.bands, MAX_BANDS))
    notices = list(axis.notices)
    if binned is not None:
        at = np.array([at[start:end].mean() for start, end in binned])
        notices.append(f"{len(order)} bands were averaged to {len(at)}.")
    found, valid, gaps = _without_gaps(found)
    found, raman, scaled = _on_scale(found, valid, at, reading)
    return Cube(found, at, valid, raman, (*notices, *scaled, *gaps))


def _binned(
    values: NDArray[Any], order: NDArray[np.int64], most: int
) -> tuple[NDArray[np.float32], list[tuple[int, int]] | None]:
    """Return the bands in ``order`` as float32, at most ``most`` of them, and which of them each one averages."""
    if len(order) <= most:
        return values[:, :, order].astype(np.float32), None
    edges = np.linspace(0, len(order), most + 1).round().astype(int)
    bins = [(int(start), int(end)) for start, end in itertools.pairwise(edges)]
    parts = [values[:, :, order[start:end]].mean(axis=2, dtype=np.float32) for start, end in bins]
    return np.stack(parts, axis=2), bins


def _without_gaps(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_], tuple[str, ...]]:
    """Return ``values`` with single missing numbers interpolated, where spectra are valid, and a notice."""
    known = np.isfinite(values)
    share = known.mean(axis=2)
    valid = share >= 1 - MOST_GAPS
    if valid.mean() < 1 - MOST_MISSING:
        raise UserError("cube_unreadable", "Most of the spectra are no numbers.", "Export them again.")
    if known.all():
        return values, valid, ()
    values = values.copy()
    values[~valid] = 0
    bands = np.arange(values.shape[2])
    partial = np.argwhere(valid & (share < 1))
    for row, column in partial:
        there = known[row, column]
        values[row, column, ~there] = np.interp(bands[~there], bands[there], values[row, column, there])
    notices = []
    if len(partial):
        notices.append(f"Missing numbers in {len(partial)} spectra were interpolated.")
    if not valid.all():
        notices.append(f"{int((~valid).sum())} spectra lack more than {MOST_GAPS:.0%} of their bands and are left out.")
    return values, valid, tuple(notices)


def _on_scale(
    values: NDArray[np.float32], valid: NDArray[np.bool_], at: NDArray[np.float64], reading: Reading
) -> tuple[NDArray[np.float32], bool, tuple[str, ...]]:
    """Return absorbance or counts, whether they are of a Raman spectrometer, and notices."""
    flat = values[valid]
    sample = flat[:: max(1, len(flat) // SAMPLE)].astype(np.float64)
    scale = reading.scale
    written = reading.written_scale
    taken = ""
    if scale == "auto" and written in DIVIDED:
        scale = "percent" if float(np.quantile(sample, 0.99)) > HIGHEST_TRANSMITTANCE_SHARE else "transmittance"
    elif scale == "auto" and written in SCALES[1:]:
        scale = next(each for each in SCALES if each == written)
    elif scale == "auto":
        scale = "counts" if reading.raman else plausible_scale(sample, at)
        taken = " were taken for"
    if scale == "counts":
        if reading.raman is False:
            raise UserError("unit_unknown", "The numbers are neither absorbance nor transmittance.", CHOOSE)
        notice = "The numbers were taken for counts of a Raman spectrometer." if reading.raman is None else ""
        return values, True, (notice,) if notice else ()
    raman = bool(reading.raman)
    if scale == "absorbance" or raman:
        return values, raman, ()
    name = "reflectance" if written == "reflectance" else "transmittance"
    share = values / np.float32(100 if scale == "percent" else 1)
    found = np.where(valid[:, :, None], -np.log10(np.maximum(share, LOWEST_TRANSMITTANCE)), 0).astype(np.float32)
    percent = " in percent" if scale == "percent" else ""
    return found, False, (f"The numbers{taken or ' are'} {name}{percent} and were turned into absorbance.",)
