from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.imaging.translate.feature_codes import FeatureCodes

RNG = np.random.default_rng(0)
THRESHOLDS = {
    "none": [],
    "one": [3.0],
    "spread": RNG.normal(size=200),
    "more than a byte counts": RNG.normal(size=400),
    "many in one cell": [*np.linspace(0, 1e-6, 60), 1e6],
    "neighbours": [1.0, np.nextafter(np.float32(1), np.float32(2)), 7.0],
    "far apart": [-1e38, 1e38],
    "close": [0.0, 1e-44],
}


@pytest.mark.parametrize("given", THRESHOLDS.values(), ids=list(THRESHOLDS))
def test_codes_count_the_thresholds_below(given: NDArray[np.float64]) -> None:
    thresholds = np.unique(np.asarray(given, np.float32))
    ends = np.array([-np.inf, -3e38, -1, -0.0, 0, 1e-45, 5, 3e38, np.inf, np.nan], np.float32)
    beside = [np.nextafter(thresholds, np.float32(end)) for end in (-np.inf, np.inf)]
    values = np.concatenate([ends, thresholds, *beside, RNG.normal(size=2000).astype(np.float32)])
    codes = FeatureCodes(thresholds).of(values)
    assert codes.itemsize == (2 if len(thresholds) > 255 else 1)
    np.testing.assert_array_equal(codes, np.searchsorted(thresholds, values))
