"""Patches as pictures in a page: false colour of the infrared cube, the stained picture, and attributions of pixels."""

from __future__ import annotations

import base64
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.failure.results import Attribution, Picture

Pixels = NDArray[np.uint8]

# orange for the answer, blue against it; nothing is dark grey
FOR, AGAINST, NEITHER = (255, 138, 91), (86, 180, 233), (24, 32, 43)
BANDS_SHOWN = {
    "infrared": "red amide I (1655), green phosphate (1085), blue CH2 (2924 cm⁻¹)",
    "raman": "red amide I (1660), green phenylalanine (1003), blue CH (2935 cm⁻¹)",
}


def png(values: Pixels) -> str:
    """Return an image (H, W, 3) as an address that holds it."""
    buffer = BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def coloured(scores: NDArray[np.float64]) -> Pixels:
    """Return (H, W, 3) of scores (H, W) from -1 to 1."""
    weight = np.clip(np.abs(scores), 0, 1)[..., None] ** 0.7
    ends = np.where(scores[..., None] >= 0, np.array(FOR), np.array(AGAINST))
    return np.asarray(np.round((1 - weight) * np.array(NEITHER) + weight * ends), np.uint8)


def tile_of(picture: Picture, side: str) -> str:
    """Return the address of one side of a patch: "ir" in false colour, or "rgb"."""
    return png(np.array(picture.ir if side == "ir" else picture.rgb, np.uint8))


def attribution_tile(attribution: Attribution) -> str:
    """Return the address of the map of what each pixel adds to the answer."""
    return png(coloured(np.array(attribution.scores, np.float64)))
