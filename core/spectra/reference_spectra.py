"""Reference spectra of the components of tissue, scattering by cells, and optical density of stains."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# sums of Gaussians, (centre, height, standard deviation) in cm^-1, absorbance relative to amide I of the protein
ENDMEMBERS: Mapping[str, tuple[tuple[float, float, float], ...]] = MappingProxyType(
    {
        "protein": (
            (1655, 1.00, 28),
            (1545, 0.66, 26),
            (1455, 0.24, 16),
            (1396, 0.22, 16),
            (1300, 0.12, 26),
            (1240, 0.16, 22),
            (2924, 0.22, 25),
            (1080, 0.06, 25),
        ),
        "collagen": (
            (1655, 1.00, 26),
            (1550, 0.62, 24),
            (1452, 0.26, 14),
            (1403, 0.22, 14),
            (1338, 0.20, 8),
            (1282, 0.18, 10),
            (1238, 0.34, 13),
            (1204, 0.16, 8),
            (1082, 0.18, 14),
            (1032, 0.16, 14),
            (2924, 0.18, 25),
        ),
        "nucleic acid": (
            (1712, 0.22, 16),
            (1655, 0.35, 30),
            (1485, 0.10, 12),
            (1236, 0.60, 20),
            (1085, 0.80, 24),
            (1052, 0.35, 18),
            (968, 0.38, 14),
        ),
        "lipid": (
            (1740, 0.70, 12),
            (1462, 0.40, 12),
            (1378, 0.14, 10),
            (1236, 0.16, 20),
            (1170, 0.34, 20),
            (1084, 0.24, 22),
            (2852, 0.85, 14),
            (2924, 1.15, 18),
        ),
        "glycogen": (
            (1152, 0.62, 14),
            (1080, 0.85, 18),
            (1028, 1.00, 20),
            (995, 0.35, 14),
            (930, 0.18, 12),
        ),
    }
)
# optical density (2, 3) of haematoxylin and eosin in red, green and blue: Ruifrok and Johnston 2001
STAINS: Floats = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]])


def endmembers(wavenumbers: ArrayLike) -> Floats:
    """Return the absorbance of each of ``ENDMEMBERS``, in their order, at ``wavenumbers`` (B,) in cm^-1: (K, B).

    Per unit of concentration and path. Heights and centres after published band assignments of tissue.

    >>> endmembers([1655.0])[:2].round(2).tolist()
    [[1.0], [1.0]]
    """
    at = np.asarray(wavenumbers, np.float64)
    return np.stack(
        [
            sum(
                (height * np.exp(-0.5 * ((at - centre) / width) ** 2) for centre, height, width in lines),
                np.zeros_like(at),
            )
            for lines in ENDMEMBERS.values()
        ]
    )


def mie(wavenumbers: ArrayLike, radius: float = 5.0, index: float = 1.3) -> Floats:
    """Return the extinction efficiency (B,) of a sphere at ``wavenumbers`` (B,) in cm^-1.

    radius: in um. index: of refraction, relative to the medium.

    Q = 2 - (4 / rho) sin rho + (4 / rho^2) (1 - cos rho), rho = 4 pi radius (index - 1) nu: van de Hulst, Light
    Scattering by Small Particles, 1957, section 11.22. Q -> 2 for rho -> inf and rho^2 / 2 for rho -> 0.
    """
    rho = np.maximum(4 * np.pi * radius * 1e-4 * (index - 1) * np.asarray(wavenumbers, np.float64), 1e-3)
    return np.asarray(2 - 4 / rho * np.sin(rho) + 4 / rho**2 * (1 - np.cos(rho)), np.float64)
