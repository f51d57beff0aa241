"""Noise of each band and of each patch, estimated from the patches themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Floats = NDArray[np.float64]

PIXELS = 60_000
FLOOR = 1e-5
# fewest bands for a regression between bands; with fewer, the noise is estimated from neighbouring pixels
ENOUGH_BANDS = 12
ENOUGH_PIXELS = 4


def noise_of(values: Float, seed: int = 0) -> Floats:
    """Return the standard deviation of the noise in each channel of ``values`` (N, C, H, W), in their units: (C,).

    With 12 bands or more: the residual of a regression on all other bands (Roger and Arnold 1996; HySime, Bioucas-Dias
    and Nascimento 2008), as tissue has few components and noise is independent between bands. With fewer: the median
    absolute second difference between neighbouring pixels (Immerkaer 1996).
    """
    if values.shape[1] >= ENOUGH_BANDS:
        return _from_bands(_some_pixels(values, seed))
    return _from_neighbours(values)


def noise_of_each(values: Float, noise: Floats) -> Floats:
    """Return the mean noise of each patch of ``values`` (N, C, H, W), as a multiple of ``noise`` (C,): (N,).

    1 for all with fewer than 12 bands or 4 pixels.
    """
    if not has_noise_of_each(values):
        return np.ones(len(values))
    pixels = _some_pixels(values, 0)
    weights = _regression(pixels)
    centre = pixels.mean(axis=0)
    flat = values.reshape(*values.shape[:2], -1).transpose(0, 2, 1) - centre
    rest = flat @ weights
    return np.asarray(np.median(rest.std(axis=1) / noise, axis=1), np.float64)


def has_noise_of_each(values: Float) -> bool:
    """Return whether the noise of each patch of ``values`` (N, C, H, W) can be told: from 12 bands and 4 pixels."""
    return bool(values.shape[1] >= ENOUGH_BANDS and values.shape[2] * values.shape[3] >= ENOUGH_PIXELS)


def _from_bands(pixels: Floats) -> Floats:
    rest = (pixels - pixels.mean(axis=0)) @ _regression(pixels)
    freedom = max(1, len(pixels) - pixels.shape[1])
    return np.asarray(np.maximum(np.sqrt((rest**2).sum(axis=0) / freedom), FLOOR))


def _regression(pixels: Floats) -> Floats:
    """Return (C, C): a centred pixel times column c is the residual of band c regressed on all other bands."""
    covariance = np.cov(pixels, rowvar=False)
    inverse = np.linalg.inv(covariance + 1e-12 * np.trace(covariance) * np.eye(len(covariance)))
    return np.asarray(inverse / np.diag(inverse)[None, :])


def _from_neighbours(values: Float) -> Floats:
    if min(values.shape[2:]) < 3:
        return np.full(values.shape[1], FLOOR)
    # the mask of Immerkaer 1996, which is 0 on planes
    along = values[:, :, :-2] - 2 * values[:, :, 1:-1] + values[:, :, 2:]
    both = along[..., :-2] - 2 * along[..., 1:-1] + along[..., 2:]
    return np.asarray(np.maximum(np.median(np.abs(both), axis=(0, 2, 3)) / (6 * 0.6745), FLOOR), np.float64)


def _some_pixels(values: Float, seed: int) -> Floats:
    flat = values.transpose(0, 2, 3, 1).reshape(-1, values.shape[1])
    if len(flat) > PIXELS:
        flat = flat[np.random.default_rng(seed).choice(len(flat), PIXELS, replace=False)]
    return flat.astype(np.float64)
