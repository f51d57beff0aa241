"""How often the interval of a planted worth of 1 holds 1, in studies of the sizes of the presets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.augment.arms import SYNTHETIC, Protocol
from core.augment.exchange_rate import Exchange
from core.augment.image_set import StudyData
from core.augment.unfinished import Unfinished
from core.augment.worth_study import Trainers, measure
from core.events import finish
from tests.core.augment.planted import SIDE, by_nearest_mean, fresh, points

LARGEST = 800


def study(number: int, seeds: int, groups: int, tested: int, effect: float) -> StudyData:
    """Return a study whose test groups differ: in their noise, by a factor of e^effect, and in all their images."""
    pools = tuple(points(LARGEST, 20, 20 * each, 1000 * number + each) for each in range(seeds))
    test = points(tested, groups, 100_000, 1000 * number + 999)
    rng, group = np.random.default_rng([number, 5]), test.groups - 100_000
    noise = np.exp(effect * rng.normal(size=groups))[group, None, None, None]
    shift = 0.15 * effect * rng.normal(size=(groups, 1, SIDE, SIDE))[group]
    return StudyData(
        pools, replace(test, values=(test.values * noise + shift).astype(np.float32)), None, "simulated", ""
    )


def covered(
    repeats: int, seeds: int, groups: int, tested: int, effect: float
) -> dict[tuple[int, int], tuple[float, float]]:
    """Return base and amount -> share of repeats whose interval holds 1, and the median width."""
    protocol = Protocol((50, 100), (1.0, 4.0), tuple(range(seeds)), LARGEST)
    held: dict[tuple[int, int], list[tuple[bool, float]]] = {}
    for number in range(1, repeats + 1):
        data = study(number, seeds, groups, tested, effect)
        found = finish(measure(data, protocol, Trainers(by_nearest_mean, fresh), Unfinished(None, "")))
        exchange = Exchange(found.correct, data.test.groups, "real", draws=400)
        for arm in exchange.arms:
            if arm.name == SYNTHETIC:
                rate = exchange.rate(arm).rate
                held.setdefault((arm.base, arm.added), []).append((rate.low <= 1 <= rate.high, rate.high - rate.low))
    return {
        cell: (float(np.mean([each for each, _ in found])), float(np.median([width for _, width in found])))
        for cell, found in held.items()
    }


def test_studies_of_three_seeds_and_ten_groups_hold_the_truth() -> None:
    shares = [share for share, _ in covered(25, 3, 10, 600, 0.3).values()]
    # of 100 intervals; 93 % of many
    assert np.mean(shares) >= 0.93 and min(shares) >= 0.88


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seeds", "groups", "tested", "effect"),
    [(2, 10, 600, 0.3), (3, 10, 600, 0.3), (4, 10, 600, 0.3), (3, 40, 3000, 0.0), (8, 40, 3000, 0.0)],
)
def test_every_size_of_study_holds_the_truth(seeds: int, groups: int, tested: int, effect: float) -> None:
    for cell, (share, width) in covered(200, seeds, groups, tested, effect).items():
        # 93 % less two standard errors of 200 repeats
        assert share >= 0.93 - 2 * (0.93 * 0.07 / 200) ** 0.5, (cell, share)
        assert width < LARGEST / cell[1], (cell, width)
