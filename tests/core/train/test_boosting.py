from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingRegressor

from core.imaging.translate.trees import predict
from core.nets.boosted_trees import LEAVES, NODES, TREES
from core.train.boosting import BINS, RATE, SMALLEST_LEAF, boost, constant

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(3000, 5)).astype(np.float32)
WANTED = (np.sin(2 * FEATURES[:, 0]) + FEATURES[:, 1] * (FEATURES[:, 2] > 0)).astype(np.float32)
UNSEEN = 2 * RNG.normal(size=(3000, 5)).astype(np.float32)


def scikit_learn(trees: int) -> Any:
    """Return the same method in scikit-learn, all of whose samples are fitted."""
    return HistGradientBoostingRegressor(
        max_iter=trees,
        max_leaf_nodes=LEAVES,
        max_bins=BINS,
        learning_rate=RATE,
        min_samples_leaf=SMALLEST_LEAF,
        early_stopping=False,
    )


@pytest.mark.parametrize("trees", [1, 10, TREES])
def test_scikit_learn_fits_the_same(trees: int) -> None:
    reference, model = scikit_learn(trees).fit(FEATURES, WANTED), boost(FEATURES, WANTED, trees)
    for asked in (FEATURES, UNSEEN):
        assert np.abs(predict(model, asked) - reference.predict(asked)).max() < 1e-6


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 600), st.integers(1, 4), st.sampled_from([1, 2, 17, 254, 255, 256, 0]))
def test_scikit_learn_fits_the_same_whatever_the_values(seed: int, count: int, features: int, values: int) -> None:
    rng = np.random.default_rng(seed)
    known = rng.normal(size=(count, features)).astype(np.float32)
    if values:
        known = rng.integers(0, values, known.shape).astype(np.float32) / np.float32(7)
    wanted = (known.sum(axis=1) + rng.normal(size=count)).astype(np.float32)
    reference, model = scikit_learn(5).fit(known, wanted), boost(known, wanted, 5)
    assert np.abs(predict(model, known) - reference.predict(known)).max() < 1e-5


def test_what_is_fitted_has_the_layout_that_ships() -> None:
    model = boost(FEATURES, WANTED)
    assert model.nodes.shape == (TREES, NODES, 3) and model.nodes.dtype == np.float32
    assert model.start == pytest.approx(WANTED.mean())
    assert all(len(tree.leaves) == LEAVES for tree in model.trees)
    assert np.square(predict(model, FEATURES) - WANTED).mean() < 0.05 * WANTED.var()


def test_fewer_trees_than_there_is_room_for_add_nothing() -> None:
    few = boost(FEATURES, WANTED, 3)
    assert not few.nodes[3:, :, 1:].any() and (few.nodes[3:, :, 0] == -1).all()
    whole = boost(FEATURES, WANTED)
    assert np.array_equal(few.nodes[:3], whole.nodes[:3])


def test_leaves_hold_enough_samples() -> None:
    one = boost(FEATURES[:, :2], WANTED, 1)
    _, counts = np.unique(predict(one, FEATURES[:, :2]), return_counts=True)
    assert counts.min() >= SMALLEST_LEAF and len(counts) > LEAVES // 2


def test_what_cannot_be_split_is_the_mean() -> None:
    few = boost(FEATURES[: 2 * SMALLEST_LEAF - 1], WANTED[: 2 * SMALLEST_LEAF - 1])
    assert (few.nodes[:, :, 0] == -1).all() and few.start == pytest.approx(WANTED[: 2 * SMALLEST_LEAF - 1].mean())
    alike = boost(np.zeros_like(FEATURES), WANTED)
    assert (alike.nodes[:, :, 0] == -1).all()
    flat = boost(FEATURES, np.full(3000, 2.5, np.float32))
    assert (predict(flat, FEATURES) == 2.5).all()


def test_it_is_the_same_twice() -> None:
    assert np.array_equal(boost(FEATURES, WANTED, 5).nodes, boost(FEATURES, WANTED, 5).nodes)


def test_a_constant() -> None:
    assert (predict(constant(-1.5), FEATURES) == -1.5).all()
