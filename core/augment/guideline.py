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
    best = _best([exchange.rate(arm) for arm in arms])
    kind = "synthetic images of the open set" if name == OPEN else "synthetic images"
    several, start = len(arms) > 1, f"At {base} real images, "
    if exchange.flat:
        return f"{start}nothing can be read off: more real images were not shown to help, so none stand for {kind}."
    if best.worth.low > 0:
        least = "at least " if best.beyond else ""
        worth = f"{least}{_more(best.worth.value)} ({_range(best)})"
        return f"{start}{best.arm.added} {kind} were worth {worth}{_end(exchange, name, base)}."
    if best.worth.high < 0:
        every = f"every amount of {kind} did harm: with {best.arm.added}, the best of them," if several else ""
        return f"{start}{every or f'{best.arm.added} {kind} did harm:'} the classifier was {_as_good(best)}."
    if several:
        every = f"no amount of {kind} was shown to help: with {best.arm.added}, the best of them,"
        return f"{start}{every} the classifier was {_as_good(best)}."
    return f"{start}{best.arm.added} {kind} were not shown to help or to harm: the classifier was {_as_good(best)}."


def control(exchange: Exchange, name: str, base: int) -> str:
    """Return what a control was worth at ``base`` real images."""
    [arm] = amounts_of(exchange.arms, name, base)
    rate = exchange.rate(arm)
    return f"{TITLES[name]}, {base} + {arm.added}: {_judged(rate.worth)}; the classifier was {_as_good(rate)}."


def alone(exchange: Exchange, base: int) -> str:
    """Return how many real images the synthetic ones alone did as well as, at ``base`` real ones."""
    rate = exchange.rate(amounts_of(exchange.arms, ALONE, base)[0])
    low, high = base + rate.worth.low, base + rate.worth.high
    most = "at least " if rate.worth.high >= rate.most else ""
    return (
        f"{rate.arm.added} synthetic images of a generator of {base} real ones, without these, did as well as "
        f"{base + rate.worth.value:.0f} real ones (95 % interval {low:.0f} to {most}{high:.0f})."
    )


def unexpected(exchange: Exchange, base: int) -> tuple[str, ...]:
    """Return a warning for each control that helped at ``base``: then a gain of synthetic images proves little."""
    found = []
    for name in (DUPLICATES, SHUFFLED):
        rate = exchange.rate(amounts_of(exchange.arms, name, base)[0])
        if rate.worth.low > 0:
            found.append(
                f"A control helped at {base} real images: with {TITLES[name].lower()} the classifier was "
                f"{_as_good(rate)}. Choose more steps or seeds before you believe a rate."
            )
    return tuple(found)


def against_classic(exchange: Exchange, base: int) -> str:
    """Return what classic augmentation was worth beside the synthetic images at ``base``."""
    classic = exchange.rate(amounts_of(exchange.arms, CLASSIC, base)[0])
    best = _best([exchange.rate(arm) for arm in amounts_of(exchange.arms, SYNTHETIC, base)])
    return (
        f"At {base} real images, the classifier was {_as_good(classic)} by classic augmentation, and {_as_good(best)} "
        "by the best amount of synthetic images."
    )


def _best(rates: Sequence[Rate]) -> Rate:
    """Return the amount that most surely helped, by the lower end of its interval; of amounts that were not shown to
    help, the one that was worth most."""
    sure = [rate for rate in rates if rate.worth.low > 0]
    return max(sure, key=lambda rate: rate.worth.low) if sure else max(rates, key=lambda rate: rate.worth.value)


def _end(exchange: Exchange, name: str, base: int) -> str:
    """Return from which amount on more added nothing, "" where one amount was tried."""
    arms, end = amounts_of(exchange.arms, name, base), exchange.saturation(name, base)
    if len(arms) < 2:
        return ""
    if end is None:
        return f"; {arms[-1].added}, the most that were tried, were still better than fewer"
    return f"; more than {end} added nothing that could be measured"


def _as_good(rate: Rate) -> str:
    """Return what an arm did in real images more or fewer, with the interval."""
    number = round(rate.worth.value)
    least = "at least " if rate.beyond else ""
    what = f"as good as with {least}{_more(number)}" if number else "neither better nor worse"
    return f"{what} ({_range(rate)})"


def _range(rate: Rate) -> str:
    """Return the interval in words: in which direction, unless it is all in that of the value."""
    worth = rate.worth
    if not (math.isfinite(worth.low) and math.isfinite(worth.high)):
        return "no interval"
    if worth.low >= rate.most:
        return "the whole 95 % interval is there, where the real images end"
    number, low, high = (round(each) for each in (worth.value, worth.low, worth.high))
    least = "at least " if worth.high >= rate.most else ""
    if number > 0 and low >= 0:
        return f"95 % interval {low} to {least}{high}"
    if number < 0 and high <= 0:
        return f"95 % interval {-high} to {-low}"
    return f"95 % interval {_more(low)} to {least}{_more(high)}"


def _more(count: float) -> str:
    number = round(count)
    return f"{-number} fewer" if number < 0 else f"{number} more" if number else "0"


def _judged(worth: Interval) -> str:
    if worth.low > 0:
        return "helped"
    return "harmful" if worth.high < 0 else "not shown to help or to harm"
