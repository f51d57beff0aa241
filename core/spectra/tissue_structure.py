"""Structures of simulated tissue: maps of nuclei, collagen fibres, cytoplasm, lipid and glycogen."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Maps = NDArray[np.float32]

# mean concentration of each component, in the order of ENDMEMBERS, and its spread between patches
MEANS = {"protein": 0.40, "collagen": 0.45, "nucleic acid": 0.16, "lipid": 0.18, "glycogen": 0.16}
SPREAD = {"protein": 0.08, "collagen": 0.0, "nucleic acid": 0.08, "lipid": 0.10, "glycogen": 0.10}
# smoothness (pixels) and contrast inside a patch of the components that do not depend on the class
SMOOTH = {"protein": (2.5, 0.30), "lipid": (3.0, 0.30), "glycogen": (3.0, 0.30)}
# cycles per pixel of collagen: in bundles, and without a direction
BUNDLED, ISOTROPIC = 0.12, 0.17
FIBRE_WIDTH = 0.05
FIBRE_CONTRAST = 0.22
# nuclei: relative spread of the radius, softness of the rim in pixels, less than the blur of any microscope
RADIUS_SPREAD, RIM = 0.12, 0.25


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the random stream ``name`` of the set ``seed`` (0 or more); streams are independent."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def nuclei(radii: NDArray[np.float64], numbers: NDArray[np.int64], size: int, rng: np.random.Generator) -> Maps:
    """Return soft disks (N, size, size), 0 to 1: patch n has ``numbers[n]`` nuclei of about ``radii[n]`` pixels.

    Radii differ by ``RADIUS_SPREAD`` from nucleus to nucleus.
    """
    count, most = len(numbers), int(numbers.max(initial=0))
    places = rng.uniform(-1, size, (count, most, 2))
    widths = radii[:, None] * (1 + RADIUS_SPREAD * rng.standard_normal((count, most)))
    # nuclei beyond the number of a patch have no size, so that every patch draws equally many random numbers
    widths[np.arange(most) >= numbers[:, None]] = -np.inf
    axis = np.arange(size)
    total = np.zeros((count, size, size), np.float32)
    for each in range(most):
        down, across = (axis - places[:, each, side, None] for side in (0, 1))
        distance = np.hypot(down[:, :, None], across[:, None, :])
        edge = np.clip((distance - widths[:, each, None, None]) / RIM, -30, 30)
        np.maximum(total, (1 / (1 + np.exp(edge))).astype(np.float32), out=total)
    return total


def fibres(isotropic: NDArray[np.bool_], size: int, rng: np.random.Generator) -> Maps:
    """Return band-passed noise (N, size, size) of mean 0 and standard deviation 1 in each patch.

    In bundles of one direction, each patch its own; where ``isotropic`` (N,) is true without a direction.
    """
    count = len(isotropic)
    noise = np.fft.fft2(rng.standard_normal((count, size, size)))
    down, across = np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size), indexing="ij")
    angle = rng.uniform(0, np.pi, count)[:, None, None]
    along, aside = across * np.cos(angle) + down * np.sin(angle), down * np.cos(angle) - across * np.sin(angle)
    bundled = np.exp(-0.5 * (((np.abs(along) - BUNDLED) / FIBRE_WIDTH) ** 2 + (aside / FIBRE_WIDTH) ** 2))
    ring = np.exp(-0.5 * ((np.hypot(down, across) - ISOTROPIC) / FIBRE_WIDTH) ** 2)
    field = np.fft.ifft2(noise * np.where(isotropic[:, None, None], ring, bundled)).real
    field -= field.mean(axis=(1, 2), keepdims=True)
    return np.asarray(field / field.std(axis=(1, 2), keepdims=True), np.float32)


def concentrations(disks: Maps, strands: Maps, texture: float, rng: np.random.Generator) -> dict[str, Maps]:
    """Return the concentration (N, H, W) of each component from ``disks`` (nuclei) and ``strands`` (collagen).

    Each component has the same mean in all classes, so that only form tells the classes apart. ``texture`` scales
    the contrast of the fibres.
    """
    count, size = len(disks), disks.shape[-1]
    shapes = {"nucleic acid": disks, "collagen": 1 + FIBRE_CONTRAST * texture / MEANS["collagen"] * strands}
    for name, (sigma, contrast) in SMOOTH.items():
        smooth = gaussian_filter(rng.standard_normal((count, size, size)), (0, sigma, sigma), mode="wrap")
        shapes[name] = 1 + contrast * smooth / smooth.std(axis=(1, 2), keepdims=True)
    # nuclei displace cytoplasm
    shapes["protein"] = shapes["protein"] * (1 - 0.5 * disks)
    found = {}
    for name, mean in MEANS.items():
        shape = np.clip(shapes[name], 0, None)
        level = mean * (1 + SPREAD[name] * rng.standard_normal(count))
        found[name] = (shape * (level / shape.mean(axis=(1, 2)))[:, None, None]).astype(np.float32)
    return found
