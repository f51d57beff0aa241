from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.train.boosting import boost
from core.train.pack import PackedSet, pack
from core.train.smoke import pack_phantoms
from core.train.translate_crops import COUNT, SIDE, SMALLEST, ContrastSource
from tests.core.train.test_cubes import write_cubes

SPLITS = ("train", "validation")


def few_trees(patch: pytest.MonkeyPatch) -> None:
    """Fit 20 trees: as many as ship take a second for each set of sources."""
    patch.setattr("core.train.fit_trees.boost", lambda features, target, trees: boost(features, target, 20))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContrastSource]:
    folder: Path = tmp_path_factory.mktemp("contrasts")
    with pytest.MonkeyPatch.context() as patch:
        few_trees(patch)
        yield ContrastSource(PackedSet(pack_phantoms(folder / "packed.npz")), 0, folder)


def test_crops_have_their_shape(source: ContrastSource) -> None:
    assert source.batch(3).context.shape == (COUNT, 10, SIDE, SIDE, SIDE)
    assert source.batch(3, smallest=True).target.shape == (1, 1, SMALLEST, SMALLEST, SMALLEST)


def test_the_papers_networks_see_the_same_crops_without_the_trees(source: ContrastSource, tmp_path: Path) -> None:
    alone = ContrastSource(PackedSet(pack_phantoms(tmp_path / "packed.npz")), 0, tmp_path, grown=False).batch(3)
    told = source.batch(3)
    np.testing.assert_array_equal(alone.context, told.context[:, :9])
    np.testing.assert_array_equal(alone.target, told.target)


def test_the_target_is_never_among_the_sources_and_facts_say_what_is_there(source: ContrastSource) -> None:
    seen = set()
    for index in range(10):
        batch = source.batch(index)
        assert batch.conditioning is not None
        for context, conditioning in zip(batch.context, batch.conditioning, strict=True):
            there, wanted = conditioning[:4] > 0, conditioning[4:] > 0
            assert wanted.sum() == 1 and there.any() and not (there & wanted).any()
            assert (np.abs(context[:4]).sum(axis=(1, 2, 3)) > 0).tolist() == there.tolist()
            seen.add((int(there.sum()), int(np.argmax(wanted))))
    assert {count for count, _ in seen} == {1, 2, 3}
    assert {target for _, target in seen} == {0, 1, 2, 3}


def test_everything_is_silent_outside_the_brain(source: ContrastSource) -> None:
    batch = source.batch(0)
    outside = batch.region[:, 0] == 0
    assert outside.any()
    assert np.abs(batch.target[:, 0][outside]).max() == 0
    for channel in (0, 1, 2, 3, 8, 9):
        assert np.abs(batch.context[:, channel][outside]).max() == 0


def test_what_is_left_to_learn_is_less_than_the_contrast_itself(source: ContrastSource) -> None:
    left, whole = [], []
    for index in range(6):
        batch = source.batch(index)
        brain = batch.region > 0
        left.append(np.square(batch.target[brain]).mean())
        whole.append(np.square((batch.target + batch.context[:, 8:9])[brain]).mean())
    assert np.mean(left) < 0.5 * np.mean(whole)


def test_trees_say_more_than_the_regression(source: ContrastSource) -> None:
    trees, regression = [], []
    for index in range(6):
        batch = source.batch(index)
        brain = batch.region > 0
        off = batch.context[:, 8:9] - batch.context[:, 9:10]
        trees.append(np.square((batch.target + off)[brain]).mean())
        regression.append(np.square(batch.target[brain]).mean())
    assert np.mean(trees) < np.mean(regression)


def test_crops_to_validate_on_are_of_others_shown_what_the_training_subjects_taught(tmp_path: Path) -> None:
    write_cubes(tmp_path / "train/gliomas/cubes.npz", list(range(4)))
    pack(tmp_path, tmp_path / "set.npz", ("train",), lambda text: None)
    packed = PackedSet(tmp_path / "set.npz")
    made = [ContrastSource(packed, 0, tmp_path / "run", split=split).batch(0, smallest=True) for split in SPLITS]
    assert not np.array_equal(made[0].target, made[1].target)
    for batch in made:
        assert (batch.region > 0).any() and not batch.target[batch.region == 0].any()
        assert np.abs(batch.context[:, 5:8]).max() <= 1.2
    # the regression of one run is fitted once
    written = (tmp_path / "run/regression.npy").stat().st_mtime_ns
    ContrastSource(packed, 0, tmp_path / "run")
    assert (tmp_path / "run/regression.npy").stat().st_mtime_ns == written
