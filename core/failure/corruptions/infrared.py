"""Corruptions of infrared cubes: images (N, B, H, W) in absorbance, wavenumbers (B,) in cm^-1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from core.spectra.noise import noise_of, noise_of_each
from core.spectra.reference_spectra import mie

Array = NDArray[np.float32]
Floats = NDArray[np.float64]
Rng = np.random.Generator

# a step this many times the usual one separates two ranges of wavenumbers
GAP = 3.0
# fringes of a film: refractive index times thickness in cm, and how much it differs from patch to patch
FILM, FILM_SPREAD = 1.5 * 20e-4, 0.1


def noise(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Add white noise of standard deviation ``amount``."""
    return images + np.float32(amount) * rng.standard_normal(images.shape, np.float32)


def noise_floor(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Add noise to each patch until all have the signal to noise of the worst, divided by ``amount``.

    Differences in noise between classes vanish. The worst is the 95th percentile.
    """
    level = noise_of(images)
    each = noise_of_each(images, level)
    signal = np.maximum(np.abs(images).mean(axis=(1, 2, 3), dtype=np.float64), 1e-9)
    wanted = amount * np.quantile(each / signal, 0.95) * signal
    return _add(images, np.sqrt(np.maximum(wanted**2 - each**2, 0)), level, rng)


def thickness(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Multiply by ``amount`` (Beer-Lambert) and, below 1, add noise until it has the level of before.

    The detector's noise is that of a thin section for a thick one too; above 1 the scaled noise cannot be removed.
    """
    scaled = np.float32(amount) * images
    if amount >= 1:
        return scaled
    return _add(scaled, np.full(len(images), np.sqrt(1 - amount**2)), noise_of(images), rng)


def baseline_offset(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Add ``amount`` everywhere."""
    return images + np.float32(amount)


def baseline_slope(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Add a line that rises by ``amount`` from the middle to the end of the wavenumbers."""
    half = max(float(np.ptp(wavenumbers)) / 2, 1e-9)
    middle = (wavenumbers.max() + wavenumbers.min()) / 2
    return images + _per_band(amount * (wavenumbers - middle) / half)


def scattering(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Add the extinction by cells of 3 to 7 um radius, another in each patch, ``amount`` at its maximum."""
    curves = np.stack([mie(wavenumbers, radius) for radius in rng.uniform(3, 7, len(images))])
    curves *= amount / curves.max(axis=1, keepdims=True)
    return images + curves[:, :, None, None].astype(np.float32)


def shifted(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Read the spectra ``amount`` cm^-1 further up, by splines through each range of wavenumbers without a gap."""
    matrix = np.zeros((len(wavenumbers), len(wavenumbers)))
    for part in _ranges(wavenumbers):
        at = wavenumbers[part]
        target = np.clip(at + amount, at.min(), at.max())
        if len(part) > 1:
            matrix[np.ix_(part, part)] = CubicSpline(at, np.eye(len(part)), bc_type="natural")(target)
        else:
            matrix[part, part] = 1
    return np.asarray(np.einsum("ab,nbhw->nahw", matrix.astype(np.float32), images, optimize=True), np.float32)


def band_gain(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Multiply each band by a gain of mean 1 and standard deviation ``amount``."""
    return images * _per_band(1 + amount * rng.standard_normal(len(wavenumbers)))


def band_drop(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Set the share ``amount`` of the bands, at least one, to their mean over all patches."""
    number = max(1, round(amount * len(wavenumbers)))
    dead = rng.choice(len(wavenumbers), min(number, len(wavenumbers)), replace=False)
    found = images.copy()
    found[:, dead] = images[:, dead].mean(axis=(0, 2, 3), keepdims=True)
    return found


def fringe(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Add ``amount`` cos(4 pi n d nu + phase), the interference in a film of index n and thickness d, 20 um."""
    count = (len(images), 1)
    film = FILM * (1 + FILM_SPREAD * rng.standard_normal(count))
    waves = amount * np.cos(4 * np.pi * film * wavenumbers + rng.uniform(0, 2 * np.pi, count))
    return images + waves[:, :, None, None].astype(np.float32)


def stripe(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Add to each column of pixels an offset of standard deviation ``amount``."""
    return images + np.float32(amount) * rng.standard_normal((len(images), 1, 1, images.shape[3]), np.float32)


def blurred(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Convolve with a Gaussian of ``amount`` pixels."""
    return blur(images, amount)


def blur(images: Array, sigma: float) -> Array:
    """Return ``images`` (N, C, H, W) convolved with a Gaussian of ``sigma`` pixels, edges repeated."""
    found = gaussian_filter1d(images, sigma, axis=2, mode="nearest")
    return np.asarray(gaussian_filter1d(found, sigma, axis=3, mode="nearest"), np.float32)


def _add(images: Array, factors: Floats, level: Floats, rng: Rng) -> Array:
    """Add noise: ``factors`` (N,) times ``level`` (B,)."""
    spread = (factors[:, None] * level)[:, :, None, None].astype(np.float32)
    return images + spread * rng.standard_normal(images.shape, np.float32)


def _per_band(values: Floats) -> Array:
    return np.asarray(values[:, None, None], np.float32)


def _ranges(wavenumbers: Floats) -> list[NDArray[np.int64]]:
    """Return the bands, ascending, of each range without a gap."""
    order = np.argsort(wavenumbers)
    steps = np.diff(wavenumbers[order])
    usual = np.median(steps) if len(steps) else 0.0
    return np.split(order, np.flatnonzero(steps > GAP * usual) + 1)
