"""The study itself: every classifier of every arm and seed, each kept as soon as it is trained."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.augment.arms import OF_BASE, OF_BEYOND, OPEN, SYNTHETIC, Draw, Protocol, title_of, training_set
from core.augment.exchange_rate import Arm
from core.augment.image_set import Float, ImageSet, Ints, StudyData, nested_order
from core.augment.unfinished import Unfinished
from core.events import Progress

T = TypeVar("T")
Bools = NDArray[np.bool_]

# training set, test set, seed, whether to augment classically -> which test images are right; yields shares done
Classify = Callable[[ImageSet, ImageSet, int, bool], Generator[float, None, Bools]]
# images, seed, name -> how to draw from a generator trained on these images alone; yields shares done
Generate = Callable[[ImageSet, int, str], Generator[float, None, Draw]]

# progress ends here; what follows the training is short
TRAINED = 0.95


@dataclass(frozen=True, eq=False)
class Trainers:
    """How classifiers and generators are trained. cost: of one generator, in classifiers."""

    classify: Classify
    generate: Generate
    cost: float = 5.0


@dataclass(eq=False)
class Measured:
    """correct: arm and seed -> which test images were right. draws: generator's arm and base (0: the open set) -> how
    to draw from the first seed's. order: of the first seed's pool."""

    correct: dict[tuple[Arm, int], Bools] = field(default_factory=dict)
    draws: dict[tuple[str, int], Draw] = field(default_factory=dict)
    order: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


def measure(
    data: StudyData, protocol: Protocol, trainers: Trainers, unfinished: Unfinished
) -> Generator[Progress, None, Measured]:
    """Train every classifier of ``protocol``, yielding progress in proportion to the work.

    What ``unfinished`` has is not trained again; a generator is needed where one of its classifiers is missing, and for
    the first seed, whose images are looked at. It draws once, as many images as any arm of its base needs.
    """
    arms, found = protocol.arms(), Measured()
    generators = len(protocol.bases) + protocol.is_open
    work = _Work(len(protocol.seeds) * (len(arms) + generators * trainers.cost), len(arms) * len(protocol.seeds))
    for place, seed in enumerate(protocol.seeds):
        pool = data.pool(place)
        order = nested_order(pool.labels, seed)
        is_first = seed == protocol.seeds[0]
        if is_first:
            found.order = order
        made: dict[tuple[str, int], tuple[Float, Ints]] = {}
        for arm in arms:
            correct = unfinished.correct(arm, seed, len(data.test))
            key = _generator_of(arm)
            if key is not None and key not in made and (correct is None or is_first):
                draw = yield from _generator(key, data.beyond, pool.take(order[: arm.base]), seed, trainers, work)
                made[key] = draw(max(one.added for one in arms if _generator_of(one) == key), seed)
                if is_first:
                    found.draws[key] = draw
            if correct is None:
                training = training_set(arm, pool, order, made[key] if key is not None else None, seed)
                steps = trainers.classify(training, data.test, seed, arm.name == "classic")
                correct = yield from work.followed(steps, 1.0, f"Seed {seed}: {title_of(arm)}")
                unfinished.keep(arm, seed, correct)
            else:
                work.found(1.0)
            work.classifiers += 1
            found.correct[arm, seed] = correct
    return found


def _generator_of(arm: Arm) -> tuple[str, int] | None:
    """Return which generator an arm's images come from: that of its base, or of the open set (0); None for no one."""
    if arm.name in OF_BEYOND:
        return OPEN, 0
    return (SYNTHETIC, arm.base) if arm.name in OF_BASE else None


def _generator(
    key: tuple[str, int], beyond: ImageSet | None, base: ImageSet, seed: int, trainers: Trainers, work: _Work
) -> Generator[Progress, None, Draw]:
    name, count = key
    if name == OPEN and beyond is not None:
        images, text = beyond, f"generator of the open set, {len(beyond)} images"
    else:
        images, text = base, f"generator of {count} real images"
    steps = trainers.generate(images, seed, f"{name}-{count}-{seed}")
    return (yield from work.followed(steps, trainers.cost, f"Seed {seed}: {text}"))


class _Work:
    """The work of a study in classifiers, and what of it is done."""

    def __init__(self, total: float, classifiers: int) -> None:
        self.classifiers = 0
        self._total, self._all = total, classifiers
        self._done = 0.0

    def found(self, size: float) -> None:
        """Count what was done before this run."""
        self._done += size

    def followed(self, steps: Generator[float, None, T], size: float, text: str) -> Generator[Progress, None, T]:
        """Run ``steps``, of ``size``, yielding a progress for each tenth."""
        shown = -1
        while True:
            try:
                share = next(steps)
            except StopIteration as end:
                self._done += size
                value: T = end.value
                return value
            if int(10 * share) > shown:
                shown = int(10 * share)
                done = TRAINED * min(1.0, (self._done + size * share) / self._total)
                yield Progress(done, self.classifiers, self._all, text)
