"""How the same head would have come out of another scanner: curve of intensities, bias field, thick slices, blur."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import PchipInterpolator

from core.acquisition import Acquisition, Axis, Profile, whole

Float = NDArray[np.float32]

# knots of a curve of intensities, where 1 is the 99.5th percentile of the head
KNOTS = np.linspace(0, 1, 6)
# spread of the logarithm of a curve's rise between two knots
BEND = 0.35
# spread of the logarithm of a bias field at the edge of a crop of 64 mm
BIAS = 0.08
# distance of thick slices, mm
STEPS_MM = (2.0, 6.0)


def curve(rng: np.random.Generator) -> Callable[[Float], Float]:
    """Return a random rising curve of intensities that leaves 0 and 1 in place: monotone cubic (Fritsch & Carlson
    1980) between ``KNOTS``, a straight line beyond 1."""
    rises = np.exp(rng.normal(0, BEND, len(KNOTS) - 1))
    heights = np.concatenate([[0.0], np.cumsum(rises) / rises.sum()])
    inside = PchipInterpolator(KNOTS, heights)
    slope = float(heights[-1] - heights[-2]) / float(KNOTS[-1] - KNOTS[-2])

    def bent(image: Float) -> Float:
        low = np.maximum(image, 0)
        return np.where(low <= 1, inside(np.minimum(low, 1)), 1 + slope * (low - 1)).astype(np.float32)

    return bent


def bias(rng: np.random.Generator) -> Callable[[NDArray[np.float64]], Float]:
    """Return a random smooth gain as a function of places (3, ...) in mm from the middle of a crop."""
    slopes, bends = rng.normal(0, BIAS, 3) / 32, rng.normal(0, BIAS, 3) / 64**2

    def gain(places: NDArray[np.float64]) -> Float:
        logarithm = np.tensordot(slopes, places, axes=1) + np.tensordot(bends, places**2, axes=1)
        return np.exp(np.clip(logarithm, -0.5, 0.5)).astype(np.float32)

    return gain


def resliced(rng: np.random.Generator, side: int) -> Callable[[Float], Float]:
    """Return a function that measures a cube of ``side`` voxels of 1 mm in thick slices along one axis, mostly Z, and
    interpolates it back, as most clinical T1s were before they were shared."""
    axis = 2 if rng.random() < 0.6 else int(rng.integers(2))
    step = float(rng.uniform(*STEPS_MM))
    profile: Profile = "box" if rng.random() < 0.5 else "gaussian"
    first = float(rng.uniform(-0.5, step - 0.5))
    count = int((side - 0.5 - first) / step) + 1
    thickness = max(1.0, step * float(rng.uniform(0.7, 1.1)))
    axes = [whole(side)] * 3
    axes[axis] = Axis(side, count, step, thickness, first, profile)
    acquisition = Acquisition((axes[0], axes[1], axes[2]))
    order = 1 if rng.random() < 0.5 else 3
    return lambda image: acquisition.enlarge(acquisition.measure(image), order)


def blurred(rng: np.random.Generator) -> Callable[[Float], Float]:
    """Return a function that blurs a cube with a Gaussian of up to 1 mm, another width along each axis."""
    widths = rng.uniform(0.3, 1.0, 3)
    return lambda image: np.asarray(ndimage.gaussian_filter(image, widths), np.float32)
