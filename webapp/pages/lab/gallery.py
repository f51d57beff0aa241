"""Patches as pictures: false colour of the infrared cube, the stained picture, and what each pixel speaks for."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from io import BytesIO

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from core.failure.results import Model, Picture, Results
from webapp.pages.kit.templates import EMPTY, piece

Pixels = NDArray[np.uint8]

# red speaks for the answer, blue against it; nothing is dark grey
FOR, AGAINST, NEITHER = (255, 138, 91), (86, 180, 233), (24, 32, 43)
HEAD = "Tissue"
COLOURS = {
    "infrared": "red amide I (1655), green phosphate (1085), blue CH2 (2924 cm⁻¹)",
    "raman": "red amide I (1660), green phenylalanine (1003), blue CH (2935 cm⁻¹)",
}
SENTENCE = (
    "Left: three bands as colours, {colours}. Then the stained picture, and for each model how much each pixel speaks "
    "for its answer (orange, bright) or against it (blue)."
)


def gallery(results: Results, models: Sequence[Model]) -> Markup:
    """Return a row for each patch of the gallery, with the maps of ``models`` beside it."""
    if not results.gallery:
        return EMPTY
    shown = [model for model in models if model.attributions]
    patches = [_patch(picture, shown, results.data.classes) for picture in results.gallery]
    sentence = SENTENCE.format(colours=COLOURS[results.data.technique])
    simulated = results.data.source == "simulated"
    return piece("lab", "gallery", title=HEAD, is_simulated=simulated, sentence=sentence, patches=patches)


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


def _patch(picture: Picture, models: Sequence[Model], classes: Sequence[str]) -> dict[str, object]:
    whose = f"Patch {picture.patch}" + (f", slide {picture.group}" if picture.group >= 0 else "")
    tiles = [_tile(np.array(picture.ir, np.uint8), "IR, false colour", f"{whose}: infrared in false colour")]
    if picture.rgb:
        tiles.append(_tile(np.array(picture.rgb, np.uint8), "RGB, stained", f"{whose}: stained"))
    for model in models:
        found = next((each for each in model.attributions if each.patch == picture.patch), None)
        if found is not None:
            answer = "right" if found.predicted == found.label else f"taken for {classes[found.predicted]}"
            tiles.append(_tile(coloured(np.array(found.scores)), f"{model.title}: {answer}", f"{whose}: pixels"))
    return {"title": classes[picture.label], "place": whose, "tiles": tiles}


def _tile(values: Pixels, caption: str, words: str) -> dict[str, str]:
    return {"picture": png(values), "words": words, "caption": caption}
