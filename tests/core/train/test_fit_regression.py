from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.anatomy.intensity import scaled
from core.contrasts import CONTRASTS
from core.imaging.translate.regression import predict, row, surroundings
from core.train.fit_regression import fit
from core.train.pack import PackedSet
from core.train.smoke import pack_phantoms


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> PackedSet:
    folder: Path = tmp_path_factory.mktemp("regression")
    return PackedSet(pack_phantoms(folder / "packed.npz"))


def told(packed: PackedSet, name: str) -> NDArray[np.float32]:
    brain = packed.head("phantom")
    return surroundings(scaled(packed.image("phantom", name), brain), brain)


def test_it_explains_most_of_a_contrast_from_another(packed: PackedSet) -> None:
    brain, table = packed.head("phantom"), fit(packed)
    for source, target in (("t1", "t2"), ("t2", "t1"), ("t1", "flair")):
        truth = told(packed, target)[0][brain]
        guess = predict(table, {source: told(packed, source)}, target)[brain]
        assert np.square(guess - truth).mean() < 0.4 * truth.var()


def test_more_sources_explain_no_less(packed: PackedSet) -> None:
    brain, table = packed.head("phantom"), fit(packed)
    truth = told(packed, "t1ce")[0][brain]
    errors = []
    for names in (("t1",), ("t1", "t2"), ("t1", "t2", "flair")):
        guess = predict(table, {name: told(packed, name) for name in names}, "t1ce")[brain]
        errors.append(np.square(guess - truth).mean())
    assert errors[0] >= errors[1] - 1e-4 and errors[1] >= errors[2] - 1e-4


def test_there_is_a_row_for_each_set_of_sources_but_none_for_its_own_target(packed: PackedSet) -> None:
    table = fit(packed)
    for bits in range(1, 15):
        names = [name for number, name in enumerate(CONTRASTS) if bits >> number & 1]
        assert row(dict.fromkeys(names)) == bits
        for number, target in enumerate(CONTRASTS):
            assert bool(np.abs(table[bits, number]).any()) == (target not in names)
