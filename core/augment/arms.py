"""The ways to make a training set that the study compares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from core.augment.exchange_rate import Arm, real_counts
from core.augment.image_set import Float, ImageSet, Ints

REAL, SYNTHETIC, OPEN, CLASSIC = "real", "synthetic", "open", "classic"
DUPLICATES, SHUFFLED, ALONE = "duplicates", "shuffled", "alone"
TITLES: Mapping[str, str] = MappingProxyType(
    {
        REAL: "Real images alone",
        SYNTHETIC: "Real + synthetic",
        OPEN: "Real + synthetic of an open set",
        CLASSIC: "Real, classic augmentation",
        DUPLICATES: "Real + duplicates",
        SHUFFLED: "Real + synthetic, labels shuffled",
        ALONE: "Synthetic alone",
    }
)
# arms that need images of the generator that was trained on the base set, and of the one trained beyond it
OF_BASE, OF_BEYOND = (SYNTHETIC, SHUFFLED, ALONE), (OPEN,)

# number of images and a seed -> images and their classes
Draw = Callable[[int, int], tuple[Float, Ints]]


@dataclass(frozen=True)
class Protocol:
    """bases: numbers of real images. multiples: how many times the base is added. seeds: of subsets and first weights.
    largest: number of real images there are. is_open: whether an open-set generator is tried too."""

    bases: tuple[int, ...]
    multiples: tuple[float, ...]
    seeds: tuple[int, ...]
    largest: int
    is_open: bool = False

    def arms(self) -> tuple[Arm, ...]:
        """Return every training set of one seed: those of real images first, then by base."""
        found = [Arm(REAL, count) for count in real_counts(self.bases, self.largest)]
        for base in self.bases:
            amounts = [round(multiple * base) for multiple in self.multiples]
            found += [Arm(SYNTHETIC, base, amount) for amount in amounts]
            # controls are given the most, where they would show the most
            found += [Arm(CLASSIC, base), *(Arm(name, base, amounts[-1]) for name in (DUPLICATES, SHUFFLED, ALONE))]
            found += [Arm(OPEN, base, amount) for amount in amounts] if self.is_open else []
        return tuple(found)


def training_set(arm: Arm, pool: ImageSet, order: Ints, made: tuple[Float, Ints] | None, seed: int) -> ImageSet:
    """Return what the classifier of ``arm`` and ``seed`` is trained on; order: of the pool, of which the base is the
    beginning. made: images and classes of the arm's generator, as many as any arm needs; None for one without."""
    base = pool.take(order[: arm.base])
    rng = np.random.default_rng([seed, arm.base, 11])
    if arm.name == DUPLICATES:
        again = np.resize(rng.permutation(arm.base), arm.added)
        return base.with_others(base.values[again], base.labels[again])
    if made is None:
        return base
    values, labels = made[0][: arm.added], made[1][: arm.added]
    if arm.name == ALONE:
        return base.take(np.zeros(0, np.int64)).with_others(values, labels)
    return base.with_others(values, rng.permutation(labels) if arm.name == SHUFFLED else labels)


def title_of(arm: Arm) -> str:
    """Return an arm in words, with its numbers of images."""
    if arm.name == REAL:
        return f"{TITLES[REAL]}, {arm.base}"
    numbers = f"{arm.added}" if arm.name == ALONE else f"{arm.base} + {arm.added}" if arm.added else f"{arm.base}"
    return f"{TITLES[arm.name]}, {numbers}"


def amounts_of(arms: Sequence[Arm], name: str, base: int) -> tuple[Arm, ...]:
    """Return the arms called ``name`` of one base, fewest added first."""
    return tuple(sorted(arm for arm in arms if arm.name == name and arm.base == base))
