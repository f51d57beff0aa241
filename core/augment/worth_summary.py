"""The results of a study from its classifiers' answers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.augment.arms import ALONE, DUPLICATES, OPEN, REAL, SHUFFLED, SYNTHETIC, Protocol, title_of
from core.augment.exchange_rate import Arm, Exchange
from core.augment.guideline import LIMITS, against_classic, alone, control, guideline
from core.augment.image_set import StudyData
from core.augment.worth_results import (
    ArmResult,
    CurvePoint,
    Gallery,
    GeneratorQuality,
    Saturation,
    StudiedData,
    TrendResult,
    WorthResults,
)
from core.augment.worth_study import Measured
from core.measure.bootstrap import interval
from core.measure.intervals import NAN, Interval

# points of the fitted curve between the counts that were tried
DRAWN = 40


def exchange_of(data: StudyData, measured: Measured, seed: int) -> Exchange:
    """Return the errors of all arms, and the curve of real images."""
    return Exchange(measured.correct, data.test.groups, REAL, seed=seed)


def summarise(
    data: StudyData,
    protocol: Protocol,
    settings: Mapping[str, str],
    measured: Measured,
    exchange: Exchange,
    looks: tuple[tuple[GeneratorQuality, ...], tuple[Gallery, ...]],
) -> WorthResults:
    """Return the results. looks: quality and pictures of each generator."""
    generators = (SYNTHETIC, OPEN) if protocol.is_open else (SYNTHETIC,)
    trends = [(name, exchange.trend(name)) for name in generators]
    return WorthResults(
        data=_described(data),
        settings=dict(settings),
        arms=tuple(_arm(exchange, measured, arm, protocol) for arm in exchange.arms),
        curve=_curve(exchange, measured, protocol),
        floor=interval(1 - exchange.curve.scale * exchange.curve.floor),
        exponent=interval(exchange.curve.exponent),
        saturation=tuple(
            Saturation(name, base, exchange.saturation(name, base)) for name in generators for base in protocol.bases
        ),
        trends=tuple(TrendResult(name, trend.by_added, trend.by_base) for name, trend in trends if trend is not None),
        quality=looks[0],
        galleries=looks[1],
        guideline=tuple(guideline(exchange, name, base) for name in generators for base in protocol.bases),
        controls=tuple(
            sentence
            for base in protocol.bases
            if not exchange.flat
            for sentence in (
                *(control(exchange, name, base) for name in (DUPLICATES, SHUFFLED)),
                alone(exchange, base),
                against_classic(exchange, base),
            )
        ),
        limits=LIMITS,
    )


def _described(data: StudyData) -> StudiedData:
    parts = {"test": data.test, **({"open set": data.beyond} if data.beyond else {})}
    height, width = data.test.values.shape[2:]
    return StudiedData(
        data.source,
        data.title,
        data.test.kind,
        data.test.classes,
        {"pool": data.largest, **{name: len(part) for name, part in parts.items()}},
        sum(len(np.unique(part.groups)) for part in (*data.pools, *parts.values())),
        (height, width),
        data.notices,
    )


def _arm(exchange: Exchange, measured: Measured, arm: Arm, protocol: Protocol) -> ArmResult:
    found = exchange.rate(arm)
    # nothing was added that could have a rate, or nothing is there that it was added to
    rate = Interval(NAN) if not arm.added or arm.name == ALONE else found.rate
    return ArmResult(
        arm.name,
        title_of(arm),
        arm.base,
        arm.added,
        found.accuracy,
        found.gain,
        found.worth,
        rate,
        found.most,
        _by_seed(measured, arm, protocol),
    )


def _by_seed(measured: Measured, arm: Arm, protocol: Protocol) -> tuple[float, ...]:
    return tuple(float(measured.correct[arm, seed].mean()) for seed in protocol.seeds)


def _curve(exchange: Exchange, measured: Measured, protocol: Protocol) -> tuple[CurvePoint, ...]:
    counts = [int(count) for count in exchange.counts]
    between = np.geomspace(counts[0], counts[-1], DRAWN).round().astype(int).tolist()
    points = []
    for count in sorted({*counts, *between}):
        arm = Arm(REAL, count)
        tried = count in counts
        points.append(
            CurvePoint(
                count,
                exchange.accuracy(arm) if tried else Interval(NAN),
                exchange.fitted(count),
                _by_seed(measured, arm, protocol) if tried else (),
            )
        )
    return tuple(points)
