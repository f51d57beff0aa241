"""How far a fill is from real tissue in what a network of random filters sees: brightness, edges, folds, texture.

Nothing is learnt, so that no method can have been trained to please it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool3d, conv3d, leaky_relu

from core.volume import bounding_box

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Matrix = NDArray[np.float64]

# channels of the levels, each on half the grid of the one before
CHANNELS = (16, 32, 32)
SLOPE = 0.2
# voxels around the region that the network sees: what is known there is what real tissue looks like
MARGIN = 24


def feature_distance(result: Float, truth: Float, where: Bool, known: Bool) -> float:
    """Return the mean over levels of the Frechet distance between the features of ``result`` and of ``truth``.

    result, truth: (X, Y, Z), RAS+, in the same units; where: (X, Y, Z) bool, the region that is compared; known: real
    tissue around it. A feature is counted in standard deviations of it in ``known``; the distance is
    |m - n|^2 + tr(C + D - 2 (C D)^1/2) of the two means and covariances (Heusel et al. 2017, eq. 6), divided by the
    number of channels: 0 is alike. nan where nothing is known.
    """
    box = bounding_box(where, MARGIN)
    white = float(np.percentile(truth[known], 99.5)) if known.any() else 0.0
    if white <= 0:
        return float("nan")
    inside, around = _shares(where[box]), _shares(known[box])
    levels = zip(_levels(result[box] / white), _levels(truth[box] / white), inside, around, strict=True)
    return float(np.mean([_between(made, real, at, near) for made, real, at, near in levels]))


def _levels(image: Float) -> Iterator[Float]:
    """Yield the features (C, X', Y', Z') of each level."""
    draw, seen = np.random.default_rng(0), torch.from_numpy(np.ascontiguousarray(image))[None, None]
    for level, count in enumerate(CHANNELS):
        if level:
            seen = avg_pool3d(seen, 2)
        fan_in = 27 * seen.shape[1]
        kernel = draw.standard_normal((count, seen.shape[1], 3, 3, 3)) / np.sqrt(fan_in)
        with torch.inference_mode():
            seen = leaky_relu(conv3d(seen, torch.from_numpy(kernel.astype(np.float32)), padding=1), SLOPE)
        yield seen[0].numpy()


def _shares(mask: Bool) -> Iterator[Bool]:
    """Yield for each level where most of a cell is in ``mask``."""
    share: Tensor = torch.from_numpy(mask.astype(np.float32))[None, None]
    for level in range(len(CHANNELS)):
        share = avg_pool3d(share, 2) if level else share
        yield share[0, 0].numpy() > 0.5


def _between(made: Float, real: Float, at: Bool, near: Bool) -> float:
    known = real[:, near].astype(np.float64)
    if known.shape[1] < 2 or at.sum() < 2:
        return float("nan")
    middle, scale = known.mean(1, keepdims=True), np.maximum(known.std(1, keepdims=True), 1e-9)
    first, second = ((each[:, at] - middle) / scale for each in (made, real))
    means = ((first.mean(1) - second.mean(1)) ** 2).sum()
    one, other = np.cov(first), np.cov(second)
    root = _root(one)
    crossed = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ other @ root), 0)).sum()
    return float(means + np.trace(one) + np.trace(other) - 2 * crossed) / len(made)


def _root(matrix: Matrix) -> Matrix:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)
