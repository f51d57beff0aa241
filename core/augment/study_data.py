"""The images of a study: simulated tissue, slices of synthetic heads, or the user's own."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.augment.head_slices import head_slices
from core.augment.image_set import ImageSet, StudyData
from core.augment.task import Settings
from core.errors import UserError
from core.events import Progress, changed
from core.failure.data.earlier_run import EarlierRun
from core.failure.data.loader import load
from core.failure.data.modality import channels, images
from core.failure.data.predictions import Predictions
from core.failure.data.reading_options import options_of
from core.failure.data.splits import split
from core.spectra.patches import PatchSet
from core.spectra.simulated_tissue import PRESETS, simulate

Float = NDArray[np.float32]

TEST_PATCHES = 600
# heads of each part; their seeds lie apart from those of other parts and other runs
POOL_HEADS, TEST_HEADS, BEYOND_HEADS, HEAD_SEEDS = 40, 25, 30, 1000
# seeds of simulated tissue that one study may use: more than a study has pools
SIMULATED_SEEDS = 20
SHARES = (0.65, 0.35)
SHARES_WITH_OPEN = (0.45, 0.3, 0.25)
LARGEST_SIDE, SMALLEST_SIDE = 32, 4


def study_data(data: Path | None, labels: Path | None, settings: Settings) -> Generator[Progress, None, StudyData]:
    """Return the images that ``settings`` choose: of the file or folder ``data`` where there is one.

    UserError of the failure lab's readers, not_images, too_few_groups.
    """
    if data is not None:
        yield Progress(0.0, 0, 1, "Reading")
        return _of_user(data, labels, settings)
    if settings.images == "heads":
        return (yield from _heads(settings))
    yield Progress(0.0, 0, 1, "Simulating")
    return _tissue(settings)


def _tissue(settings: Settings) -> StudyData:
    tissue, first = PRESETS[settings.tissue], SIMULATED_SEEDS * settings.seed
    kind = settings.images
    pools = tuple(
        _of_patches(simulate(tissue, settings.pool, first + 2 + number), kind) for number in range(settings.seeds)
    )
    test = _of_patches(simulate(tissue, TEST_PATCHES, first), kind)
    beyond = _of_patches(simulate(tissue, settings.pool, first + 1, "external"), kind) if settings.open_set else None
    seen = "stained pictures" if kind == "rgb" else "infrared cubes"
    return StudyData(pools, test, beyond, "simulated", f"{tissue.title}; {seen}")


def _heads(settings: Settings) -> Generator[Progress, None, StudyData]:
    wanted = (TEST_HEADS, BEYOND_HEADS if settings.open_set else 0, *[POOL_HEADS] * settings.seeds)
    first = len(wanted) * HEAD_SEEDS * settings.seed
    parts: list[ImageSet] = []
    for part, count in enumerate(wanted):
        if count:
            told = partial(_making, before=sum(wanted[:part]), count=count, total=sum(wanted))
            parts.append((yield from changed(head_slices(count, first + part * HEAD_SEEDS), told)))
    test, *pools = parts
    beyond = pools.pop(0) if settings.open_set else None
    return StudyData(tuple(pools), test, beyond, "heads", "Slices of synthetic heads, with plaques or without")


def _making(done: int, before: int, count: int, total: int) -> Progress:
    return Progress(0.0, before + done, total, f"Synthetic heads: {done} of {count}")


def _of_user(data: Path, labels: Path | None, settings: Settings) -> StudyData:
    loaded = load(data, labels, options_of(settings))
    if isinstance(loaded, Predictions | EarlierRun) or min(loaded.patches.ir.shape[2:]) < SMALLEST_SIDE:
        raise UserError(
            "not_images",
            f"A study needs images of at least {SMALLEST_SIDE} × {SMALLEST_SIDE} pixels with their classes.",
            "Give patches, not spectra or answers of a model.",
        )
    patches, kind = loaded.patches, settings.images
    notices = list(loaded.notices)
    if kind != "ir" and patches.rgb is None:
        kind = "ir"
        notices.append("The data have no stained pictures, so their spectra are studied.")
    parts = split(patches, SHARES_WITH_OPEN if settings.open_set else SHARES, settings.seed)
    if patches.groups is None:
        # each image its own group
        patches = replace(patches, groups=np.arange(len(patches)))
    pool, test, *rest = (
        _smaller(_of_patches(patches.take(part), "ir" if kind == "ir" else "rgb")) for part in parts.parts
    )
    factor = _factor(images(patches, "ir" if kind == "ir" else "rgb"))
    if factor > 1:
        notices.append(f"Images are studied at 1/{factor} of their resolution.")
    notices += parts.notices
    return StudyData((pool,), test, rest[0] if rest else None, "file", "Your images", tuple(dict.fromkeys(notices)))


def _of_patches(patches: PatchSet, kind: str) -> ImageSet:
    groups = patches.groups if patches.groups is not None else np.arange(len(patches))
    return ImageSet(
        images(patches, kind),
        patches.labels,
        patches.classes,
        groups,
        "ir" if kind == "ir" else "rgb",
        channels(patches, kind)[1],
    )


def _factor(values: Float) -> int:
    return -(-int(max(values.shape[2:])) // LARGEST_SIDE)


def _smaller(found: ImageSet) -> ImageSet:
    """Return images whose sides are at most 32, means of squares of pixels."""
    factor = _factor(found.values)
    if factor == 1:
        return found
    count, bands, height, width = found.values.shape
    high, wide = height // factor, width // factor
    even = found.values[:, :, : high * factor, : wide * factor].reshape(count, bands, high, factor, wide, factor)
    return replace(found, values=even.mean(axis=(3, 5), dtype=np.float32))
