"""Units of intensity that do not depend on the scanner: the level of background and bright tissue, standard scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# standard scores beyond this are clipped
LIMIT = 6.0
# the robust standard deviation of a normal distribution is so many median absolute deviations
MAD = 1.4826


def background_level(image: Float) -> float:
    """Return the intensity of no signal in ``image`` (X, Y, Z): 0, or its lowest percentile where much is negative
    (CT).

    >>> background_level(np.array([[[0.0, 1.0, 100.0]]], np.float32))
    0.0
    >>> background_level(np.full((2, 2, 2), -1000, np.float32))
    -1000.0
    """
    low, high = (float(level) for level in np.percentile(image, (1, 99.5)))
    return low if low < -0.1 * (high - low) else 0.0


def tissue_level(image: Float) -> float:
    """Return the intensity of bright tissue in ``image`` (X, Y, Z) above its ``background_level``.

    The 99.5th percentile of the voxels above 5 % of the highest one, at least 1e-6; networks work in units of it.

    >>> image = np.zeros((10, 10, 10), np.float32)
    >>> image[2:8, 2:8, 2:8] = 350
    >>> tissue_level(image), tissue_level(image - 1000)
    (350.0, 350.0)
    """
    background = background_level(image)
    image = image - np.float32(background) if background else image
    inside = image[image > 0.05 * float(image.max())]
    return max(float(np.percentile(inside, 99.5)) if inside.size else 0.0, 1e-6)


def scaled(image: NDArray[np.floating], brain: Bool) -> Float:
    """Return ``image`` (X, Y, Z) less its median in ``brain`` (X, Y, Z), over its standard deviation there.

    float32, clipped to -``LIMIT`` to ``LIMIT``, 0 outside the brain.
    """
    inside = image[brain].astype(np.float32)
    spread = max(float(inside.std()), 1e-6)
    values = np.clip((image - np.float32(np.median(inside))) / spread, -LIMIT, LIMIT)
    return np.where(brain, values, 0).astype(np.float32)
