"""Images of one section of tissue by an infrared and by a bright-field microscope."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from core.spectra.reference_spectra import STAINS, endmembers, mie

Array = NDArray[np.float32]
Floats = NDArray[np.float64]

# absorbance of unit concentration in a section of unit thickness, at amide I of protein
STRENGTH = 0.6
# optical density at full uptake of a stain
DEPTH = 1.6
STAINED_BLUR, STAINED_NOISE = 0.45, 0.02


def absorbance(parts: Mapping[str, Array], wavenumbers: Floats, thickness: Floats) -> Array:
    """Return the absorbance A = 0.6 t sum_k c_k eps_k (Beer-Lambert), (N, B, H, W) float32.

    parts: concentration (N, H, W) of each component in the order of ``ENDMEMBERS``; thickness t: (N,), 1 nominal.
    wavenumbers: (B,) in cm^-1.
    """
    found = np.einsum("nkhw,kb->nbhw", np.stack(tuple(parts.values()), 1), endmembers(wavenumbers), optimize=True)
    return np.asarray(STRENGTH * thickness[:, None, None, None] * found, np.float32)


def scattering(cytoplasm: Array, wavenumbers: Floats, strength: Floats) -> Array:
    """Return the extinction (N, B, H, W) by cells, in absorbance: ``strength`` (N,) times a Mie curve of maximum 1
    times ``cytoplasm`` (N, H, W)."""
    curve = mie(wavenumbers)
    return np.asarray(np.einsum("n,b,nhw->nbhw", strength, curve / curve.max(), cytoplasm, optimize=True), np.float32)


def diffraction(wavenumbers: Floats) -> Floats:
    """Return the standard deviation (B,) of the point spread function in pixels: 0.55 + 0.35 * 1500 / ``wavenumbers``
    (cm^-1), as diffraction grows with the wavelength."""
    return np.asarray(0.55 + 0.35 * 1500 / wavenumbers, np.float64)


def blur(images: Array, sigmas: Floats) -> Array:
    """Return ``images`` (N, B, H, W), each band convolved with a Gaussian of its ``sigmas`` (B,) pixels.

    Edges are repeated; a sigma of 0 leaves its band.
    """
    down, across = ([_smoother(side, sigma) for sigma in sigmas] for side in images.shape[-2:])
    return np.stack([down[b] @ images[:, b] @ across[b].T for b in range(len(sigmas))], axis=1)


def _smoother(size: int, sigma: float) -> Array:
    """Return the matrix (size, size) that smooths a line: a product with it is much faster than a filter."""
    unit = np.eye(size)
    return np.asarray(gaussian_filter1d(unit, sigma, axis=0, mode="nearest") if sigma > 0 else unit, np.float32)


def detector(bands: int) -> Floats:
    """Return the noise (``bands``,) of each band relative to the middle of the range: 1.5 at both ends."""
    return np.asarray(1 + 0.5 * np.linspace(-1, 1, bands) ** 4, np.float64)


def stained(parts: Mapping[str, Array], dose: Floats, strength: Floats, rng: np.random.Generator) -> Array:
    """Return the section stained with haematoxylin and eosin, (N, 3, H, W), 0 to 1.

    dose: (N,), thickness times density. strength: (N, 2), uptake of each stain by a slide. Uptake saturates with
    the dose, so that density is small beside the differences between slides.
    """
    much = dose[:, None, None]
    blue = 0.9 * np.tanh(1.2 * parts["nucleic acid"] / 0.23 * much)
    pink = 0.55 * (0.35 * parts["protein"] + 0.9 * parts["collagen"]) * np.tanh(1.5 * much) / 0.9
    taken = np.stack((strength[:, 0, None, None] * blue, strength[:, 1, None, None] * pink), axis=1)
    light = np.exp(-DEPTH * np.einsum("nshw,sc->nchw", taken, STAINS, optimize=True)).astype(np.float32)
    seen = blur(light, np.full(3, STAINED_BLUR))
    return np.clip(seen + STAINED_NOISE * rng.standard_normal(seen.shape, np.float32), 0, 1)
