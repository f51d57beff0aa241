"""Coefficients of the regression that translation starts from, by least squares over the training subjects."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from core.contrasts import CONTRASTS
from core.imaging.translate.regression import features, row
from core.nets.piecewise_linear import FEATURES, SCALES
from core.train.contrast_subjects import read, whole
from core.train.datasets import Packed
from core.train.pack import PackedSet

Float = NDArray[np.float32]

VOXELS = 40_000
RIDGE = 1e-5


def fit(packed: PackedSet) -> Float:
    """Return the table (16, 4, FEATURES) float32 of the piecewise-linear network; 0 for contrasts no subject has."""
    drawn = [_voxels(packed, item, number) for number, item in enumerate(whole(packed))]
    table = np.zeros((2 ** len(CONTRASTS), len(CONTRASTS), FEATURES), np.float32)
    for count in range(1, len(CONTRASTS)):
        for names in combinations(CONTRASTS, count):
            for target in set(CONTRASTS) - set(names):
                used = [images for images in drawn if {*names, target} <= set(images)]
                if used:
                    table[row(dict.fromkeys(names)), CONTRASTS.index(target)] = _solve(used, names, target)
    return table


def _voxels(packed: PackedSet, item: Packed, number: int) -> dict[str, Float]:
    """Return random voxels of a subject: contrast -> (scales, N)."""
    rng = np.random.default_rng(number)
    subject = read(packed, item, rng)
    picked = rng.permutation(np.flatnonzero(subject.useful))[:VOXELS]
    return {
        contrast: subject.surroundings(contrast).reshape(1 + len(SCALES), -1)[:, picked] for contrast in item.contrasts
    }


def _solve(drawn: list[dict[str, Float]], names: tuple[str, ...], target: str) -> Float:
    """Return ridge coefficients (FEATURES,); those of absent sources stay 0."""
    products, right, count = np.zeros((FEATURES, FEATURES)), np.zeros(FEATURES), 0
    for images in drawn:
        columns = features({name: images[name] for name in names}).astype(np.float64)
        products += columns @ columns.T
        right += columns @ images[target][0]
        count += columns.shape[1]
    there = np.flatnonzero(np.diag(products))
    system = products[np.ix_(there, there)] + RIDGE * count * np.eye(there.size)
    coefficients = np.zeros(FEATURES, np.float32)
    coefficients[there] = np.linalg.solve(system, right[there])
    return coefficients
