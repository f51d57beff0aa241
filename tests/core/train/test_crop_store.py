import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.errors import UserError
from core.imaging.inpaint.network import PLACE_X
from core.train import feed
from core.train.crop_store import Crop, batch_of, read, write
from core.train.feed import PER_STEP, READY, Feed
from core.train.inpaint_crops import CropSource
from core.train.pack import PackedSet
from core.train.smoke import pack_phantoms


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack_phantoms(tmp_path_factory.mktemp("packed") / "packed.npz")


@pytest.fixture(scope="module")
def crops(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Crop]:
    source = CropSource(PackedSet(packed), 0, tmp_path_factory.mktemp("volumes"))
    return [crop for index in range(3) for crop in source.crops(index, smallest=True)]


def uses(crop: Crop, wanted: Callable[[np.ndarray, np.ndarray], bool]) -> bool:
    return any(wanted(*crop.sample(np.random.default_rng(seed))) for seed in range(40))


def test_crops_come_back_from_disk_as_they_were(crops: list[Crop], tmp_path: Path) -> None:
    write(tmp_path / "crops.npz", crops)
    back = read(tmp_path / "crops.npz")
    assert len(back) == len(crops) == 12
    assert not list(tmp_path.glob("*.part*"))
    for kept, crop in zip(back, crops, strict=True):
        for one, other in zip(
            kept.sample(np.random.default_rng(0)), crop.sample(np.random.default_rng(0)), strict=True
        ):
            np.testing.assert_allclose(one, other, atol=6e-3)
        np.testing.assert_array_equal(kept.mask, crop.mask)
        assert np.abs(kept.target[~kept.mask]).max() == 0


def test_each_use_of_a_crop_may_mirror_it_and_hide_its_place(crops: list[Crop]) -> None:
    crop = next(crop for crop in crops if crop.grid is not None)

    def plain(context: np.ndarray, target: np.ndarray) -> bool:
        return np.array_equal(context[1] > 0, crop.mask) and bool(context[2:5].any())

    def seen_in_a_mirror(context: np.ndarray, target: np.ndarray) -> bool:
        return np.array_equal(context[1, ::-1] > 0, crop.mask) and np.array_equal(target[::-1], crop.target)

    def hidden(context: np.ndarray, target: np.ndarray) -> bool:
        return not context[2:].any() and bool(context[:2].any())

    assert uses(crop, plain) and uses(crop, seen_in_a_mirror) and uses(crop, hidden)


def test_a_mirrored_use_turns_right_into_left(crops: list[Crop]) -> None:
    crop = next(crop for crop in crops if crop.grid is not None)
    found = [crop.sample(np.random.default_rng(seed))[0] for seed in range(40)]
    placed = [context for context in found if context[2:5].any()]
    plain = next(context for context in placed if np.array_equal(context[1] > 0, crop.mask))
    turned = next(context for context in placed if not np.array_equal(context[1] > 0, crop.mask))
    np.testing.assert_allclose(turned[PLACE_X, ::-1], -plain[PLACE_X])
    np.testing.assert_allclose(turned[5, ::-1], plain[5])


def test_a_feed_makes_crops_once_and_finds_them_after_a_restart(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Feed(packed, tmp_path, 0, 0, smallest=True)
    one = [first.batch(step) for step in range(3)]
    made = {path: path.stat().st_mtime_ns for path in tmp_path.glob("0*.npz")}
    assert made
    monkeypatch.setattr(CropSource, "crops", lambda *arguments: pytest.fail("made twice"))
    other = Feed(packed, tmp_path, 0, 0, smallest=True)
    for step, batch in enumerate(one):
        again = other.batch(step)
        np.testing.assert_array_equal(again.context, batch.context)
        np.testing.assert_array_equal(again.target, batch.target)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("0*.npz")} == made


def test_a_store_grows_until_it_is_full(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[int] = set()
    crop = Crop(np.zeros((8, 8, 8), np.float32), np.zeros((8, 8, 8), np.float32), np.ones((8, 8, 8), bool))

    def note(source: CropSource, index: int, smallest: bool = False) -> list[Crop]:
        asked.add(index)
        return [crop]

    monkeypatch.setattr(CropSource, "crops", note)
    monkeypatch.setattr(feed, "CAPACITY", READY + 3)
    made = Feed(packed, tmp_path, 0, 0)
    for step in range(10):
        made.batch(0)
        made.batch(step)
    assert max(asked) < READY + int(10 * PER_STEP)
    for step in range(200, 400):
        made.batch(step)
    assert asked == set(range(READY + 3))


def test_a_store_made_otherwise_is_refused(packed: Path, tmp_path: Path) -> None:
    Feed(packed, tmp_path, 0, 0)
    with pytest.raises(UserError, match="another packed set, seed or recipe"):
        Feed(packed, tmp_path, 1, 0)
    note = tmp_path / "store.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), "recipe": -1}))
    with pytest.raises(UserError, match="recipe"):
        Feed(packed, tmp_path, 0, 0)


def test_a_worker_and_the_training_itself_make_the_same_crops(packed: Path, tmp_path: Path) -> None:
    ahead = Feed(packed, tmp_path / "ahead", 0, 1, smallest=True)
    try:
        batch = ahead.batch(0)
    finally:
        ahead.close()
    own = Feed(packed, tmp_path / "own", 0, 0, smallest=True).batch(0)
    np.testing.assert_array_equal(batch.context, own.context)
    np.testing.assert_array_equal(batch.target, own.target)


def test_a_batch_is_the_crops_one_after_the_other(crops: list[Crop]) -> None:
    batch = batch_of(crops[:4], np.random.default_rng(0))
    assert batch.context.shape == (4, 7, 48, 48, 48) and batch.target.shape == (4, 1, 48, 48, 48)
    np.testing.assert_array_equal(batch.region, batch.context[:, 1:2])
