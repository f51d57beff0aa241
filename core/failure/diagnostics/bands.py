"""Which bands are enough (D7), and which a model looks at (D9)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from core.failure.diagnostics.probe import Examined, Float
from core.failure.results import Diagnostic, Line
from core.measure.bootstrap import interval, mean
from core.measure.intervals import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COUNTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64)
ENOUGH = 0.95
PIXELS = 40_000


def band_order(values: Float, noise: Floats) -> Ints:
    """Return the channels of ``values`` (N, C, H, W) from the one that says most: pivoted QR of the pixels, each
    channel in units of its noise."""
    pixels = _pixels(values) / noise
    covariance = np.cov(pixels, rowvar=False)
    values_, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values_, 0))) @ vectors.T
    return np.asarray(linalg.qr(root, pivoting=True, mode="r")[1], np.int64)


class Imputer:
    """The mean of channels given others, for Gaussian pixels: E[dropped | kept]."""

    def __init__(self, values: Float, noise: Floats) -> None:
        pixels = _pixels(values)
        self.mean = pixels.mean(axis=0)
        self.covariance = np.cov(pixels, rowvar=False) + 1e-4 * np.diag(noise**2)

    def keep(self, values: Float, kept: Ints) -> Float:
        """Return ``values`` (N, C, H, W) with all channels but ``kept`` told from them; with none kept, the mean."""
        count, channels = values.shape[:2]
        pixels = values.transpose(0, 2, 3, 1).reshape(-1, channels) - self.mean.astype(np.float32)
        inner = self.covariance[np.ix_(kept, kept)]
        matrix = np.zeros((channels, channels), np.float32)
        if len(kept):
            matrix[kept] = np.linalg.solve(inner, self.covariance[kept])
        told = pixels @ matrix + self.mean.astype(np.float32)
        shape = (count, values.shape[2], values.shape[3], channels)
        return np.ascontiguousarray(told.reshape(shape).transpose(0, 3, 1, 2), np.float32)


def minimal_bands(examined: Examined) -> Diagnostic:
    """D7: accuracy when only m bands were measured and the rest is told from them. The figure: the smallest m that
    keeps 95 % of the accuracy; names: those bands, in order of choice, are the x of the line "order"."""
    order = band_order(examined.training, examined.noise)
    imputer = Imputer(examined.training, examined.noise)
    counts = [count for count in COUNTS if count < len(order)] + [len(order)]
    goal = ENOUGH * float(examined.outcomes.accuracy[0])
    reached: list[float] = []
    for count in counts:
        told = imputer.keep(examined.values, order[:count]) if count < len(order) else examined.values
        reached.append(float((examined.classes_of(told) == examined.outcomes.labels).mean()))
    enough = next(count for count, accuracy in zip(counts, reached, strict=True) if accuracy >= goal)
    why = "Not used for the verdict: few bands may be all that the chemistry needs. A plan for the next measurement."
    kept = tuple(float(examined.names[band]) if _is_number(examined.names[band]) else float(band) for band in order)
    lines = (
        Line("accuracy", tuple(map(float, counts)), tuple(reached), "bands", "accuracy"),
        Line("order", tuple(float(number + 1) for number in range(len(order))), kept, "choice", "wavenumber, cm⁻¹"),
    )
    return Diagnostic(
        "D7", "bands", "Bands that keep 95 % of the accuracy", Interval(float(enough)), False, why, {}, lines
    )


def occlude_bands(examined: Examined) -> Diagnostic:
    """D9: accuracy lost when a band is exchanged between patches (permuted), or told from all others (imputed).

    The first counts a band that others repeat too much, the second too little. The figure: largest permuted loss.
    """
    rng = examined.rng("bands")
    imputer = Imputer(examined.training, examined.noise)
    channels = examined.values.shape[1]
    whole = float(examined.outcomes.accuracy[0])
    permuted, imputed, worst = [], [], np.zeros(len(examined.values))
    for band in range(channels):
        other = examined.values.copy()
        other[:, band] = other[rng.permutation(len(other)), band]
        right = (examined.classes_of(other) == examined.outcomes.labels).astype(np.float64)
        permuted.append(whole - float(right.mean()))
        if permuted[-1] >= max(permuted):
            worst = right
        told = imputer.keep(examined.values, np.delete(np.arange(channels), band))
        other[:, band] = told[:, band]
        imputed.append(whole - float((examined.classes_of(other) == examined.outcomes.labels).mean()))
    where = tuple(float(name) if _is_number(name) else float(number) for number, name in enumerate(examined.names))
    lines = tuple(
        Line(name, where, tuple(values), "wavenumber, cm⁻¹", "accuracy lost")
        for name, values in (("permuted", permuted), ("imputed", imputed))
    )
    why = "Not used for the verdict: it says where a model looks, not whether that is wrong."
    largest = interval(examined.outcomes.accuracy - mean(worst, examined.outcomes.weights))
    return Diagnostic(
        "D9", "occlusion", "Accuracy lost without the band that counts most", largest, False, why, {}, lines
    )


def _pixels(values: Float) -> Floats:
    flat = values.transpose(0, 2, 3, 1).reshape(-1, values.shape[1])
    if len(flat) > PIXELS:
        flat = flat[:: len(flat) // PIXELS]
    return flat.astype(np.float64)


def _is_number(name: str) -> bool:
    return name.replace(".", "", 1).isdigit()
