"""The fewest bands that keep the accuracy (D7), and the bands whose loss costs most accuracy (D9)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from core.failure.diagnostics.model_under_test import Float, ModelUnderTest
from core.failure.results import Diagnostic, Line
from core.measure.bootstrap import interval, mean
from core.measure.intervals import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COUNTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64)
ENOUGH = 0.95
PIXELS = 40_000


def band_order(values: Float, noise: Floats) -> Ints:
    """Return the channels of ``values`` (N, C, H, W), the most informative first: (C,), by pivoted QR of the pixels,
    each channel in units of its ``noise`` (C,)."""
    pixels = _pixels(values) / noise
    covariance = np.cov(pixels, rowvar=False)
    values_, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values_, 0))) @ vectors.T
    return np.asarray(linalg.qr(root, pivoting=True, mode="r")[1], np.int64)


class Imputer:
    """Imputation of channels from others as for Gaussian pixels: E[dropped | kept].

    values: (N, C, H, W) training patches; noise: (C,).
    """

    def __init__(self, values: Float, noise: Floats) -> None:
        pixels = _pixels(values)
        self.mean = pixels.mean(axis=0)
        self.covariance = np.cov(pixels, rowvar=False) + 1e-4 * np.diag(noise**2)

    def keep(self, values: Float, kept: Ints) -> Float:
        """Return ``values`` (N, C, H, W) with all channels but ``kept`` imputed from those; for none, the mean."""
        count, channels = values.shape[:2]
        pixels = values.transpose(0, 2, 3, 1).reshape(-1, channels) - self.mean.astype(np.float32)
        inner = self.covariance[np.ix_(kept, kept)]
        matrix = np.zeros((channels, channels), np.float32)
        if len(kept):
            matrix[kept] = np.linalg.solve(inner, self.covariance[kept])
        imputed = pixels @ matrix + self.mean.astype(np.float32)
        shape = (count, values.shape[2], values.shape[3], channels)
        return np.ascontiguousarray(imputed.reshape(shape).transpose(0, 3, 1, 2), np.float32)


def minimal_bands(model: ModelUnderTest) -> Diagnostic:
    """Return D7: the smallest number m of bands that keep 95 % of the accuracy, the others imputed from them.

    lines: "accuracy" for each m; "order", the bands (cm^-1) in order of choice.
    """
    order = band_order(model.training, model.noise)
    imputer = Imputer(model.training, model.noise)
    counts = [count for count in COUNTS if count < len(order)] + [len(order)]
    goal = ENOUGH * float(model.outcomes.accuracy[0])
    reached: list[float] = []
    for count in counts:
        kept = imputer.keep(model.values, order[:count]) if count < len(order) else model.values
        reached.append(float((model.classes_of(kept) == model.outcomes.labels).mean()))
    enough = next(count for count, accuracy in zip(counts, reached, strict=True) if accuracy >= goal)
    why = "Not used for the verdict: few bands may be all that the chemistry needs. A plan for the next measurement."
    chosen = tuple(float(model.names[band]) if _is_number(model.names[band]) else float(band) for band in order)
    lines = (
        Line("accuracy", tuple(map(float, counts)), tuple(reached), "bands", "accuracy"),
        Line("order", tuple(float(number + 1) for number in range(len(order))), chosen, "choice", model.axis),
    )
    return Diagnostic(
        "D7", "bands", "Bands that keep 95 % of the accuracy", Interval(float(enough)), False, why, {}, lines
    )


def occlude_bands(model: ModelUnderTest) -> Diagnostic:
    """Return D9: the largest accuracy lost when a band is permuted between patches; lines: the loss of each band,
    permuted, and imputed from all others.

    Permutation overrates a band that others repeat, imputation underrates it.
    """
    rng = model.rng("bands")
    imputer = Imputer(model.training, model.noise)
    channels = model.values.shape[1]
    whole = float(model.outcomes.accuracy[0])
    permuted, imputed, worst = [], [], np.zeros(len(model.values))
    for band in range(channels):
        other = model.values.copy()
        other[:, band] = other[rng.permutation(len(other)), band]
        correct = (model.classes_of(other) == model.outcomes.labels).astype(np.float64)
        permuted.append(whole - float(correct.mean()))
        if permuted[-1] >= max(permuted):
            worst = correct
        filled = imputer.keep(model.values, np.delete(np.arange(channels), band))
        other[:, band] = filled[:, band]
        imputed.append(whole - float((model.classes_of(other) == model.outcomes.labels).mean()))
    where = tuple(float(name) if _is_number(name) else float(number) for number, name in enumerate(model.names))
    lines = tuple(
        Line(name, where, tuple(values), model.axis, "accuracy lost")
        for name, values in (("permuted", permuted), ("imputed", imputed))
    )
    why = "Not used for the verdict: it says where a model looks, not whether that is wrong."
    largest = interval(model.outcomes.accuracy - mean(worst, model.outcomes.weights))
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
