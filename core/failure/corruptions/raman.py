"""Corruptions of Raman spectra: images (N, B, H, W) in counts relative to the highest band, shifts (B,) in cm^-1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.spectra.noise import noise_of

Array = NDArray[np.float32]
Floats = NDArray[np.float64]
Rng = np.random.Generator

# standard deviation of the background over the range of the shifts
WIDTHS = (0.4, 0.9)


def power(images: Array, shifts: Floats, amount: float, rng: Rng) -> Array:
    """Multiply by ``amount``, as another laser power or exposure does, and below 1 add what shot noise then lacks.

    Counts of a times the light have sqrt(a) times the noise, not a times; above 1 the noise cannot be removed.
    """
    scaled = np.float32(amount) * images
    if amount >= 1:
        return scaled
    lacking = np.sqrt(amount - amount**2) * noise_of(images)
    added = lacking[:, None, None].astype(np.float32) * rng.standard_normal(images.shape, np.float32)
    return np.asarray(scaled + added, np.float32)


def fluorescence(images: Array, shifts: Floats, amount: float, rng: Rng) -> Array:
    """Add a broad background with its top at ``amount`` times the mean of the highest band, another in each patch."""
    span = max(float(np.ptp(shifts)), 1e-9)
    place = (shifts - shifts.min()) / span
    top, width = rng.uniform(-0.2, 0.8, (len(images), 1)), rng.uniform(*WIDTHS, (len(images), 1))
    curves = np.exp(-0.5 * ((place - top) / width) ** 2)
    height = amount * float(images.mean(axis=(0, 2, 3), dtype=np.float64).max())
    curves *= height / np.maximum(curves.max(axis=1, keepdims=True), 1e-9)
    return np.asarray(images + curves[:, :, None, None], np.float32)
