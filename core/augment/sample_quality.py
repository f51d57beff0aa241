"""How good synthetic images are, and whether they are copies of the images that the generator was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from core.measure.intervals import Interval, wilson

Float = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NEIGHBOURS = 5
# of the ratios of new real images, the share below which an image counts as a copy
COPY_QUANTILE = 0.01
# a generator copies where so many of its images are copies, with 95 % confidence
COPYING = 0.05


@dataclass(frozen=True)
class Coverage:
    """precision: share of the images that lie among real ones; recall: share of real ones that lie among the images
    (Kynkäänniemi et al. 2019, arXiv:1904.06991). coverage: share of real ones with an image in their neighbourhood
    (Naeem et al. 2020, arXiv:2002.09797)."""

    precision: float
    recall: float
    coverage: float


@dataclass(frozen=True)
class Memorisation:
    """threshold: the ratio below which an image is a copy, see ``memorisation``. share: of the synthetic images that
    are copies, with its Wilson interval. median, real: median ratio of synthetic and of new real images. copies:
    whether the generator copies."""

    threshold: float
    share: Interval
    median: float
    real: float
    copies: bool


def coverage(real: Float, made: Float, neighbours: int = NEIGHBOURS) -> Coverage:
    """Return how the features ``made`` (M, F) lie among those of ``real`` images (N, F).

    The neighbourhood of an image reaches to its ``neighbours``-th nearest of its own set. Features are scaled to the
    standard deviation of the real ones.
    """
    scale = real.std(axis=0) + 1e-6
    ours, theirs = (part.astype(np.float64) / scale for part in (real, made))
    reach, reach_made = (_reach(part, neighbours) for part in (ours, theirs))
    apart = cdist(ours, theirs)
    return Coverage(
        float((apart <= reach[:, None]).any(axis=0).mean()),
        float((apart <= reach_made[None, :]).any(axis=1).mean()),
        float((apart.min(axis=1) <= reach).mean()),
    )


def memorisation(training: Float, fresh: Float, made: Float) -> Memorisation:
    """Return whether images ``made`` (M, C, H, W) are copies of those of ``training``.

    fresh: real images that no training has seen. Half of them are a reference, and an image is a copy where its
    distance to the nearest training image is so small a part of that to the nearest of the reference as it is for 1 %
    of the other half: a blurred image is near to all images, a copy to those of the training alone. Distances are of
    pixels halved in resolution, each channel in its standard deviation, so that noise hides no copy.
    """
    reference, probes = fresh[::2], fresh[1::2]
    ratios, real = (
        nearest(training, part)[1] / np.maximum(nearest(training, part, reference)[1], 1e-9) for part in (made, probes)
    )
    threshold = float(np.quantile(real, COPY_QUANTILE))
    share = wilson(int((ratios < threshold).sum()), len(ratios))
    return Memorisation(threshold, share, float(np.median(ratios)), float(np.median(real)), share.low > COPYING)


def nearest(training: Float, images: Float, among: Float | None = None) -> tuple[Ints, Floats]:
    """Return the number and the distance of the image of ``among``, by default of ``training``, nearest to each of
    ``images``; distances are in the standard deviations of the channels of ``training``."""
    scale = training.std(axis=(0, 2, 3))[:, None, None] + 1e-6
    ours, theirs = (_halved(part / scale) for part in (training if among is None else among, images))
    apart = cdist(theirs, ours) / np.sqrt(ours.shape[1])
    return apart.argmin(axis=1).astype(np.int64), apart.min(axis=1)


def _reach(features: Floats, neighbours: int) -> Floats:
    apart = cdist(features, features)
    # the nearest of all is the image itself
    return np.asarray(
        np.partition(apart, min(neighbours, len(features) - 1), axis=1)[:, min(neighbours, len(features) - 1)]
    )


def _halved(images: Float) -> Floats:
    """Return means of 2 x 2 pixels as rows (N, D); an odd side loses its last line."""
    count, channels, height, width = images.shape
    if min(height, width) < 2:
        return images.reshape(count, -1).astype(np.float64)
    even = images[:, :, : height // 2 * 2, : width // 2 * 2]
    squares = even.reshape(count, channels, height // 2, 2, width // 2, 2)
    return np.asarray(squares.mean(axis=(3, 5)).reshape(count, -1), np.float64)
