"""The images of a study: simulated tissue, slices of synthetic heads, or the user's own."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from core.augment.head_slices import head_slices
from core.augment.image_set import ImageSet, StudyData
from core.augment.labelled_pictures import Choices, finite, holds_pictures, no_images, pictures_of, smaller
from core.augment.picture_folder import picture_files, read_picture_files
from core.augment.task import Settings
from core.events import Progress, changed
from core.failure.data.earlier_run import EarlierRun
from core.failure.data.loader import load
from core.failure.data.modality import channels, images
from core.failure.data.predictions import Predictions
from core.failure.data.reading_options import names_of, options_of
from core.failure.data.splits import NO_GROUPS, split
from core.files.pictures import SMALLEST_SIDE
from core.files.spectra import read_safely
from core.spectra.patches import PatchSet
from core.spectra.simulated_tissue import PRESETS, simulate

TEST_PATCHES = 600
# heads of each part; their seeds lie apart from those of other parts and other runs
POOL_HEADS, TEST_HEADS, BEYOND_HEADS, HEAD_SEEDS = 40, 25, 30, 1000
# seeds of simulated tissue that one study may use: more than a study has pools
SIMULATED_SEEDS = 20
SHARES = (0.65, 0.35)
SHARES_WITH_OPEN = (0.45, 0.3, 0.25)
AS_PICTURES = "The data are pictures without spectra, so their colours are studied."


def study_data(data: Path | None, labels: Path | None, settings: Settings) -> Generator[Progress, None, StudyData]:
    """Return the images that ``settings`` choose: of the file or folder ``data`` where there is one.

    UserError of the failure lab's readers, of ``pictures_of`` and ``read_picture_files``, not_images, too_few_groups.
    """
    if data is not None:
        yield Progress(0.0, 0, 1, "Reading")
        found, notices = yield from _of_user(data, labels, settings)
        return _split(found, notices, settings)
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


def _of_user(
    data: Path, labels: Path | None, settings: Settings
) -> Generator[Progress, None, tuple[ImageSet, tuple[str, ...]]]:
    """Return the user's images, a group of its own for each where no patients are known, and notices."""
    choices = Choices(settings.label_column, settings.group_column, settings.group_name, names_of(settings.class_names))
    more = (AS_PICTURES,) if settings.images == "ir" else ()
    if labels is None and holds_pictures(data):
        found, notices = pictures_of(read_safely([data]), choices)
        return found, (*notices, *more)
    if labels is None:
        with picture_files(data) as files:
            if files is not None:
                arrays = yield from read_picture_files(files, settings.most)
                found, notices = pictures_of(arrays, choices)
                return found, (*notices, *more)
    return _spectral(data, labels, settings)


def _spectral(data: Path, labels: Path | None, settings: Settings) -> tuple[ImageSet, tuple[str, ...]]:
    loaded = load(data, labels, options_of(settings))
    if isinstance(loaded, Predictions | EarlierRun) or min(loaded.patches.ir.shape[2:]) < SMALLEST_SIDE:
        raise no_images()
    patches, kind = loaded.patches, settings.images
    notices = list(loaded.notices)
    if kind != "ir" and patches.rgb is None:
        kind = "ir"
        notices.append("The data have no stained pictures, so their spectra are studied.")
    if patches.groups is None:
        notices.append(NO_GROUPS)
    found = _of_patches(patches, "ir" if kind == "ir" else "rgb")
    whole, missing = finite(found.values)
    found = found.take(whole)
    values, shrunk = smaller(found.values)
    return replace(found, values=values), (*notices, *missing, *shrunk)


def _split(found: ImageSet, notices: tuple[str, ...], settings: Settings) -> StudyData:
    parts = split(found, SHARES_WITH_OPEN if settings.open_set else SHARES, settings.seed)
    pool, test, *rest = (found.take(part) for part in parts.parts)
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
