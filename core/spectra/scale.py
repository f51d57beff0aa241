"""The numbers of spectra: absorbance, transmittance or counts, by their unit or by what is plausible."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError

Floats = NDArray[np.float64]
Scale = Literal["auto", "absorbance", "percent", "transmittance", "counts"]

SCALES: tuple[Scale, ...] = ("auto", "absorbance", "percent", "transmittance", "counts")
# absorbance seldom exceeds 4, the most that a detector resolves; transmittance in percent lies well above
PERCENT_ABOVE = 8.0
HIGHEST_PERCENT, HIGHEST_SHARE = 200.0, 1.6
SAMPLE = 2000
# cm^-1: where tissue and most organic matter absorb, and where they hardly do
BANDS = ((1635, 1670), (1535, 1555), (3260, 3320), (2910, 2935), (1070, 1090))
GAPS = ((1775, 1900), (1900, 2250), (2420, 2700), (3750, 4000), (1350, 1365))
# of the range of the mean spectrum
CLEAR_DIFFERENCE = 0.25
CLEAR_SKEW = 0.5
# of all light, passed between the bands
LEAST_LIGHT = 0.6
FEWEST_BANDS = 16
CHOOSE = "Choose what the numbers are: absorbance, transmittance or counts."


def plausible_scale(spectra: Floats, wavenumbers: Floats) -> Scale:
    """Return what the numbers of ``spectra`` (N, B) at ``wavenumbers`` (B,) are, by their range and by whether bands
    rise or dip. UserError unit_unknown where they could be percent or counts.

    >>> plausible_scale(np.array([[88.0, 35.0, 92.0]]), np.array([1000.0, 1655.0, 1850.0]))
    'percent'
    """
    finite = spectra[np.isfinite(spectra)]
    low, median, high = (float(each) for each in np.quantile(finite, (0.001, 0.5, 0.999)))
    if median > PERCENT_ABOVE:
        if high > HIGHEST_PERCENT:
            return "counts"
        dips = _dips(spectra, wavenumbers)
        if dips is False:
            raise UserError(
                "unit_unknown",
                "The numbers could be transmittance in percent, or counts of a Raman spectrometer.",
                CHOOSE,
            )
        return "percent"
    light = low > -0.1 and high <= HIGHEST_SHARE and np.nanmedian(np.nanmax(spectra, axis=1)) > LEAST_LIGHT
    return "transmittance" if light and _dips(spectra, wavenumbers) else "absorbance"


def _dips(spectra: Floats, wavenumbers: Floats) -> bool | None:
    """Return whether bands are dips, as in transmittance; None where the spectra do not show it."""
    mean = np.nanmean(spectra, axis=0)
    spread = float(np.nanmax(mean) - np.nanmin(mean))
    if spread <= 0 or len(mean) < FEWEST_BANDS:
        return None
    inside, outside = (_measured(mean, wavenumbers, ranges) for ranges in (BANDS, GAPS))
    if inside.size and outside.size:
        difference = float(inside.mean() - outside.mean()) / spread
        return difference < 0 if abs(difference) > CLEAR_DIFFERENCE else None
    skew = float(np.nanmean(((mean - np.nanmean(mean)) / max(float(np.nanstd(mean)), 1e-12)) ** 3))
    return skew < 0 if abs(skew) > CLEAR_SKEW else None


def _measured(mean: Floats, wavenumbers: Floats, ranges: tuple[tuple[int, int], ...]) -> Floats:
    inside = np.zeros(len(wavenumbers), bool)
    for low, high in ranges:
        inside |= (wavenumbers >= low) & (wavenumbers <= high)
    found: Floats = mean[inside & np.isfinite(mean)]
    return found
