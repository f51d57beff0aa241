"""Corruptions of pictures of stained tissue: images (N, 3, H, W), 0 to 1.

The list is that of the pathology part of MedMNIST-C (Di Salvo et al. 2024, arXiv:2406.17536), written anew for patches
of any size, and the strength of each stain.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import convolve

from core.spectra.reference_spectra import STAINS

Array = NDArray[np.float32]
Floats = NDArray[np.float64]
Rng = np.random.Generator

DARKEST = 1 / 255


def noise(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Add white noise of standard deviation ``amount``."""
    return _clipped(images + np.float32(amount) * rng.standard_normal(images.shape, np.float32))


def pixelate(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Shrink to ``amount`` of the side and enlarge again without smoothing."""

    def change(picture: Image.Image) -> Image.Image:
        width, height = picture.size
        small = (max(1, round(width * amount)), max(1, round(height * amount)))
        return picture.resize(small, Image.Resampling.BOX).resize((width, height), Image.Resampling.NEAREST)

    return _each(images, change)


def jpeg(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Compress with the quality ``amount``, 1 to 95."""

    def change(picture: Image.Image) -> Image.Image:
        packed = io.BytesIO()
        picture.save(packed, "JPEG", quality=int(amount))
        return Image.open(packed)

    return _each(images, change)


def defocus(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Convolve with a disk of ``amount`` pixels radius."""
    reach = int(np.ceil(amount))
    axis = np.arange(-reach, reach + 1)
    disk = np.clip(amount + 0.5 - np.hypot(axis[:, None], axis), 0, 1)
    return _clipped(convolve(images, (disk / disk.sum())[None, None].astype(np.float32), mode="nearest"))


def motion(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Convolve with a line of ``amount`` pixels, in one direction for all."""
    reach = int(np.ceil(amount / 2))
    axis = np.arange(-reach, reach + 1)
    angle = rng.uniform(0, np.pi)
    along = axis[:, None] * np.sin(angle) + axis * np.cos(angle)
    aside = axis[:, None] * np.cos(angle) - axis * np.sin(angle)
    line = np.clip(amount / 2 + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(aside), 0, 1)
    return _clipped(convolve(images, (line / line.sum())[None, None].astype(np.float32), mode="nearest"))


def brightness(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Multiply by ``amount``."""
    return _clipped(np.float32(amount) * images)


def contrast(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Multiply the difference to the mean of each patch by ``amount``."""
    mean = images.mean(axis=(1, 2, 3), keepdims=True)
    return _clipped(mean + np.float32(amount) * (images - mean))


def saturate(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Multiply the difference of each pixel to its grey by ``amount``."""
    grey = images.mean(axis=1, keepdims=True)
    return _clipped(grey + np.float32(amount) * (images - grey))


def haematoxylin(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Multiply the optical density of haematoxylin by ``amount``."""
    return _restained(images, (amount, 1.0))


def eosin(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Multiply the optical density of eosin by ``amount``."""
    return _restained(images, (1.0, amount))


def deposit(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Put ``amount`` dark specks of stain on each patch."""
    count, _, height, width = images.shape
    down, across = np.arange(height)[:, None], np.arange(width)
    dark = np.zeros((count, height, width))
    for _ in range(int(amount)):
        centre = rng.uniform(0, 1, (2, count, 1, 1)) * np.array([height, width])[:, None, None, None]
        radius = rng.uniform(0.03, 0.08, (count, 1, 1)) * min(height, width)
        dark = np.maximum(dark, np.clip(radius + 0.5 - np.hypot(down - centre[0], across - centre[1]), 0, 1))
    colour = np.exp(-2.0 * STAINS[0])[None, :, None, None]
    return _clipped(images * (1 - dark[:, None]) + colour * dark[:, None])


def bubble(images: Array, wavenumbers: Floats, amount: float, rng: Rng) -> Array:
    """Put an air bubble on each patch, its diameter ``amount`` of the side: pale inside, a dark rim."""
    count, _, height, width = images.shape
    down, across = np.arange(height)[:, None], np.arange(width)
    centre = rng.uniform(0, 1, (2, count, 1, 1)) * np.array([height, width])[:, None, None, None]
    radius = amount * min(height, width) / 2
    distance = np.hypot(down - centre[0], across - centre[1])
    inside = np.clip(radius + 0.5 - distance, 0, 1)[:, None]
    rim = np.exp(-0.5 * ((distance - radius) / 0.7) ** 2)[:, None]
    pale = 0.5 * images + 0.45
    return _clipped((images * (1 - inside) + pale * inside) * (1 - 0.5 * rim))


def _restained(images: Array, factors: tuple[float, float]) -> Array:
    """Scale the optical density of each stain by its factor (colour deconvolution, Ruifrok and Johnston 2001); the
    third component is the residual."""
    unit = STAINS / np.linalg.norm(STAINS, axis=1, keepdims=True)
    third = np.cross(unit[0], unit[1])
    basis = np.vstack((unit, third / np.linalg.norm(third)))
    matrix = np.linalg.inv(basis) @ np.diag((*factors, 1.0)) @ basis
    density = -np.log(np.maximum(images, DARKEST))
    return _clipped(np.exp(-np.einsum("nchw,cd->ndhw", density, matrix, optimize=True)))


def _each(images: Array, change: Callable[[Image.Image], Image.Image]) -> Array:
    """Return ``images``, each changed as a picture of 8 bits."""
    whole = np.rint(255 * np.clip(images, 0, 1)).astype(np.uint8).transpose(0, 2, 3, 1)
    pictures = [np.asarray(change(Image.fromarray(picture)).convert("RGB")) for picture in whole]
    return np.asarray(np.stack(pictures).transpose(0, 3, 1, 2) / 255, np.float32) if pictures else images


def _clipped(images: NDArray[np.floating]) -> Array:
    return np.asarray(np.clip(images, 0, 1), np.float32)
