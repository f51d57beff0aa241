"""Preference between methods: the share of each pair, and a ranking of all by the Bradley-Terry model.

Bradley and Terry (1952), Biometrika 39:324; existence of the fit: Hunter (2004), Ann Stat 32:384.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special, stats

from core.measure.answers import Answer
from core.measure.bootstrap import Bootstrap, Floats, positions
from core.measure.coding import preferred
from core.measure.findings import Pair, Strength
from core.measure.intervals import binomial_p, wilson

# wins that each method is given over each other one, so that strengths are finite when one of them always wins
PRIOR = 0.1
STEPS = 200
LONGEST = 1.0
TOLERANCE = 1e-10

Choice = tuple[int, str, str]


def choices(answers: Sequence[Answer]) -> list[Choice]:
    """Return (item, preferred method, other method) of every preference between two methods."""
    found = [(answer.item, preferred(answer)) for answer in answers]
    return [(item, pair[0].method, pair[1].method) for item, pair in found if pair and pair[0].method != pair[1].method]


def pairs(given: Sequence[Choice]) -> tuple[Pair, ...]:
    """Return the preference between each two methods that were compared, for the first by name."""
    wins: dict[tuple[str, str], list[bool]] = {}
    for _, better, worse in given:
        first, second = sorted((better, worse))
        wins.setdefault((first, second), []).append(better == first)
    return tuple(
        Pair(method, other, sum(won), len(won), wilson(sum(won), len(won)), binomial_p(sum(won), len(won)))
        for (method, other), won in sorted(wins.items())
    )


def strengths(given: Sequence[Choice], bootstrap: Bootstrap) -> tuple[Strength, ...]:
    """Return the methods that were compared, strongest first; equal strengths share a rank."""
    if not given:
        return ()
    methods = sorted({method for _, *both in given for method in both})
    place, items = positions(np.array([item for item, _, _ in given], np.int64))
    better = np.array([methods.index(method) for _, method, _ in given])
    worse = np.array([methods.index(method) for _, _, method in given])
    parts = np.zeros((items, len(methods), len(methods)))
    np.add.at(parts, (place, better, worse), 1)
    wins = parts.sum(0)
    values = bradley_terry(bootstrap.sums(parts) + PRIOR)
    ranks = stats.rankdata(-values[0].round(9), method="min")
    found = [
        Strength(
            method,
            int(ranks[row]),
            bootstrap.estimate(values[:, row], items),
            int(wins[row].sum()),
            int(wins[row].sum() + wins[:, row].sum()),
        )
        for row, method in enumerate(methods)
    ]
    return tuple(sorted(found, key=lambda strength: (strength.rank, strength.method)))


def parted(given: Sequence[Choice]) -> bool:
    """Return whether the methods fall into parts that were never compared with each other."""
    linked: list[set[str]] = []
    for _, *both in given:
        apart = [part for part in linked if part.isdisjoint(both)]
        linked = [*apart, set(both).union(*(part for part in linked if not part.isdisjoint(both)))]
    return len(linked) > 1


def bradley_terry(wins: Floats) -> Floats:
    """Return log-strengths l of mean zero, (R, M), from wins (R, M, M) of the row over the column.

    P(i beats j) = 1 / (1 + exp(l_j - l_i)). Finite only where no part of the methods always wins against the others;
    see PRIOR. Newton's method with bounded steps: the minorisation of Hunter (2004) takes thousands of steps when a
    method wins nearly always.
    """
    methods = wins.shape[-1]
    wins = wins * (1 - np.eye(methods))
    played = wins + wins.swapaxes(-1, -2)
    logs = np.zeros(wins.shape[:-1])
    for _ in range(STEPS):
        chance = special.expit(logs[:, :, None] - logs[:, None, :])
        surplus = wins.sum(-1) - (played * chance).sum(-1)
        known = played * chance * (1 - chance)
        curve = np.eye(methods) * known.sum(-1)[:, :, None] - known
        step = np.linalg.solve(curve + 1 / methods, surplus[..., None])[..., 0]
        largest = np.abs(step).max(-1, keepdims=True, initial=0)
        logs = logs + step * (LONGEST / np.maximum(largest, LONGEST))
        if largest.max(initial=0) < TOLERANCE:
            break
    return np.asarray(logs - logs.mean(-1, keepdims=True))
