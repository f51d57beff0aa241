"""A spectral image of a section, in absorbance over ascending wavenumbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError

Unit = Literal["auto", "absorbance", "percent", "transmittance"]

MAX_BANDS = 2048
LOWEST_TRANSMITTANCE = 1e-4
# absorbance seldom exceeds 4, the most that a detector resolves; transmittance in percent lies well above
PERCENT_ABOVE = 8.0
MOST_MISSING = 0.5


@dataclass(frozen=True, eq=False)
class Cube:
    """data: (H, W, B) float32, absorbance, finite. wavenumbers: (B,) float64, cm^-1, ascending. notices: sentences
    on how the numbers were changed."""

    data: NDArray[np.float32]
    wavenumbers: NDArray[np.float64]
    notices: tuple[str, ...] = ()


def make_cube(values: NDArray[Any], wavenumbers: NDArray[Any], unit: Unit = "auto") -> Cube:
    """Return the cube of ``values`` (H, W, B) in ``unit`` at ``wavenumbers`` (B,) in any order.

    percent and transmittance (0 to 1) become A = -log10 T; "auto" is percent where the median is above 8, else
    absorbance. Values that are not finite become 0. UserError cube_unreadable, cube_too_large (over 2048 bands),
    no_wavenumbers.

    >>> make_cube(np.array([[[1.0, 10.0]]]), np.array([1700, 1000]), "percent").data.round(3).tolist()
    [[[1.0, 2.0]]]
    """
    at = np.asarray(wavenumbers)
    if values.ndim != 3 or values.size == 0 or values.dtype.kind not in "biuf":
        raise UserError("cube_unreadable", "The spectra are no numbers, or there are none.", "Export them again.")
    if at.dtype.kind not in "iuf" or at.shape != (values.shape[2],) or not (np.isfinite(at).all() and (at > 0).all()):
        raise UserError(
            "no_wavenumbers",
            "There is not one wavenumber for each band.",
            "Give the wavenumbers of the bands in cm^-1.",
        )
    if values.shape[2] > MAX_BANDS:
        raise UserError("cube_too_large", f"There are more than {MAX_BANDS} bands.", "Keep a range, or every second.")
    order = np.argsort(at, kind="stable")
    found = values[:, :, order].astype(np.float32)
    notices = []
    missing = ~np.isfinite(found)
    if missing.mean() > MOST_MISSING:
        raise UserError("cube_unreadable", "Most of the spectra are no numbers.", "Export them again.")
    known = found[~missing]
    if unit == "percent" or (unit == "auto" and float(np.median(known)) > PERCENT_ABOVE):
        found = _absorbance(found / np.float32(100))
        notices.append("The numbers were taken for transmittance in percent and turned into absorbance.")
    elif unit == "transmittance":
        found = _absorbance(found)
        notices.append("Transmittance was turned into absorbance.")
    if missing.any():
        found[missing] = 0
        notices.append(f"{missing.mean():.2%} of the numbers were missing and are 0.")
    return Cube(found, at[order].astype(np.float64), tuple(notices))


def _absorbance(transmitted: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(-np.log10(np.maximum(transmitted, LOWEST_TRANSMITTANCE)), np.float32)
