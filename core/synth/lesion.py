"""Shapes of lesions, and a cavity painted into a T1-weighted scan."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.volume import largest_part, without_holes


def lumpy_mask(
    shape: tuple[int, int, int], centre: tuple[int, int, int], millilitres: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return a lumpy, connected blob (X, Y, Z) bool of about ``millilitres`` on a 1 mm grid around ``centre``."""
    radius = (3 * millilitres * 1000 / (4 * np.pi)) ** (1 / 3)
    axes = np.exp(rng.normal(0, 0.18, 3))
    axes /= axes.prod() ** (1 / 3)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    reach = int(2 * radius) + 3
    offsets = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 3, indexing="ij"), axis=-1)
    distance = np.sqrt((((offsets @ turn) / axes) ** 2).sum(axis=-1)) / radius
    noise = ndimage.gaussian_filter(rng.normal(size=distance.shape), radius / 3, mode="wrap")
    lumps = distance + 0.22 * noise / noise.std()
    wanted = round(millilitres * 1000)
    blob = without_holes(largest_part(lumps < np.partition(lumps.ravel(), wanted)[wanted]))
    mask = np.zeros(shape, bool)
    low = [max(0, c - reach) for c in centre]
    high = [min(side, c + reach + 1) for side, c in zip(shape, centre, strict=True)]
    target = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    source = tuple(slice(a - c + reach, b - c + reach) for a, b, c in zip(low, high, centre, strict=True))
    mask[target] = blob[source]
    return mask


def paint_cavity(scan: NDArray[np.float32], mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a T1-weighted ``scan`` (white matter about 1) with a chronic cavity: CSF-dark core, gliotic rim."""
    depth = ndimage.distance_transform_edt(mask)
    core = np.clip(depth / 4.0, 0, 1)
    level = 0.28 + 0.04 * rng.normal()
    grain = 0.03 * ndimage.gaussian_filter(rng.normal(size=scan.shape), 1.0) / 0.1
    lesion = (1 - core) * 0.72 * scan + core * level + grain * (depth > 0)
    return np.where(mask, np.maximum(lesion, 0), scan).astype(np.float32)
