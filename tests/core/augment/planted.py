"""Studies of known worth: images that are points, a classifier by nearest mean, and generators made by hand."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from core.augment.arms import Draw, Protocol
from core.augment.exchange_rate import Exchange
from core.augment.image_set import Float, ImageSet, Ints, StudyData
from core.augment.unfinished import Unfinished
from core.augment.worth_study import Bools, Generate, Measured, Trainers, measure
from core.events import finish

SIDE = 8
PROTOCOL = Protocol((50, 100), (1.0, 4.0), tuple(range(8)), 800)


def points(count: int, groups: int, first_group: int, seed: int) -> ImageSet:
    """Return images of two classes in independent Gaussian pixels, whose means lie a little apart."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    values = rng.normal(size=(count, 1, SIDE, SIDE)) + 0.3 * (labels[:, None, None, None] - 0.5)
    group = first_group + np.arange(count) // 2 % groups
    return ImageSet(
        values.astype(np.float32), labels.astype(np.int64), ("a", "b"), group.astype(np.int64), "mri", (0.0,)
    )


def study(seed: int = 0) -> StudyData:
    """Return a study in which every seed has a pool of its own."""
    pools = tuple(points(800, 20, 20 * number, 100 * seed + number) for number in range(len(PROTOCOL.seeds)))
    return StudyData(pools, points(3000, 40, 1000, 100 * seed + 99), None, "simulated", "points")


def by_nearest_mean(training: ImageSet, test: ImageSet, seed: int, augment: bool) -> Generator[float, None, Bools]:
    """Classify by the nearest mean: what a mean does not change, as duplicates, is worth nothing exactly."""
    yield 1.0
    means = [training.values[training.labels == kind].mean(axis=0) for kind in range(2)]
    apart = np.stack([((test.values - mean) ** 2).sum(axis=(1, 2, 3)) for mean in means], axis=1)
    return np.asarray(apart.argmin(axis=1) == test.labels)


def fresh(images: ImageSet, seed: int, name: str) -> Generator[float, None, Draw]:
    """Draw new images of the simulator: each is worth one by construction."""
    yield 1.0
    return lambda count, at: _of(points(count, 1, 0, _unused_seed(images, at)))


def half_broken(images: ImageSet, seed: int, name: str) -> Generator[float, None, Draw]:
    """Draw new images and, in turn with them, images of the base set."""
    yield 1.0

    def draw(count: int, at: int) -> tuple[Float, Ints]:
        values, labels = _of(points(count, 1, 0, _unused_seed(images, at)))
        # pairs of classes in turn: two new, two of the base
        old = np.flatnonzero(np.arange(count) // 2 % 2 == 1)
        again = np.resize(np.arange(len(images)), len(old))
        values[old], labels[old] = images.values[again], images.labels[again]
        return values, labels

    return draw


def copying(images: ImageSet, seed: int, name: str) -> Generator[float, None, Draw]:
    """Return the training images again."""
    yield 1.0

    def draw(count: int, at: int) -> tuple[Float, Ints]:
        again = np.resize(np.arange(len(images)), count)
        return images.values[again], images.labels[again]

    return draw


def measured(generate: Generate, unfinished: Unfinished | None = None, data: StudyData | None = None) -> Measured:
    trainers = Trainers(by_nearest_mean, generate)
    return finish(measure(data or study(), PROTOCOL, trainers, unfinished or Unfinished(None, "")))


def exchange(generate: Generate) -> Exchange:
    data = study()
    return Exchange(measured(generate, data=data).correct, data.test.groups, "real", draws=400)


def _unused_seed(images: ImageSet, at: int) -> int:
    """Return a seed that no other set of points has: the first group of a base set is that of its pool."""
    return 1_000_000 + int(1e6 * abs(float(images.values.sum()))) + at


def _of(images: ImageSet) -> tuple[Float, Ints]:
    return images.values, images.labels
