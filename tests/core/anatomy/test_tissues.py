from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core.anatomy import tissues as module
from core.anatomy.tissues import agreement, prepare, tissues
from core.errors import UserError
from core.synth.subject import subject
from core.train.pack import PackedSet
from core.train.smoke import pack_phantoms
from core.train.tissue_crops import grouped

SHAPE = (6, 5, 4)
MAPS = arrays.arrays(np.uint8, SHAPE, elements=st.integers(0, 3))
EVERYWHERE = np.ones(SHAPE, bool)


@given(MAPS)
def test_a_map_agrees_with_itself(labels: np.ndarray) -> None:
    for number, name in module.NAMES.items():
        found = agreement(labels, labels, EVERYWHERE)[name]
        assert found == 1 if (labels == number).any() else np.isnan(found)


@given(MAPS, MAPS)
def test_agreement_is_the_same_both_ways_and_between_0_and_1(first: np.ndarray, second: np.ndarray) -> None:
    one, other = agreement(first, second, EVERYWHERE), agreement(second, first, EVERYWHERE)
    np.testing.assert_equal(one, other)
    assert all(np.isnan(value) or 0 <= value <= 1 for value in one.values())


def test_only_the_voxels_asked_for_count() -> None:
    first, second = np.full(SHAPE, 2, np.uint8), np.full(SHAPE, 2, np.uint8)
    second[3:] = 3
    where = np.zeros(SHAPE, bool)
    where[:3] = True
    assert agreement(first, second, where)["grey"] == 1
    assert agreement(first, second, ~where) == {"csf": pytest.approx(np.nan, nan_ok=True), "grey": 0, "white": 0}


def test_dice_is_twice_the_shared_over_the_sum() -> None:
    first, second = np.zeros((4, 1, 1), np.uint8), np.zeros((4, 1, 1), np.uint8)
    first[:3], second[1:] = 1, 1
    assert agreement(first, second, np.ones((4, 1, 1), bool))["csf"] == pytest.approx(4 / 6)


@given(st.floats(0.01, 1000))
def test_units_do_not_matter(unit: float) -> None:
    image = np.random.default_rng(0).random((8, 8, 8)).astype(np.float32)
    head = image > 0.2
    for one, other in zip(prepare(image, head), prepare(image * np.float32(unit), head), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_nothing_is_found_where_there_is_no_head() -> None:
    image = np.random.default_rng(0).random((8, 9, 10)).astype(np.float32)
    assert not tissues(image, (1.0, 1.0, 1.0), np.zeros(image.shape, bool)).any()


def test_a_missing_network_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSCAN_WEIGHTS", str(tmp_path))
    with pytest.raises(UserError) as caught:
        tissues(np.ones((8, 8, 8), np.float32), (1.0, 1.0, 1.0), np.ones((8, 8, 8), bool))
    assert caught.value.code == "weights_missing"


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Scans of a sphere of white matter in grey matter, with CSF at its heart, and its map."""
    packed = PackedSet(pack_phantoms(tmp_path_factory.mktemp("packed") / "packed.npz"))
    made = subject(packed.tissues("map"), 3, ("t1", "t2", "flair"))
    return made.images, grouped(made.tissues)


@pytest.mark.parametrize("contrast", ["t1", "t2", "flair"])
def test_the_tissues_of_a_phantom_are_found_in_every_contrast(
    phantom: tuple[dict[str, np.ndarray], np.ndarray], contrast: str
) -> None:
    image, truth = phantom[0][contrast], phantom[1]
    found = tissues(image, (1.0, 1.0, 1.0), truth > 0)
    assert found.dtype == np.uint8 and found.shape == image.shape
    assert not found[truth == 0].any()
    overlap = agreement(found, truth, truth > 0)
    # a sphere is no brain
    assert overlap["grey"] > 0.6 and overlap["white"] > 0.6


def test_another_grid_gives_the_same_tissues(phantom: tuple[dict[str, np.ndarray], np.ndarray]) -> None:
    image, truth = phantom[0]["t1"], phantom[1]
    fine, head = (np.repeat(part, 2, axis=2) for part in (image, truth > 0))
    found = tissues(fine, (1.0, 1.0, 0.5), head)
    here = tissues(image, (1.0, 1.0, 1.0), truth > 0)
    assert found.shape == fine.shape
    overlap = agreement(found, np.repeat(here, 2, axis=2), head)
    assert overlap["grey"] > 0.9 and overlap["white"] > 0.9
