from pathlib import Path

import numpy as np
import pytest

from core.errors import UserError
from core.imaging.translate.network import PLACE_X
from core.train.batch import Batch
from core.train.feed import READY
from core.train.kept_batches import KeptBatches
from core.train.translate_crops import ContrastSource


class Counting(ContrastSource):
    """Makes batches of random numbers and notes which."""

    def __init__(self) -> None:
        self.made: list[int] = []

    def batch(self, index: int, smallest: bool = False) -> Batch:
        self.made.append(index)
        rng = np.random.default_rng(index)
        context, target = (rng.normal(size=(2, n, 6, 6, 6)).astype(np.float16).astype(np.float32) for n in (10, 1))
        return Batch(context, target, (target > 0).astype(np.float32), np.eye(2, 8, dtype=np.float32))


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    path = tmp_path / "packed.npz"
    path.write_bytes(b"a packed set")
    return path


def test_a_batch_is_made_once_and_used_again(tmp_path: Path, packed: Path) -> None:
    source = Counting()
    kept = KeptBatches(source, packed, tmp_path / "kept", 0)
    for step in range(40):
        kept.batch(step)
    assert len(source.made) == len(set(source.made)) <= READY + 10
    again = Counting()
    same = KeptBatches(again, packed, tmp_path / "kept", 0)
    np.testing.assert_array_equal(same.batch(7).context, kept.batch(7).context)
    assert again.made == []


def test_crops_come_as_they_are_or_in_the_mirror(tmp_path: Path, packed: Path) -> None:
    source = Counting()
    kept = KeptBatches(source, packed, tmp_path / "kept", 0)
    seen = set()
    for step in range(12):
        batch = kept.batch(step)
        for index in source.made:
            whole = kept.numbered(index)
            for own, target, region, there, wanted, counted in zip(
                batch.context, batch.target, batch.region, whole.context, whole.target, whole.region, strict=True
            ):
                if np.array_equal(target, wanted):
                    seen.add("as it is")
                    assert np.array_equal(own, there) and np.array_equal(region, counted)
                elif np.array_equal(target[:, ::-1], wanted):
                    seen.add("mirrored")
                    assert np.array_equal(region[:, ::-1], counted)
                    assert np.array_equal(own[0, ::-1], there[0])
                    assert np.array_equal(own[PLACE_X, ::-1], -there[PLACE_X])
    assert seen == {"as it is", "mirrored"}


def test_a_store_of_another_set_is_refused(tmp_path: Path, packed: Path) -> None:
    KeptBatches(Counting(), packed, tmp_path / "kept", 0)
    packed.write_bytes(b"another packed set")
    with pytest.raises(UserError, match="another packed set"):
        KeptBatches(Counting(), packed, tmp_path / "kept", 0)
