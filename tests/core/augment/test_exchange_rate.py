"""Exchange rates of planted worth: the whole study with a fast classifier and generators made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.augment.arms import SYNTHETIC, amounts_of
from core.augment.exchange_rate import Arm, Exchange, Rate, bounded_interval, real_counts
from core.augment.guideline import control, guideline, unexpected
from core.measure.bootstrap import interval
from tests.core.augment.planted import PROTOCOL, copying, exchange, fresh, half_broken


@pytest.fixture(scope="module")
def of_fresh() -> Exchange:
    return exchange(fresh)


def rates(found: Exchange) -> list[Rate]:
    return [found.rate(arm) for arm in found.arms if arm.name == SYNTHETIC]


def test_fresh_draws_are_worth_one_real_image_each(of_fresh: Exchange) -> None:
    for rate in rates(of_fresh):
        assert rate.rate.low <= 1 <= rate.rate.high, rate
        assert rate.rate.high - rate.rate.low < 2, rate
        assert rate.worth.low > 0 and rate.gain.low > 0
    assert not of_fresh.flat


def test_half_broken_draws_are_worth_what_the_new_half_is() -> None:
    for rate in rates(exchange(half_broken)):
        base, added = rate.arm.base, rate.arm.added
        # the mean of base images that count more than once: their effective number (Kish 1965)
        weight = 1 + added / 2 / base
        effective = (base + added) ** 2 / (base * weight**2 + added / 2)
        assert rate.rate.high < 1, rate
        assert rate.worth.low < effective - base < rate.worth.high * 1.25, rate


def test_copies_and_duplicates_are_worth_nothing_and_shuffled_labels_harm(of_fresh: Exchange) -> None:
    for rate in rates(exchange(copying)):
        assert rate.worth.low <= 0 <= rate.worth.high
    for base in PROTOCOL.bases:
        [duplicates] = amounts_of(of_fresh.arms, "duplicates", base)
        [shuffled] = amounts_of(of_fresh.arms, "shuffled", base)
        assert of_fresh.rate(duplicates).worth.value == 0
        assert of_fresh.rate(shuffled).worth.high < 0
        assert "not shown to help" in control(of_fresh, "duplicates", base)
        assert "harmful" in control(of_fresh, "shuffled", base)
        assert unexpected(of_fresh, base) == ()


def test_worth_rises_in_proportion_to_what_is_added(of_fresh: Exchange) -> None:
    trend = of_fresh.trend(SYNTHETIC)
    assert trend is not None
    assert trend.by_added.low < 1 < trend.by_added.high
    assert exchange(copying).trend(SYNTHETIC) is None


def test_more_of_what_adds_nothing_is_saturated_at_once(of_fresh: Exchange) -> None:
    assert exchange(copying).saturation(SYNTHETIC, 50) == 50
    assert of_fresh.saturation(SYNTHETIC, 50) is None


def test_the_guideline_has_the_best_amount_and_its_interval(of_fresh: Exchange) -> None:
    text = guideline(of_fresh, SYNTHETIC, 50)
    assert text.startswith("At 50 real images, 200 synthetic images were worth ")
    assert "95 % interval" in text and "still better" in text
    assert "no amount" in guideline(exchange(copying), SYNTHETIC, 50)


def test_the_worth_ends_with_the_real_images() -> None:
    groups = np.arange(100) // 5
    errors = {25: 0.4, 50: 0.3, 100: 0.2}
    correct = {
        (Arm("real", count), seed): np.arange(100) >= 100 * error for count, error in errors.items() for seed in (0, 1)
    }
    correct |= {(Arm("synthetic", 50, 50), seed): np.ones(100, bool) for seed in (0, 1)}
    rate = Exchange(correct, groups, "real", draws=50).rate(Arm("synthetic", 50, 50))
    assert rate.beyond and rate.worth.value == rate.most == 50


def test_a_task_that_few_images_solve_has_no_rates() -> None:
    groups = np.arange(100) // 5
    right = np.arange(100) >= 1
    correct = {(Arm("real", count), seed): right for count in (25, 50, 200) for seed in (0, 1)}
    correct |= {(Arm("real", 100), seed): np.ones(100, bool) for seed in (0, 1)}
    correct |= {(Arm("synthetic", 50, 50), seed): right for seed in (0, 1)}
    found = Exchange(correct, groups, "real", draws=50)
    assert found.flat and found.rate(Arm("synthetic", 50, 50)).worth.value == 0


def test_an_interval_that_ends_with_the_real_images_is_not_corrected() -> None:
    draws = np.concatenate([[4.0], np.linspace(0, 3, 400), np.full(600, 4.0)])
    found = bounded_interval(draws, 4.0)
    assert found.low == pytest.approx(np.quantile(draws[1:], 0.025)) and found.value == found.high == 4
    # half of the ties below: a bias correction would lift the lower end
    assert interval(draws).low > 2 * found.low
    assert bounded_interval(draws, 5.0) == interval(draws)


def test_an_interval_over_seeds_has_the_width_of_a_mean() -> None:
    rng = np.random.default_rng(0)
    groups = np.arange(20_000) // 100
    spread = 0.03
    correct = {}
    for count in (25, 50, 100):
        for seed in range(3):
            wrong = 0.3 + spread * np.array([-1.0, 0.0, 1.0])[seed]
            correct[Arm("real", count), seed] = rng.random(20_000) > wrong
    found = Exchange(correct, groups, "real").accuracy(Arm("real", 50))
    # standard error of three seeds: spread / sqrt(3); a plain bootstrap would give sqrt(2/3) of it
    assert (found.high - found.low) / 2 == pytest.approx(2 * spread / np.sqrt(3), rel=0.35)


def test_real_counts_end_with_all_there_are() -> None:
    assert real_counts((60, 120), 480) == (30, 60, 120, 240, 480)
    assert real_counts((60,), 100) == (30, 60, 100)
