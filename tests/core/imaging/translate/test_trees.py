from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from core.contrasts import CONTRASTS
from core.imaging.brain_position import places
from core.imaging.translate.trees import PER_CONTRAST, Model, encode, gather, number, patch_maps, predict, regressor
from core.nets.boosted_trees import MODELS, NODES, TREES

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(3000, 5)).astype(np.float32)
WANTED = np.sin(2 * FEATURES[:, 0]) + FEATURES[:, 1] * (FEATURES[:, 2] > 0)
FITTED = regressor().fit(FEATURES, WANTED)
MODEL = encode(FITTED)


@given(st.integers(0, 2**32 - 1), st.integers(1, 400))
def test_the_arrays_answer_as_the_fitted_trees(seed: int, count: int) -> None:
    asked = 2 * np.random.default_rng(seed).normal(size=(count, 5)).astype(np.float32)
    # a threshold in single precision may send the odd value that lies on it the other way
    same = np.isclose(predict(MODEL, asked), FITTED.predict(asked), atol=1e-5)
    assert same.mean() > 0.98


def test_all_of_it_fits_into_the_arrays() -> None:
    assert MODEL.nodes.shape == (TREES, NODES, 3) and MODEL.nodes.dtype == np.float32
    assert MODEL.start == pytest.approx(WANTED.mean())
    assert np.square(predict(MODEL, FEATURES) - WANTED).mean() < 0.05 * WANTED.var()


def test_fewer_trees_than_there_is_room_for_add_nothing() -> None:
    few = regressor().set_params(max_iter=3).fit(FEATURES, WANTED)
    assert np.allclose(predict(encode(few), FEATURES), few.predict(FEATURES), atol=1e-4)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.05, 3.0, 200.0, 1e9]))
def test_arrays_that_are_no_trees_still_end(seed: int, scale: float) -> None:
    nodes = scale * np.random.default_rng(seed).normal(size=(TREES, NODES, 3))
    assert predict(Model(nodes.astype(np.float32), 0.0), FEATURES[:50]).shape == (50,)


def test_more_voxels_than_are_asked_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = predict(MODEL, FEATURES)
    monkeypatch.setattr("core.imaging.translate.trees.CHUNK", 700)
    assert np.array_equal(predict(MODEL, FEATURES), whole)


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
