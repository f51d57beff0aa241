"""Planes of a scan as small pictures: where they are cut, how bright, in which colours, with which marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin, WebPImagePlugin

from core.volume import Box

Float = NDArray[np.float32]
Affine = NDArray[np.float64]
Pixels = NDArray[np.uint8]

# the axis a plane is perpendicular to, the one that runs across it, the one that runs up
PLANES = (("axial", 2, 0, 1), ("coronal", 1, 0, 2), ("sagittal", 0, 1, 2))
# left and right side of a picture, seen from the feet and from the front: the patient's right is on the left
ENDS = ("R", "L"), ("R", "L"), ("A", "P")
OUTLINE = (255, 64, 129)
GAP = 6
# imported by name, these spare Pillow the import of every format it knows
FORMATS = (PngImagePlugin.PngImageFile.format, WebPImagePlugin.WebPImageFile.format)
INFERNO = (
    "000004", "1b0c41", "4a0c6b", "781c6d", "a52c60", "cf4446", "ed6925", "fb9b06", "f7d13d", "fcffa4"
)  # fmt: skip
# Brewer's RdBu turned round: blue below, nearly white at 0, red above
DIVERGING = (
    "053061", "2166ac", "4393c3", "92c5de", "d1e5f0", "f7f7f7", "fddbc7", "f4a582", "d6604d", "b2182b", "67001f"
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Frame:
    """What pictures show: planes of a RAS+ grid through ``centre``, within ``box``.

    affine: (4, 4) voxel -> mm of that grid. centre: a voxel. pitch: mm from one pixel to the next.
    """

    affine: Affine
    box: Box
    centre: tuple[int, int, int]
    pitch: float

    def cut(self, values: NDArray[Any], affine: Affine, plane: int) -> Float:
        """Return plane number ``plane`` of PLANES as (height, width) float32, NaN beyond the volume.

        values: (I, J, K) on any grid, in any order of axes; affine: (4, 4) voxel -> mm of it. Each pixel is the
        nearest voxel: what is between voxels is not made up.
        """
        _, through, across, up = PLANES[plane]
        start = np.array([*self.centre, 1.0])
        steps = np.zeros((2, 4))
        counts = []
        sides = np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))
        start[through] = self.centre[through]
        for row, axis in enumerate((up, across)):
            # pixels lie within the faces of the box, from its far end
            step = self.pitch / sides[axis]
            start[axis] = self.box[axis].stop - 0.5 - step / 2
            steps[row, axis] = -step
            counts.append(max(1, round((self.box[axis].stop - self.box[axis].start) / step)))
        into = np.linalg.solve(affine, self.affine)
        at = [
            (into[axis] @ start)
            + (into[axis] @ steps[0]) * np.arange(counts[0])[:, None]
            + (into[axis] @ steps[1]) * np.arange(counts[1])
            for axis in range(3)
        ]
        index = [np.rint(place).astype(np.intp) for place in at]
        inside = np.logical_and.reduce([(i >= 0) & (i < n) for i, n in zip(index, values.shape, strict=True)])
        found = values[tuple(np.where(inside, i, 0) for i in index)].astype(np.float32)
        return np.where(inside, found, np.float32(np.nan))


def frame(affine: Affine, box: Box, centre: Sequence[int], width: int) -> Frame:
    """Return a frame whose three planes stand side by side in about ``width`` pixels, voxels drawn alike."""
    sides = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    lengths = [(part.stop - part.start) * side for part, side in zip(box, sides, strict=True)]
    total = 2 * lengths[0] + lengths[1]
    finest = float(sides.min())
    # a whole number of pixels to the smallest voxel side, so that no voxel is drawn wider than its neighbour
    enlarged = max(1, round(width * finest / total))
    pitch = finest / enlarged if total / finest <= 1.5 * width else total / width
    x, y, z = (int(place) for place in centre)
    return Frame(affine, box, (x, y, z), float(pitch))


def grey(values: Float, low: float, high: float) -> Pixels:
    """Return ``values`` (height, width) as grey pixels (height, width), black at ``low`` and beyond the volume."""
    scaled = (np.nan_to_num(values, nan=low) - low) / max(high - low, 1e-12)
    return np.asarray(np.clip(scaled, 0, 1) * 255 + 0.5, np.uint8)


def coloured(values: Float, low: float, high: float, colours: Sequence[str], beyond: float) -> Pixels:
    """Return ``values`` (height, width) as (height, width, 3), ``colours`` spread from ``low`` to ``high``.

    beyond: the value that stands for what lies outside the volume.
    """
    table = np.array([[int(colour[i : i + 2], 16) for i in (0, 2, 4)] for colour in colours], np.float64)
    scaled = (np.nan_to_num(values, nan=beyond) - low) / max(high - low, 1e-12)
    place = np.clip(scaled, 0, 1) * (len(table) - 1)
    channels = [np.interp(place, np.arange(len(table)), table[:, channel]) for channel in range(3)]
    return np.asarray(np.stack(channels, axis=-1) + 0.5, np.uint8)


def outlined(pixels: Pixels, mask: NDArray[np.bool_]) -> Pixels:
    """Return grey ``pixels`` (height, width) in colour with the border of ``mask`` (height, width) drawn just
    outside it."""
    near = np.pad(mask, 1)
    grown = near[:-2, 1:-1] | near[2:, 1:-1] | near[1:-1, :-2] | near[1:-1, 2:]
    drawn = np.repeat(pixels[:, :, None], 3, axis=2)
    drawn[grown & ~mask] = OUTLINE
    return drawn


def strip(planes: Sequence[Pixels], mark: str = "", *, light: bool = False, mirrored: bool = False) -> Image.Image:
    """Return the three ``planes`` side by side with the letters of their sides and ``mark`` burnt into each.

    planes: (height, width) grey or (height, width, 3) alike; light: on white, with dark letters. mirrored: the
    patient's left on the left.
    """
    if mirrored:
        planes = [plane[:, ::-1] for plane in planes]
    ground = 255 if light else 0
    height = max(plane.shape[0] for plane in planes)
    width = sum(plane.shape[1] for plane in planes) + GAP * (len(planes) - 1)
    sheet = np.full((height, width, *planes[0].shape[2:]), ground, np.uint8)
    left = 0
    corners = []
    for plane in planes:
        top = (height - plane.shape[0]) // 2
        sheet[top : top + plane.shape[0], left : left + plane.shape[1]] = plane
        corners.append((left, top, left + plane.shape[1], top + plane.shape[0]))
        left += plane.shape[1] + GAP
    made = Image.fromarray(sheet)
    size = max(11, min(20, min(plane.shape[1] for plane in planes) // 18))
    for corner, (first, last) in zip(corners, ENDS, strict=False):
        _write(made, corner, (last, first) if mirrored else (first, last), mark, size, light)
    return made


def png(image: Image.Image) -> bytes:
    """Return ``image`` as a PNG, quickly."""
    buffer = BytesIO()
    image.save(buffer, FORMATS[0], compress_level=3)
    return buffer.getvalue()


def webp(image: Image.Image, quality: int = 90) -> bytes:
    """Return ``image`` as a lossy WebP without any metadata."""
    buffer = BytesIO()
    # more effort than 2 takes twice the time for a file as large
    image.save(buffer, FORMATS[1], quality=quality, method=2)
    return buffer.getvalue()


def preview(values: Float, spacing: Sequence[float], centre: Sequence[int], low: float, high: float) -> bytes:
    """Return a small PNG of three planes of ``values`` (X, Y, Z), RAS+, through the voxel ``centre``.

    spacing: voxel size in mm; black at ``low``, white at ``high``. Marked as synthetic. The patient's left is on the
    left, as in the page's viewer, beside which it stands.
    """
    affine = np.diag([*spacing, 1.0])
    x, y, z = (slice(0, side) for side in values.shape)
    here = frame(affine, (x, y, z), centre, 480)
    planes = [grey(here.cut(values, affine, plane), low, high) for plane in range(3)]
    return png(strip(planes, "synthetic, unfinished", mirrored=True))


def _write(
    made: Image.Image, corner: tuple[int, int, int, int], ends: tuple[str, str], mark: str, size: int, light: bool
) -> None:
    left, top, right, bottom = corner
    pen = ImageDraw.Draw(made)
    font = ImageFont.load_default(size)
    ink, edge = (40, 255) if light else (255, 0)
    style: dict[str, Any] = {"font": font, "fill": _ink(made, ink), "stroke_width": 1, "stroke_fill": _ink(made, edge)}
    pen.text((left + 4, (top + bottom) / 2), ends[0], anchor="lm", **style)
    pen.text((right - 4, (top + bottom) / 2), ends[1], anchor="rm", **style)
    if mark:
        pen.text((left + 4, bottom - 4), mark, anchor="lb", **style)


def _ink(made: Image.Image, level: int) -> int | tuple[int, int, int]:
    return level if made.mode == "L" else (level, level, level)
