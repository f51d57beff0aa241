from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.failure.diagnostics.paired_accuracy import accuracy_gap, mcnemar
from core.measure.bootstrap import draw_weights


def test_mcnemar_is_the_binomial_test_of_the_disagreements() -> None:
    first = np.repeat([1.0, 1, 0, 0], [40, 12, 3, 20])
    second = np.repeat([1.0, 0, 1, 0], [40, 12, 3, 20])
    assert mcnemar(first, second) == pytest.approx(stats.binomtest(12, 15, 0.5).pvalue)
    assert mcnemar(first, first) == 1


def test_the_gap_is_paired() -> None:
    rng = np.random.default_rng(0)
    hard = rng.random(400) < 0.5
    first, second = (~hard).astype(float), (~hard & (np.arange(400) % 10 > 0)).astype(float)
    found = accuracy_gap("id", ("a", "b"), first, second, draw_weights(400, None, 300))
    assert found.difference.value == pytest.approx((first - second).mean())
    # both fail on the same patches, so their difference is known better than either
    assert found.difference.high - found.difference.low < 0.06
    assert (found.first, found.second) == ("a", "b")
