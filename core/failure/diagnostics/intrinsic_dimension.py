"""Intrinsic dimension of the data, before any model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.failure.diagnostics.logits import participation_ratio
from core.failure.results import Diagnostic
from core.measure.intervals import Interval

Float = NDArray[np.float32]
Floats = NDArray[np.float64]

POINTS = 2000
# share of the ratios that the fit uses: the largest are outliers
KEPT = 0.9


def two_nn(points: Floats, seed: int = 0) -> float:
    """Return the intrinsic dimension of ``points`` (N, D) by the TwoNN estimator; nan for fewer than 20 points.

    For the ratio m of the distances to the second and the first neighbour, -ln(1 - F(m)) = d ln m (Facco et al. 2017,
    Sci Rep 7:12140).
    """
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(seed)
    some = points if len(points) <= POINTS else points[rng.choice(len(points), POINTS, replace=False)]
    some = np.unique(some, axis=0)
    if len(some) < 20:
        return float("nan")
    distances = cKDTree(some).query(some, k=3)[0][:, 1:]
    ratios = np.sort(distances[:, 1] / np.maximum(distances[:, 0], 1e-30))
    share = np.arange(1, len(ratios) + 1) / len(ratios)
    kept = slice(0, int(KEPT * len(ratios)))
    x, y = np.log(ratios[kept]), -np.log1p(-share[kept])
    return float((x @ y) / max(float(x @ x), 1e-30))


def intrinsic(values: Float, noise: Floats, seed: int = 0) -> Diagnostic:
    """Return the intrinsic dimension of the spectra of ``values`` (N, C, H, W), of pixels and of patch means.

    Channels in units of their noise, so that noise alone has as many dimensions as channels. The figure: TwoNN of the
    mean spectra; others: TwoNN of the pixels, participation ratio of both.
    """
    means = values.mean(axis=(2, 3), dtype=np.float64) / noise
    flat = values.transpose(0, 2, 3, 1).reshape(-1, values.shape[1])
    pixels = flat[np.random.default_rng(seed).permutation(len(flat))[:POINTS]] / noise
    why = "Not used for the verdict: it describes the data, not a model."
    found = {"pixels": Interval(two_nn(pixels, seed))}
    for name, points in (("mean_participation", means), ("pixel_participation", pixels)):
        singular = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
        found[name] = Interval(participation_ratio(singular))
    return Diagnostic(
        "DIM",
        "dimension",
        "Intrinsic dimension of the mean spectra",
        Interval(two_nn(means, seed)),
        False,
        why,
        found,
    )
