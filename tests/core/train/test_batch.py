from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.train.batch import Source
from core.train.inpaint_crops import CropSource
from core.train.pack import PackedSet
from core.train.smoke import pack_phantoms
from core.train.superres_crops import ThickSource
from core.train.translate_crops import ContrastSource
from tests.core.train.test_translate_crops import few_trees

SOURCES: dict[str, Callable[[PackedSet, Path], Source]] = {
    "inpaint": lambda packed, folder: CropSource(packed, 0, folder),
    "superres": lambda packed, folder: ThickSource(packed, 0),
    "translate": lambda packed, folder: ContrastSource(packed, 0, folder),
}


@pytest.mark.parametrize(("task", "smallest"), [("inpaint", True), ("superres", False), ("translate", False)])
def test_a_batch_is_fixed_by_its_index(
    task: str, smallest: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_trees(monkeypatch)
    source = SOURCES[task](PackedSet(pack_phantoms(tmp_path / "packed.npz")), tmp_path)
    first, again, other = (source.batch(index, smallest) for index in (3, 3, 4))
    assert np.array_equal(first.context, again.context)
    assert np.array_equal(first.target, again.target)
    assert not np.array_equal(first.context, other.context)
