from __future__ import annotations

import gc
import hashlib
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.ensemble import GradientBoostingRegressor

from core.contrasts import CONTRASTS
from core.errors import UserError
from core.events import finish
from core.imaging.brain_position import places
from core.imaging.options import Options
from core.imaging.problem import Sources
from core.imaging.translate import regression, trees
from core.imaging.translate.trees import PER_CONTRAST, WEIGHTS, Model, gather, number, patch_maps, predict
from core.nets.boosted_trees import LEAVES, MODELS, NODES
from core.weights import load

Float = NDArray[np.float32]

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(3000, 5)).astype(np.float32)
WANTED = np.sin(2 * FEATURES[:, 0]) + FEATURES[:, 1] * (FEATURES[:, 2] > 0)
# few enough values that voxels lie on thresholds
LEVELS = np.linspace(-1, 1, 9, dtype=np.float32)
# leaves of 1 unless they are written, which stand after a tree
SILENT = np.tile(np.array([-1, 1, 0], np.float32), (NODES, 1))
# of voxel 7 of ``ramp``, computed by scikit-learn 1.9.1 from the trees that ship: record them anew with new weights
SHIPPED = """
    0.412013 -0.248924 0.031407 0.881514 0.026237 0.165822 -0.675136 -0.305947 -0.129645 -0.512034 -0.592044 0.766237
    0.635440 2.817824 0.254319 1.193004 0.249778 -0.031822 0.735334 1.149808 0.974246 0.077188 -0.190025 0.131179
    1.189556 -0.661647 0.297816 0.356554
"""
SHIPPED_SHA256 = "417f4edb7ecd0ec63fbbf55934c060850c5e868e77347a6e3e4096181376b88f"


def tree(*rows: tuple[float, float, float]) -> Float:
    nodes = SILENT.copy()
    nodes[: len(rows)] = rows
    return nodes


def by_path(model: Model, features: Float) -> Float:
    """Return what ``predict`` is to return, voxel by voxel and node by node."""
    total = np.full(len(features), model.start)
    for nodes in model.nodes:
        for row, voxel in enumerate(features):
            index = 0
            while nodes[index, 0] >= 0:
                feature, highest, right = nodes[index]
                index = index + 1 if voxel[int(feature)] <= highest else int(right)
            total[row] += nodes[index, 1]
    return total.astype(np.float32)


def grown(rng: np.random.Generator, leaves: int, features: int) -> Float:
    """Return the nodes of a random tree."""
    nodes = SILENT.copy()

    def write(index: int, leaves: int) -> int:
        if leaves == 1:
            nodes[index] = -1, rng.normal(), 0
            return index + 1
        near = int(rng.integers(1, leaves))
        middle = write(index + 1, near)
        nodes[index] = rng.integers(features), rng.choice(LEVELS), middle
        return write(middle, leaves - near)

    write(0, leaves)
    return nodes


def of_scikit_learn(fitted: Any) -> Iterator[Float]:
    """Yield the nodes of each tree of a fitted ``GradientBoostingRegressor``, from its public attributes."""
    for ((each,),) in zip(fitted.estimators_, strict=True):
        own, nodes = each.tree_, SILENT.copy()

        def write(index: int, node: int, own: Any = own, nodes: Float = nodes) -> int:
            if own.children_left[node] < 0:
                nodes[index] = -1, fitted.learning_rate * own.value[node].item(), 0
                return index + 1
            middle = write(index + 1, own.children_left[node])
            highest = np.float32(own.threshold[node])
            if highest > own.threshold[node]:  # the same voxels lie below the next lower single
                highest = np.nextafter(highest, np.float32(-np.inf))
            nodes[index] = own.feature[node], highest, middle
            return write(middle, own.children_right[node])

        write(0, 0)
        yield nodes


def ramp(count: int, features: int) -> Float:
    """Return features without chance, in -1 to 1."""
    mixed = np.arange(count)[:, None] * 7919 + np.arange(features) * 104729
    return np.asarray(mixed % 2003 / 1000 - 1, np.float32)


def needed(index: int) -> int:
    return PER_CONTRAST * len(MODELS[index][0]) + 3


def shipped(index: int) -> Model:
    network = load(WEIGHTS)
    nodes, start = (network.get_parameter(name).detach()[index].numpy() for name in ("nodes", "start"))
    return Model(nodes, float(start))


def test_a_tree_by_hand() -> None:
    nodes = tree((1, 0.5, 4), (0, -2.0, 3), (-1, 10, 0), (-1, 20, 0), (0, 7.0, 6), (-1, 30, 0), (-1, 40, 0))
    asked = np.array([[-2, 0.5], [-1.9, 0.5], [7, 0.6], [7.1, 0.6], [np.nan, 0], [0, np.nan]], np.float32)
    assert predict(Model(nodes[None], 100.0), asked).tolist() == [110, 120, 130, 140, 120, 130]
    twice = Model(np.stack([nodes, SILENT, nodes]), 0.5)
    assert predict(twice, asked).tolist() == [21.5, 41.5, 61.5, 81.5, 41.5, 61.5]


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, LEAVES), min_size=0, max_size=6), st.integers(0, 60))
def test_every_voxel_ends_where_its_path_leads(seed: int, leaves: list[int], count: int) -> None:
    rng = np.random.default_rng(seed)
    nodes = [grown(rng, number, 3) for number in leaves]
    model = Model(np.array(nodes, np.float32).reshape(len(nodes), NODES, 3), rng.normal())
    asked = rng.choice(LEVELS, (count, 3))
    assert predict(model, asked).tobytes() == by_path(model, asked).tobytes()


@pytest.mark.parametrize("chain", ["left", "right"])
def test_trees_as_deep_as_they_can_be(chain: str) -> None:
    if chain == "left":
        rows = [(0, -number, NODES - 1 - number) for number in range(LEAVES - 1)]
        nodes = tree(*rows, *[(-1, number, 0) for number in range(LEAVES)])
    else:
        rows = [row for number in range(LEAVES - 1) for row in ((0, number, 2 * number + 2), (-1, number, 0))]
        nodes = tree(*rows, (-1, 99, 0))
    model = Model(nodes[None], 0.0)
    asked = np.arange(-70, 70, dtype=np.float32)[:, None]
    found = predict(model, asked)
    assert len(set(found.tolist())) == LEAVES and np.array_equal(found, by_path(model, asked))


def test_scikit_learn_computes_the_same_from_the_same_trees() -> None:
    fitted = GradientBoostingRegressor(n_estimators=60, max_depth=5, random_state=0).fit(FEATURES, WANTED)
    model = Model(np.stack(list(of_scikit_learn(fitted))), float(fitted.init_.constant_.item()))
    asked = np.concatenate([FEATURES, 2 * RNG.normal(size=(3000, 5)).astype(np.float32)])
    assert np.abs(predict(model, asked) - fitted.predict(asked)).max() < 1e-6


def test_the_trees_that_ship_predict_what_was_recorded() -> None:
    found = [predict(shipped(index), ramp(500, needed(index))) for index in range(len(MODELS))]
    assert [each[7] for each in found] == pytest.approx([float(value) for value in SHIPPED.split()], abs=1e-6)
    every = np.stack(found).astype("<f4")
    assert hashlib.sha256(every.tobytes()).hexdigest() == SHIPPED_SHA256


@pytest.mark.parametrize("index", [0, 13, 27])
def test_the_trees_that_ship_are_followed_node_by_node(index: int) -> None:
    model = shipped(index)
    # thresholds themselves, so that voxels lie on them
    splits = model.nodes[model.nodes[:, :, 0] >= 0]
    asked = RNG.choice(splits[:, 1], (60, needed(index))).astype(np.float32)
    assert predict(model, asked).tobytes() == by_path(model, asked).tobytes()


STUMP = ((0, 0.0, 2), (-1, 1, 0), (-1, 2, 0))
NO_TREES = {
    "the right child is the node": tree((0, 0.0, 0)),
    "the right child lies before": tree((0, 0.0, 2), (-1, 1, 0), (0, 0.0, 0)),
    "the right child is the left one": tree((0, 0.0, 1)),
    "the right child lies beyond the nodes": tree((0, 0.0, NODES)),
    "the right child is far beyond": tree((0, 0.0, 1e30)),
    "the right child lies below zero": tree((0, 0.0, -2)),
    "the right child lies between nodes": tree((0, 0.0, 2.5)),
    "a node between the children": tree((0, 0.0, 3)),
    "a child of two": tree((0, 0.0, 4), (0, 0.0, 4), (-1, 1, 0)),
    "the last node is split": tree(*SILENT[:-1], (0, 0.0, 2)),
    "a second tree": tree((-1, 1, 0), (0, 0.0, 3)),
    "a feature below the leaf's": tree((-2, 0.0, 2)),
    "half a feature": tree((0.5, 0.0, 2)),
    "a feature that is no number": tree((np.nan, 0.0, 2)),
    "a threshold that is no number": tree((0, np.nan, 2)),
    "an endless leaf": tree((-1, np.inf, 0)),
    "a node too many": np.concatenate([SILENT, SILENT[:1]]),
    "a node too few": SILENT[1:],
    "a column too few": SILENT[:, :2],
}


@pytest.mark.parametrize("why", NO_TREES)
def test_nodes_that_are_no_trees_are_refused(why: str) -> None:
    Model(np.stack([tree(*STUMP), SILENT]), 0.0)
    with pytest.raises(UserError) as refused:
        Model(NO_TREES[why][None], 0.0)
    assert refused.value.code == "weights_damaged"


def test_a_feature_that_is_not_there_is_not_read() -> None:
    for feature in (5, 1e9, 1e30):
        model = Model(np.stack([tree(*STUMP), tree((feature, 0.0, 2))]), 0.0)
        with pytest.raises(UserError, match="no trees"):
            predict(model, FEATURES)
    assert predict(Model(tree((4, 0.0, 2))[None], 0.0), FEATURES).shape == (3000,)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.05, 3.0, 200.0, 1e9]))
def test_arrays_by_chance_are_refused(seed: int, scale: float) -> None:
    nodes = scale * np.random.default_rng(seed).normal(size=(2, NODES, 3))
    with pytest.raises(UserError):
        Model(nodes.astype(np.float32), 0.0)
    with pytest.raises(UserError):
        Model(np.maximum(nodes.round(), -1).astype(np.float32), 0.0)


@given(st.integers(0, 2**32 - 1), st.integers(2, LEAVES), st.integers(0, NODES - 1), st.integers(0, 2), st.data())
def test_one_number_changed_is_refused_or_followed(seed: int, leaves: int, row: int, part: int, data: Any) -> None:
    rng = np.random.default_rng(seed)
    nodes = grown(rng, leaves, 3)
    nodes[row, part] = data.draw(st.sampled_from([-3, -1, 0, 1, 2, 3, 0.5, 62, 124, 125, 300, 1e30, np.nan, np.inf]))
    asked = rng.choice(LEVELS, (20, 3))
    try:
        model = Model(nodes[None], 0.0)
        found = predict(model, asked)
    except UserError as refused:
        assert refused.code == "weights_damaged"
    else:
        assert found.tobytes() == by_path(model, asked).tobytes()


def test_more_voxels_than_are_predicted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model(np.stack([grown(RNG, LEAVES, 5) for _ in range(10)]), 0.0)
    whole = predict(model, FEATURES)
    monkeypatch.setattr("core.imaging.translate.trees.CHUNK", 700)
    assert np.array_equal(predict(model, FEATURES), whole)
    assert np.array_equal(predict(model, np.asfortranarray(FEATURES)), whole)


def test_features_by_hand() -> None:
    image = RNG.normal(size=(12, 13, 14)).astype(np.float32)
    brain = np.zeros(image.shape, bool)
    brain[2:10, 3:11, 4:12] = True
    x, y, z = 5, 6, 7
    index = int(np.flatnonzero((np.argwhere(brain) == (x, y, z)).all(axis=1))[0])
    maps = {"t2": patch_maps(image), "t1": patch_maps(2 * image)}
    found = gather(maps, places(brain), brain)
    assert found.shape == (brain.sum(), 2 * PER_CONTRAST + 3)
    flat = np.array([np.ravel_multi_index((x, y, z), image.shape)])
    one = gather(maps, places(brain), flat)[0]
    assert np.array_equal(one, found[index])
    cube = image[x - 2 : x + 3, y - 2 : y + 3, z - 2 : z + 3]
    # T1 comes first, however the maps are ordered
    assert one[0] == 2 * image[x, y, z] and one[PER_CONTRAST] == image[x, y, z]
    smooth = ndimage.gaussian_filter(image, 2.0, mode="constant")
    assert one[PER_CONTRAST + 2] == pytest.approx(smooth[x, y, z], abs=1e-6)
    assert (one[-5], one[-4]) == (cube.min(), cube.max())
    assert np.array_equal(one[-3:], places(brain)[:, x, y, z])


def test_every_set_of_sources_has_a_model_for_each_other_contrast() -> None:
    assert len(MODELS) == len(set(MODELS)) == 28
    for index, (sources, target) in enumerate(MODELS):
        assert number({CONTRASTS[told] for told in sources}, CONTRASTS[target]) == index
    with pytest.raises(ValueError, match="not in"):
        number({"t1"}, "t1")


def test_methods_of_one_job_share_the_trees_and_the_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def counted(module: Any, name: str) -> None:
        plain = getattr(module, name)

        def noted(*given: Any) -> Any:
            calls.append(name)
            return plain(*given)

        monkeypatch.setattr(module, name, noted)

    counted(trees, "said")
    counted(regression, "predict")

    def sources() -> Sources:
        brain = np.zeros((16, 16, 16), bool)
        brain[3:13, 3:13, 3:13] = True
        image = np.where(brain, np.random.default_rng(0).random(brain.shape), 0).astype(np.float32)
        return Sources({"t1": image}, brain, "t2")

    one = sources()
    kept = weakref.ref(one)
    made = [finish(method(one, Options())).values for method in (trees.trees, trees.trees, regression.regression)]
    np.testing.assert_array_equal(made[0], made[1])
    regression.start(one, "cpu")
    assert sorted(calls) == ["predict", "said"]
    again = finish(trees.trees(sources(), Options()))
    np.testing.assert_array_equal(again.values, made[0])
    assert calls.count("said") == 2
    assert one in regression._starts and one in trees._predicted
    del one
    gc.collect()
    assert kept() is None
