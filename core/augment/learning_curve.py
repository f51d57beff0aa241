"""The error of a classifier over the number of real images: a power law with a floor, fitted in log space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# what the fit chooses among: decay of the error, and floor in parts of what decays at the middle size
EXPONENTS = np.geomspace(0.05, 2.0, 60)
FLOORS = np.append(0.0, np.geomspace(0.02, 50.0, 80))


@dataclass(frozen=True, eq=False)
class Curve:
    """Error(n) = scale (floor + (n / middle)^-exponent), one for each of R bootstrap draws.

    scale, floor, exponent: (R,). middle: a number of images.
    """

    scale: Floats
    floor: Floats
    exponent: Floats
    middle: float

    def error(self, count: float) -> Floats:
        """Return the error at ``count`` images, (R,)."""
        return self.scale * (self.floor + (count / self.middle) ** -self.exponent)

    def count(self, error: Floats) -> Floats:
        """Return how many images have this ``error`` (R,): inf at the floor and below."""
        left = error / self.scale - self.floor
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            found = self.middle * np.where(left > 0, left, np.nan) ** (-1 / self.exponent)
        return np.where(left > 0, found, np.inf)


def fit_curve(counts: NDArray[np.int64], errors: Floats) -> Curve:
    """Return the power law with floor of least squares of the logarithm of ``errors`` (R, K) at ``counts`` (K,).

    After the scaling laws of Hestness et al. 2017 (arXiv:1712.00409). The scale has a closed form; exponent and floor
    are the best of a fixed grid, so that no draw depends on where a search began. ``ValueError`` for fewer than three
    different counts: three numbers are fitted.
    """
    if len(np.unique(counts)) < 3:
        raise ValueError("a power law with floor needs three numbers of images")
    middle = float(np.exp(np.log(counts).mean()))
    exponents, floors = (part.ravel() for part in np.meshgrid(EXPONENTS, FLOORS))
    # (grid, K): the form of each curve without its scale, and its mean over the counts
    shape = np.log(floors[:, None] + (counts[None, :] / middle) ** -exponents[:, None])
    level = shape.mean(axis=1)
    seen = np.log(errors)
    mean = seen.mean(axis=1)
    # the squares of seen - shape, each without its mean, multiplied out: (R, grid)
    centred, forms = seen - mean[:, None], shape - level[:, None]
    squares = (forms**2).sum(axis=1)[None, :] - 2 * centred @ forms.T
    best = squares.argmin(axis=1)
    return Curve(np.exp(mean - level[best]), floors[best], exponents[best], middle)
