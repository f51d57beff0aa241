"""The two modalities of a patch: its infrared cube ("ir") and its stained picture ("rgb")."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.spectra.patches import PatchSet

Float = NDArray[np.float32]

TITLES = {"ir": "IR", "rgb": "RGB"}
COLOURS = ("red", "green", "blue")


def technique_of(patches: PatchSet) -> Literal["infrared", "raman"]:
    """Return the technique that measured ``patches``."""
    return "raman" if patches.raman else "infrared"


def images(patches: PatchSet, modality: str) -> Float:
    """Return (N, C, H, W) float32: absorbance in C bands for "ir", red, green and blue from 0 to 1 for "rgb".

    UserError no_pictures for "rgb" where the patches have no stained pictures.
    """
    if modality == "ir":
        return patches.ir
    if patches.rgb is None:
        raise UserError("no_pictures", "These patches have no stained pictures.", "Examine the infrared side alone.")
    return patches.rgb


def channels(patches: PatchSet, modality: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Return names and positions of the channels: wavenumbers in cm^-1, or colours numbered from 0."""
    if modality == "rgb":
        return COLOURS, (0.0, 1.0, 2.0)
    return tuple(f"{each:.0f}" for each in patches.wavenumbers), tuple(float(each) for each in patches.wavenumbers)


def mean_spectra(values: Float) -> Float:
    """Return the mean spectrum (or colour) of each patch of ``values`` (N, C, H, W): (N, C) float32."""
    return np.asarray(values.mean(axis=(2, 3), dtype=np.float64), np.float32)
