"""The pictures that a study writes beside its numbers: curves, real beside synthetic images, nearest neighbours."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from core.augment.arms import ALONE, TITLES
from core.augment.worth_results import ArmResult, Shown, WorthResults

GROUND, INK, FAINT = (255, 255, 255), (32, 40, 52), (208, 214, 222)
COLOURS = ((47, 143, 208), (199, 119, 0), (19, 155, 124), (192, 96, 155), (154, 138, 0), (224, 96, 58), (125, 139, 155))
TILE, GAP, MARGIN = 72, 4, 12
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 900, 560, 70, 56, 96
SIZE = 14

Colour = tuple[int, int, int]


def write_curves(path: Path, results: WorthResults) -> None:
    """Draw accuracy over the number of images: the fit of real ones with its interval, and each arm beside it."""
    image = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(SIZE)
    arms = [arm for arm in results.arms if arm.name != ALONE]
    lows = [*(point.fitted.low for point in results.curve), *(arm.accuracy.value for arm in arms)]
    highs = [*(point.fitted.high for point in results.curve), *(arm.accuracy.value for arm in arms)]
    frame = _Frame(
        (results.curve[0].count, max(results.curve[-1].count, *(arm.base + arm.added for arm in arms))),
        (math.floor(20 * min(v for v in lows if v == v)) / 20, math.ceil(20 * max(v for v in highs if v == v)) / 20),
    )
    _axes(pen, frame, results, font)
    band = [frame.at(point.count, point.fitted.high) for point in results.curve]
    band += [frame.at(point.count, point.fitted.low) for point in reversed(results.curve)]
    pen.polygon(band, fill=(226, 232, 240))
    pen.line([frame.at(point.count, point.fitted.value) for point in results.curve], fill=INK, width=2)
    for point in results.curve:
        if point.measured.value == point.measured.value:
            _mark(pen, frame.at(point.count, point.measured.value), INK)
    names = list(dict.fromkeys(arm.name for arm in arms))
    for place, name in enumerate(names):
        colour = COLOURS[place % len(COLOURS)]
        x, y = LEFT + place % 2 * 380, 8 + place // 2 * 20
        _mark(pen, (x + 6, y + 8), colour)
        pen.text((x + 18, y), TITLES[name], fill=INK, font=font)
        for base in dict.fromkeys(arm.base for arm in arms if arm.name == name):
            _draw_arm(pen, frame, [arm for arm in arms if (arm.name, arm.base) == (name, base)], colour)
    image.save(path, "PNG")


def write_samples(path: Path, results: WorthResults) -> None:
    """Draw, for each generator, a row of training images above a row of its own."""
    rows: list[tuple[str, Sequence[Shown]]] = []
    for gallery in results.galleries:
        of = f"{gallery.base} real images" if gallery.base else "the open set"
        rows += [(f"Real, of {of}", gallery.real), (f"Synthetic, generator of {of}", gallery.synthetic)]
    _write_rows(path, rows)


def write_neighbours(path: Path, results: WorthResults) -> None:
    """Draw, for each generator, its images nearest to a training image above these."""
    rows: list[tuple[str, Sequence[Shown]]] = []
    for gallery in results.galleries:
        of = f"{gallery.base} real images" if gallery.base else "the open set"
        rows += [
            (f"Synthetic, nearest to a training image ({of})", [pair[0] for pair in gallery.pairs]),
            ("Training images nearest to them", [pair[1] for pair in gallery.pairs]),
        ]
    _write_rows(path, rows)


class _Frame:
    """Where numbers lie in the picture: counts on a logarithmic axis, accuracies on a linear one."""

    def __init__(self, counts: tuple[int, int], accuracies: tuple[float, float]) -> None:
        self.counts, self.accuracies = counts, accuracies

    def at(self, count: float, accuracy: float) -> tuple[float, float]:
        low, high = (math.log(each) for each in self.counts)
        across = (math.log(count) - low) / max(high - low, 1e-9)
        up = (accuracy - self.accuracies[0]) / max(self.accuracies[1] - self.accuracies[0], 1e-9)
        return LEFT + across * (WIDTH - LEFT - 24), HEIGHT - BOTTOM - up * (HEIGHT - BOTTOM - TOP)


def _axes(
    pen: ImageDraw.ImageDraw, frame: _Frame, results: WorthResults, font: ImageFont.ImageFont | ImageFont.FreeTypeFont
) -> None:
    low, high = frame.accuracies
    for step in range(6):
        value = low + (high - low) * step / 5
        x, y = frame.at(frame.counts[0], value)
        pen.line([(x, y), (WIDTH - 24, y)], fill=FAINT)
        pen.text((x - 46, y - 8), f"{value:.2f}", fill=INK, font=font)
    for point in results.curve:
        if point.by_seed:
            x, y = frame.at(point.count, low)
            pen.line([(x, y), (x, y + 6)], fill=INK)
            pen.text((x - 10, y + 8), str(point.count), fill=INK, font=font)
    pen.text((LEFT, HEIGHT - 24), "images in the training set, real and added", fill=INK, font=font)
    pen.text((8, TOP - 22), "accuracy", fill=INK, font=font)


def _draw_arm(pen: ImageDraw.ImageDraw, frame: _Frame, arms: Sequence[ArmResult], colour: Colour) -> None:
    """Draw the arms of one name and base over all images of their training sets."""
    places = [frame.at(arm.base + arm.added, arm.accuracy.value) for arm in arms]
    if len(places) > 1:
        pen.line(places, fill=colour, width=2)
    for each in places:
        _mark(pen, each, colour)


def _mark(pen: ImageDraw.ImageDraw, place: tuple[float, float], colour: Colour) -> None:
    x, y = place
    pen.ellipse([x - 4, y - 4, x + 4, y + 4], fill=colour)


def _write_rows(path: Path, rows: Sequence[tuple[str, Sequence[Shown]]]) -> None:
    """Write rows of images, each under its title."""
    columns = max((len(shown) for _, shown in rows), default=1)
    line = TILE + GAP + SIZE + 10
    image = Image.new("RGB", (2 * MARGIN + columns * (TILE + GAP), 2 * MARGIN + max(1, len(rows)) * line), GROUND)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(SIZE)
    for number, (title, shown) in enumerate(rows):
        top = MARGIN + number * line
        pen.text((MARGIN, top), title, fill=INK, font=font)
        for column, one in enumerate(shown):
            with Image.open(BytesIO(base64.b64decode(one.picture))) as tile:
                factor = TILE / max(tile.size)
                width, height = (max(1, round(factor * each)) for each in tile.size)
                scaled = tile.convert("RGB").resize((width, height), Image.Resampling.NEAREST)
            left = MARGIN + column * (TILE + GAP) + (TILE - width) // 2
            image.paste(scaled, (left, top + SIZE + 6 + (TILE - height) // 2))
    image.save(path, "PNG")
