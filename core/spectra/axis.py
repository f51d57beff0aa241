"""The positions of the bands: in wavenumbers by their unit, or by what is plausible where no unit is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.whole_numbers import is_index

Floats = NDArray[np.float64]
Unit = Literal["auto", "wavenumber", "raman", "micrometre", "nanometre"]

# how files write the units, in small letters without spaces, dots and brackets; the first that matches counts
WRITTEN: tuple[tuple[str, str], ...] = (
    ("raman", r"ramanshift.*|.*raman.*|shift.*|rel(ative)?(1/cm|cm\^?-1|wavenumbers?)"),
    ("wavenumber", r"wave-?numbers?.*|1/cm|cm\^?[-−–]1|(reciprocal|inverse)(cm|centimet.*)|cm⁻¹|cm\^\{-1\}|kayser"),
    ("nanometre", r"(wavelength)?(nm|nanomet\w*)"),
    ("micrometre", r"(wavelength)?([uµμ]m|(?:â|ã|â)?µm|micromet\w*|microns?)"),
    ("angstrom", r"(wavelength)?(å|angstr\w*)"),
    ("millimetre", r"mm|millimet\w*"),
    ("metre", r"m|met(re|er)s?"),
    ("gigahertz", r"ghz"),
    ("electronvolt", r"ev|electron-?volts?"),
)
CONVERSIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "wavenumber": lambda at: at,
    "raman": lambda at: at,
    "micrometre": lambda at: 1e4 / at,
    "nanometre": lambda at: 1e7 / at,
    "angstrom": lambda at: 1e8 / at,
    "millimetre": lambda at: 10 / at,
    "metre": lambda at: 1e-2 / at,
    "gigahertz": lambda at: at / 29.9792458,
    "electronvolt": lambda at: at * 8065.54394,
}
TITLES: Mapping[str, str] = {
    "wavenumber": "wavenumbers in cm^-1",
    "raman": "Raman shifts in cm^-1",
    "micrometre": "wavelengths in µm",
    "nanometre": "wavelengths in nm",
}
# far infrared to ultraviolet: what a spectrometer of tissue can measure
LOWEST, HIGHEST = 10.0, 50_000.0
CHOOSE = "Choose the unit of the positions (axis), or give the wavenumbers."


@dataclass(frozen=True, eq=False)
class Axis:
    """wavenumbers: (B,) cm^-1 in the order of the bands. raman: whether they are shifts. kept: (B,) False for a band
    that has no place. notices: sentences on how the positions were read."""

    wavenumbers: Floats
    raman: bool
    kept: NDArray[np.bool_]
    notices: tuple[str, ...] = ()


def unit_of(written: str) -> str:
    """Return the unit that a file writes as ``written``, a key of ``CONVERSIONS``; "" where it is none of them.

    >>> [unit_of(text) for text in ("Micrometers", "cm-1", "Raman shift (1/cm)", "Unknown")]
    ['micrometre', 'wavenumber', 'raman', '']
    """
    plain = re.sub(r"[\s.()\[\],_]+", "", written.lower())
    return next((unit for unit, pattern in WRITTEN if re.fullmatch(pattern, plain)), "")


def read_axis(positions: NDArray[Any], written: str = "", unit: Unit = "auto", *, raman: bool = False) -> Axis:
    """Return the ``positions`` (B,) of the bands as wavenumbers.

    written: the unit in the file's own words; unit: the user's, which goes before it; raman: whether the spectra are
    known to be Raman spectra. Without any unit the range decides, and a notice names what was taken.
    UserError no_wavenumbers where the positions are numbers of bands, where two units are plausible, or where the unit
    makes them impossible.

    >>> read_axis(np.array([5.0, 10.0]), "um").wavenumbers.tolist()
    [2000.0, 1000.0]
    """
    at = np.asarray(positions)
    if at.dtype.kind not in "iuf" or at.ndim != 1 or not at.size or not np.isfinite(at).all():
        raise UserError(
            "no_wavenumbers",
            "There is not one wavenumber for each band.",
            "Give the wavenumbers of the bands in cm^-1.",
        )
    at = at.astype(np.float64)
    known = unit if unit != "auto" else unit_of(written)
    notices: list[str] = []
    if not known:
        if is_index(at):
            raise UserError("no_wavenumbers", "The bands are numbered and have no wavenumbers.", CHOOSE)
        known = _plausible(at, raman)
        if known != ("raman" if raman else "wavenumber") or written.strip():
            notices.append(f"The positions of the bands, {_range(at)}, were taken for {TITLES[known]}.")
    elif known == "wavenumber" and raman:
        known = "raman"
    found, kept = _converted(at, known)
    if not kept.all():
        notices.append(f"{int((~kept).sum())} bands at 0 cm^-1 or below were left out.")
    if known in ("micrometre", "nanometre") and unit == "auto" and unit_of(written):
        notices.append(f"The bands are {TITLES[known]} in the file and were turned into wavenumbers.")
    return Axis(found, known == "raman", kept, tuple(notices))


def _converted(at: Floats, unit: str) -> tuple[Floats, NDArray[np.bool_]]:
    if unit == "raman":
        kept = np.ones(len(at), bool)
        possible = bool((np.abs(at) <= HIGHEST).all())
        return _possible(at, unit, possible), kept
    kept = at > 0
    found = np.where(kept, CONVERSIONS[unit](np.where(kept, at, 1.0)), np.nan)
    # a Fourier transform spectrometer begins at 0
    least = found[kept].max() if unit == "wavenumber" and kept.any() else found[kept].min(initial=np.inf)
    possible = bool(kept.any() and (found[kept] <= HIGHEST).all() and least >= LOWEST)
    return _possible(found, unit, possible), kept


def _possible(found: Floats, unit: str, possible: bool) -> Floats:
    if not possible:
        raise UserError("no_wavenumbers", f"The positions of the bands cannot be in the unit {unit}.", CHOOSE)
    return found


def _plausible(at: Floats, raman: bool) -> str:
    """Return the one unit in which an instrument for tissue has these positions."""
    low, high = float(at.min()), float(at.max())
    if low <= 0 and 100 <= high <= 8000:
        # shifts below the line of the laser, or a Fourier transform from 0
        return "raman" if raman or low < 0 else "wavenumber"
    if raman and low >= 0 and 100 <= high <= 5000:
        return "raman"
    if low >= 0.3 and high <= 60:
        return "micrometre"
    fingerprint = low < 4000 and 1100 <= high <= 4700
    if fingerprint and not _evenly_spaced_inverse(at):
        return "wavenumber"
    if low >= 2400 and 4700 < high <= 30_000 and _evenly_spaced_inverse(at):
        return "nanometre"
    # wavelengths from 2.4 um; wavenumbers that high begin lower
    if low >= 2400 and 4700 < high <= 30_000 and (high <= 8000 or low < 3500 or high > 13_000):
        return "nanometre"
    if low < 2400 and 4700 < high <= 8000:
        return "wavenumber"
    if fingerprint and low >= 350:
        return "nanometre"
    raise UserError("no_wavenumbers", f"The positions of the bands, {_range(at)}, have no unit.", CHOOSE)


def _evenly_spaced_inverse(at: Floats) -> bool:
    """Return whether the inverse is much more even than the positions: wavelengths of a Fourier transform."""
    if len(at) < 8:
        return False
    spread = [float(np.std(steps)) / max(abs(float(np.mean(steps))), 1e-12) for steps in (np.diff(at), np.diff(1 / at))]
    return spread[1] < 0.01 and spread[0] > 5 * spread[1] + 0.02


def _range(at: Floats) -> str:
    return f"{at.min():.5g} to {at.max():.5g}"
