"""Difference in accuracy of two models on the same patches (D15)."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from core.failure.results import Gap
from core.measure.bootstrap import draw_weights, interval, mean, positions

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EXACT = 12
"""Up to so many groups every exchange is counted, of more as many as DRAWS."""
DRAWS = 4095


def permutation_p(differences: Floats, groups: Ints, seed: int = 0) -> float:
    """Return the two-sided p of the mean of ``differences`` (N,) when the two models change places in whole ``groups``
    (N,) at random (Fisher's sign permutation); 1 where they do not differ.

    >>> permutation_p(np.array([1.0, 1, 1, 1]), np.array([0, 1, 2, 3]))
    0.125
    """
    place, number = positions(groups)
    sums = np.bincount(place, differences, minlength=number)
    if number <= EXACT:
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=number)))
    else:
        drawn = np.random.default_rng([seed, number]).choice((1.0, -1.0), (DRAWS, number))
        signs = np.vstack([np.ones(number), drawn])
    found = np.abs(signs @ sums)
    return float((found >= found[0] - 1e-9).mean())


def accuracy_gap(name: str, titles: tuple[str, str], first: Floats, second: Floats, groups: Ints) -> Gap:
    """Return D15: accuracy of the first model minus that of the second on the set ``name``, by group bootstrap.

    first, second: (N,) 1 for a correct answer, else 0. groups: (N,) the patient or slide of each patch.
    """
    differences = first - second
    weights = draw_weights(len(differences), groups)
    return Gap(name, *titles, interval(mean(differences, weights)), permutation_p(differences, groups))
