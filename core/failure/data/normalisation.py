"""How the user's spectra were normalised before they came, and the same normalisation of spectra that were changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Floats = NDArray[np.float64]
Kind = Literal["", "variate", "range", "maximum", "norm", "area", "band"]

# relative spread below which a number is the same in all spectra: files are written to four digits
SAME = 2e-3
# a band that others are divided by is not one of those that hardly absorb
LEAST_BAND = 0.05
# a derivative swings evenly about 0: its mean over the mean of the sizes is below
BALANCED = 0.1
FEWEST_BANDS, FEWEST_SPECTRA, SAMPLE = 8, 8, 5000
TINY = 1e-12
WORDS: dict[str, str] = {
    "variate": "to mean 0 and deviation 1 (SNV)",
    "range": "from 0 to its highest band",
    "maximum": "to its highest band",
    "norm": "to its norm",
    "area": "to its area",
    "band": "to one band",
}


@dataclass(frozen=True, eq=False)
class Normalisation:
    """kind: what is the same in all spectra, "" where nothing is. derivative: whether they are derivatives of spectra.
    target: the number that is the same. band: its place, for the kind "band". height: usual range of a spectrum."""

    kind: Kind = ""
    derivative: bool = False
    target: float = 1.0
    band: int = 0
    height: float = 1.0

    @property
    def words(self) -> str:
        """How the spectra were normalised, as the end of a sentence; "" where they were not."""
        return WORDS.get(self.kind, "")

    def restore(self, values: Float) -> Float:
        """Return changed spectra ``values`` (N, C, H, W) normalised again."""
        if not self.kind:
            return values
        if self.kind == "variate":
            deviation = np.maximum(values.std(axis=1, keepdims=True), TINY)
            return np.asarray((values - values.mean(axis=1, keepdims=True)) / deviation, np.float32)
        if self.kind == "range":
            values = values - values.min(axis=1, keepdims=True)
        size = np.maximum(_size(self.kind, self.band, values), TINY)
        return np.asarray(values * (self.target / size), np.float32)

    def as_absorbance(self, values: Float) -> Float:
        """Return ``values`` (N, C, H, W) in the range of absorbance, 0 to 1, so that an amount in absorbance fits."""
        if not self.kind or self.derivative:
            return values
        base = values.min(axis=1, keepdims=True) if self.kind == "variate" else 0.0
        return np.asarray((values - base) / self.height, np.float32)


NOT_NORMALISED = Normalisation()


def normalisation_of(values: Float) -> Normalisation:
    """Return how the spectra ``values`` (N, C, H, W) were normalised, pixel by pixel, and whether they are derivatives.

    Nothing is found in fewer than 8 spectra or bands.
    """
    every = values.transpose(0, 2, 3, 1).reshape(-1, values.shape[1])
    spectra: Floats = np.asarray(every[:: max(1, len(every) // SAMPLE)], np.float64)
    if min(spectra.shape[0] - FEWEST_SPECTRA, spectra.shape[1] - FEWEST_BANDS) < 0:
        return NOT_NORMALISED
    derivative = _is_derivative(spectra)
    height = float(np.median(np.ptp(spectra, axis=1))) or 1.0
    made = partial(Normalisation, derivative=derivative, height=height)
    deviation = spectra.std(axis=1)
    if _same(deviation) and np.abs(spectra.mean(axis=1)).max() < SAME * deviation.mean():
        return made("variate")
    pixels = spectra[:, :, None, None]
    kinds: tuple[Kind, ...] = ("maximum", "norm", "area")
    for kind in kinds:
        sizes = _size(kind, 0, pixels).ravel()
        if _same(sizes):
            floored = kind == "maximum" and np.ptp(spectra.min(axis=1)) < SAME * height
            return made("range" if floored and not derivative else kind, target=float(np.median(sizes)))
    spread = spectra.std(axis=0) / np.maximum(np.abs(spectra.mean(axis=0)), TINY)
    spread[np.abs(spectra.mean(axis=0)) < LEAST_BAND * np.abs(spectra).max()] = np.inf
    band = int(spread.argmin())
    if spread[band] < SAME:
        return made("band", target=float(np.median(spectra[:, band])), band=band)
    return made()


def _size(kind: Kind, band: int, values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the size of each spectrum of ``values`` (N, C, H, W) that ``kind`` keeps the same: (N, 1, H, W)."""
    found: NDArray[np.floating] = _SIZES[kind](values) if kind in _SIZES else values[:, band : band + 1]
    return found


_SIZES: dict[str, Callable[[NDArray[np.floating]], NDArray[np.floating]]] = {
    "range": lambda values: values.max(axis=1, keepdims=True),
    "maximum": lambda values: values.max(axis=1, keepdims=True),
    "norm": lambda values: np.sqrt((values**2).sum(axis=1, keepdims=True)),
    "area": lambda values: np.abs(values).sum(axis=1, keepdims=True),
}


def _same(sizes: NDArray[np.floating]) -> bool:
    return bool(sizes.mean() > TINY and sizes.std() < SAME * sizes.mean())


def _is_derivative(spectra: Floats) -> bool:
    """Return whether most of ``spectra`` (S, C) swing evenly about 0 and dip further than they rise, which no
    absorbance does."""
    mean, size = spectra.mean(axis=1), np.maximum(np.abs(spectra).mean(axis=1), TINY)
    deviation = np.maximum(spectra.std(axis=1), TINY)
    skew = (((spectra - mean[:, None]) / deviation[:, None]) ** 3).mean(axis=1)
    return bool(np.median(np.abs(mean) / size) < BALANCED and np.median(skew) < 0)
