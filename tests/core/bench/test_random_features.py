from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.bench.random_features import feature_distance

SHAPE = (48, 48, 48)
EVERYWHERE = np.ones(SHAPE, bool)
WHERE = np.zeros(SHAPE, bool)
WHERE[14:34, 14:34, 14:34] = True
KNOWN = ~WHERE

Float = NDArray[np.float32]


def tissue(seed: int, blur: float = 1.0) -> Float:
    rough = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(SHAPE), blur)
    return np.asarray(100 + 25 * rough / rough.std(), np.float32)


def filled(image: Float, fill: Float) -> Float:
    return np.where(WHERE, fill, image).astype(np.float32)


def test_the_truth_is_at_no_distance_and_other_tissue_of_its_kind_nearer_than_any_blur() -> None:
    truth = tissue(0)
    assert abs(feature_distance(truth, truth, WHERE, KNOWN)) < 1e-6
    alike = feature_distance(filled(truth, tissue(1)), truth, WHERE, KNOWN)
    blurred = [
        feature_distance(filled(truth, ndimage.gaussian_filter(truth, by)), truth, WHERE, KNOWN) for by in (1, 2)
    ]
    speckled = feature_distance(filled(truth, tissue(1, 0.5)), truth, WHERE, KNOWN)
    assert 0 < alike < min(*blurred, speckled)
    assert blurred[0] < blurred[1]


def test_units_do_not_count_and_brightness_does() -> None:
    truth, fill = tissue(0), tissue(1)
    distance = feature_distance(filled(truth, fill), truth, WHERE, KNOWN)
    assert math.isclose(feature_distance(filled(7 * truth, 7 * fill), 7 * truth, WHERE, KNOWN), distance, rel_tol=1e-4)
    assert feature_distance(filled(truth, fill + 20), truth, WHERE, KNOWN) > 1.5 * distance


def test_without_known_tissue_there_is_no_distance() -> None:
    truth = tissue(0)
    assert math.isnan(feature_distance(truth, truth, EVERYWHERE, ~EVERYWHERE))
