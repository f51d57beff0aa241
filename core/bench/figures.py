"""Pictures of fills: truth, hole and each method side by side, in three planes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from core.methods.base import Problem

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

WINDOW_MM = 100.0
TILE = 300
BAND = 18
OUTLINE = (255, 90, 60)


def draw(path: Path, truth: Float, problem: Problem, fills: Mapping[str, Float]) -> None:
    """Write a PNG: a column for the truth, the voided scan and each of ``fills`` (title -> (X, Y, Z) RAS+ result),
    a row for the sagittal, coronal and axial plane through the middle of the mask, left on the left."""
    columns = {"truth": truth, "voided": problem.image, **fills}
    white = float(np.percentile(problem.image[problem.head & ~problem.mask], 99.5)) or 1.0
    centre = _centre(problem.mask)
    sheet = Image.new("RGB", (TILE * len(columns), BAND + 3 * TILE))
    pen = ImageDraw.Draw(sheet)
    for column, (title, image) in enumerate(columns.items()):
        pen.text((TILE * column + 4, 3), title, fill=(255, 255, 255))
        outline = problem.mask if title == "voided" else None
        for axis in range(3):
            tile = _tile(image, outline, centre, axis, problem.spacing, white)
            sheet.paste(tile, (TILE * column, BAND + TILE * axis))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def _centre(mask: Bool) -> tuple[int, int, int]:
    """The mask voxel nearest to the middle of the mask."""
    voxels = np.argwhere(mask)
    x, y, z = (int(value) for value in voxels[np.argmin(((voxels - voxels.mean(axis=0)) ** 2).sum(axis=1))])
    return x, y, z


def _tile(
    image: Float,
    outline: Bool | None,
    centre: tuple[int, int, int],
    axis: int,
    spacing: tuple[float, float, float],
    white: float,
) -> Image.Image:
    """Cut a square of ``WINDOW_MM`` around ``centre`` out of one plane."""
    grey = np.clip(np.take(image, centre[axis], axis) / white, 0, 1)
    colour = np.repeat((255 * grey).astype(np.uint8)[..., None], 3, axis=2)
    if outline is not None:
        plane = np.take(outline, centre[axis], axis)
        colour[plane & ~ndimage.binary_erosion(plane)] = OUTLINE
    first, second = (other for other in range(3) if other != axis)
    half = [int(WINDOW_MM / 2 / spacing[other]) for other in (first, second)]
    padded = np.pad(colour, [(half[0], half[0]), (half[1], half[1]), (0, 0)])
    window = padded[centre[first] : centre[first] + 2 * half[0] + 1, centre[second] : centre[second] + 2 * half[1] + 1]
    upright = np.ascontiguousarray(window.transpose(1, 0, 2)[::-1])
    return Image.fromarray(upright).resize((TILE, TILE), Image.Resampling.BICUBIC)
