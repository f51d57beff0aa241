from __future__ import annotations

import numpy as np
import pytest

from core.failure.diagnostics.paired_accuracy import accuracy_gap, permutation_p


def test_many_patches_of_few_slides_are_few_slides() -> None:
    # 500 patches of each of five slides, the first model better on all
    groups = np.repeat(np.arange(5), 500)
    assert permutation_p(np.full(2500, 0.2), groups) == pytest.approx(2 / 2**5)
    assert permutation_p(np.zeros(2500), groups) == 1


def test_the_permutation_of_many_groups_is_near_the_exact_test() -> None:
    rng = np.random.default_rng(3)
    differences, groups = rng.normal(0.1, 0.5, 14), np.arange(14)
    signs = np.array(np.meshgrid(*[(-1, 1)] * 14)).reshape(14, -1)
    exact = (np.abs(signs.T @ differences) >= abs(differences.sum()) - 1e-9).mean()
    assert permutation_p(differences, groups) == pytest.approx(exact, abs=0.02)


def test_the_gap_is_paired() -> None:
    rng = np.random.default_rng(0)
    hard = rng.random(400) < 0.5
    first, second = (~hard).astype(float), (~hard & (np.arange(400) % 10 > 0)).astype(float)
    found = accuracy_gap("id", ("a", "b"), first, second, np.arange(400))
    assert found.difference.value == pytest.approx((first - second).mean())
    # both fail on the same patches, so their difference is known better than either
    assert found.difference.high - found.difference.low < 0.06
    assert (found.first, found.second) == ("a", "b")
