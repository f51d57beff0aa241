"""What a study found, in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.augment.arms import ALONE, CLASSIC, DUPLICATES, OPEN, SHUFFLED, SYNTHETIC, TITLES, amounts_of
from core.augment.exchange_rate import Exchange, Rate
from core.measure.intervals import Interval

LIMITS = (
    "The rate holds for these images, this generator, this classifier and these sizes, and for no others.",
    "Intervals are over seeds and test patients, slides or heads; the pool of real images is one, so another one may "
    "differ more.",
    "The best of the tried amounts is chosen by the same numbers that measure it, which flatters it a little.",
    "Worth is read off a curve fitted to this pool and ends where the real images end.",
    "Every classifier takes the same number of steps; one that trains longer on more images may gain more or less.",
    "The protocol is ours, after the question of arXiv:2508.09550; no number here is theirs.",
    "Synthetic images add no patients: what the base set lacks, they lack.",
)


def guideline(exchange: Exchange, name: str, base: int) -> str:
    """Return what the best amount of the arm ``name`` was worth at ``base`` real images, with its interval, and from
    where on more added nothing."""
    arms = amounts_of(exchange.arms, name, base)
    rates = [exchange.rate(arm) for arm in arms]
    best = _best(rates)
    kind = "synthetic images of the open set" if name == OPEN else "synthetic images"
    text = f"At {base} real images, {best.arm.added} {kind} were worth {_worth(best)}"
    end = exchange.saturation(name, base)
    if len(arms) < 2:
        return f"{text}."
    if best.worth.high <= 0:
        return f"{text}; no amount helped."
    if best.worth.low <= 0:
        return f"{text}: no amount was shown to help."
    if end is None:
        return f"{text}; the largest amount tried, {arms[-1].added}, was still better than fewer."
    return f"{text}; more than {end} added nothing that could be measured."


def control(exchange: Exchange, name: str, base: int) -> str:
    """Return what a control was worth at ``base`` real images."""
    [arm] = amounts_of(exchange.arms, name, base)
    rate = exchange.rate(arm)
    return f"{TITLES[name]}, {base} + {arm.added}: {_judged(rate.worth)} ({_worth(rate)})."


def alone(exchange: Exchange, base: int) -> str:
    """Return how many real images the synthetic ones alone did as well as, at ``base`` real ones."""
    rate = exchange.rate(amounts_of(exchange.arms, ALONE, base)[0])
    equal = Interval(*(base + each for each in (rate.worth.value, rate.worth.low, rate.worth.high)))
    return (
        f"{rate.arm.added} synthetic images of a generator of {base} real ones, without these, did as well as "
        f"{_whole(equal.value)} real ones ({_range(equal, base + rate.most)})."
    )


def unexpected(exchange: Exchange, base: int) -> tuple[str, ...]:
    """Return a warning for each control that helped at ``base``: then a gain of synthetic images proves little."""
    found = []
    for name in (DUPLICATES, SHUFFLED):
        rate = exchange.rate(amounts_of(exchange.arms, name, base)[0])
        if rate.worth.low > 0:
            found.append(
                f"A control helped at {base} real images: {TITLES[name].lower()} was worth {_worth(rate)}. Choose more "
                "steps or seeds before you believe a rate."
            )
    return tuple(found)


def against_classic(exchange: Exchange, base: int) -> str:
    """Return what classic augmentation was worth beside the synthetic images at ``base``."""
    classic = exchange.rate(amounts_of(exchange.arms, CLASSIC, base)[0])
    best = _best([exchange.rate(arm) for arm in amounts_of(exchange.arms, SYNTHETIC, base)])
    return (
        f"At {base} real images, classic augmentation was worth {_worth(classic)}; the best amount of synthetic images "
        f"{_worth(best)}."
    )


def _best(rates: Sequence[Rate]) -> Rate:
    """Return the amount that most surely helped, by the lower end of its interval; of amounts that were not shown to
    help, the one that was worth most."""
    sure = [rate for rate in rates if rate.worth.low > 0]
    return max(sure, key=lambda rate: rate.worth.low) if sure else max(rates, key=lambda rate: rate.worth.value)


def _worth(rate: Rate) -> str:
    worth = rate.worth
    more = "at least " if rate.beyond else ""
    many = f"{more}{_whole(worth.value)} more" if worth.value > -0.5 else f"{_whole(worth.value)}, as if they were lost"
    return f"{many} ({_range(worth, rate.most)})"


def _range(worth: Interval, most: int) -> str:
    if not math.isfinite(worth.low):
        return "no interval"
    if worth.low >= most:
        return "95 % interval: all of it there"
    return f"95 % interval {_whole(worth.low)} to {'at least ' if worth.high >= most else ''}{_whole(worth.high)}"


def _judged(worth: Interval) -> str:
    if worth.low > 0:
        return "helped"
    return "harmful" if worth.high < 0 else "worthless"


def _whole(value: float) -> str:
    return f"{value:.0f}".replace("-0", "0") if abs(value) < 0.5 else f"{value:.0f}".replace("-", "−")
