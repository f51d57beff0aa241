"""Patches as pictures: false colour of the infrared cube, the stained picture, and what each pixel speaks for."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from core.failure.results import Model, Picture, Results
from core.report.lab.tissue_tiles import BANDS_SHOWN, attribution_tile, tile_of
from webapp.pages.kit.templates import EMPTY, piece

HEAD = "Tissue"
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
    sentence = SENTENCE.format(colours=BANDS_SHOWN[results.data.technique])
    simulated = results.data.source == "simulated"
    return piece("lab", "gallery", title=HEAD, is_simulated=simulated, sentence=sentence, patches=patches)


def _patch(picture: Picture, models: Sequence[Model], classes: Sequence[str]) -> dict[str, object]:
    whose = f"Patch {picture.patch}" + (f", slide {picture.group}" if picture.group >= 0 else "")
    tiles = [_tile(tile_of(picture, "ir"), "IR, false colour", f"{whose}: infrared in false colour")]
    if picture.rgb:
        tiles.append(_tile(tile_of(picture, "rgb"), "RGB, stained", f"{whose}: stained"))
    for model in models:
        found = next((each for each in model.attributions if each.patch == picture.patch), None)
        if found is not None:
            answer = "right" if found.predicted == found.label else f"taken for {classes[found.predicted]}"
            tiles.append(_tile(attribution_tile(found), f"{model.title}: {answer}", f"{whose}: pixels"))
    return {"title": classes[picture.label], "place": whose, "tiles": tiles}


def _tile(picture: str, caption: str, words: str) -> dict[str, str]:
    return {"picture": picture, "words": words, "caption": caption}
