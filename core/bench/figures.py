"""Pictures of cases: truth, input and each method side by side, in three planes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.imaging.picture import grey, outlined

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

TILE = 300
BAND = 18


@dataclass(frozen=True, eq=False)
class Scene:
    """What to draw of a case: title -> (X, Y, Z) image before any method; outline: (X, Y, Z) bool shown on the last of
    them; centre: the voxel the three planes go through; white: intensity of white; width_mm: side of the pictures."""

    images: Mapping[str, Float]
    centre: tuple[int, int, int]
    spacing: tuple[float, float, float]
    white: float
    width_mm: float
    outline: Bool | None = None


def draw(path: Path, scene: Scene, results: Mapping[str, Float]) -> None:
    """Write a PNG: a column for each image of ``scene`` and each of ``results`` (title -> (X, Y, Z), RAS+), a row for
    the sagittal, coronal and axial plane, left on the left."""
    columns = {**scene.images, **results}
    outlined = list(scene.images)[-1]
    sheet = Image.new("RGB", (TILE * len(columns), BAND + 3 * TILE))
    pen = ImageDraw.Draw(sheet)
    for column, (title, image) in enumerate(columns.items()):
        pen.text((TILE * column + 4, 3), title, fill=(255, 255, 255))
        for axis in range(3):
            tile = _tile(image, scene.outline if title == outlined else None, scene, axis)
            sheet.paste(tile, (TILE * column, BAND + TILE * axis))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def _tile(image: Float, outline: Bool | None, scene: Scene, axis: int) -> Image.Image:
    """Cut a square of ``width_mm`` around the centre out of one plane."""
    centre = scene.centre
    pixels = grey(np.take(image, centre[axis], axis), 0, scene.white)
    if outline is not None:
        pixels = outlined(pixels, np.take(outline, centre[axis], axis))
    first, second = (other for other in range(3) if other != axis)
    half = [int(scene.width_mm / 2 / scene.spacing[other]) for other in (first, second)]
    padded = np.pad(pixels, [(half[0], half[0]), (half[1], half[1]), *[(0, 0)] * (pixels.ndim - 2)])
    window = padded[centre[first] : centre[first] + 2 * half[0] + 1, centre[second] : centre[second] + 2 * half[1] + 1]
    upright = np.ascontiguousarray(window.swapaxes(0, 1)[::-1])
    return Image.fromarray(upright).resize((TILE, TILE), Image.Resampling.BICUBIC)
