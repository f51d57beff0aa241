from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from core.anatomy.brain_network import network_brain
from core.errors import UserError
from core.volume import Volume
from tests.core.brains import SCALP, brain, grid

# the size of an adult's head on voxels of 2 mm
GRID = grid(2.0, (86, 104, 84))
TRUTH = brain("t1", *GRID, scale=1.0).data > 0


@pytest.fixture(scope="module")
def head() -> Volume:
    return brain("t1", *GRID, whole=True, scale=1.0)


@pytest.fixture(scope="module")
def found(head: Volume) -> NDArray[np.bool_]:
    return network_brain(head.data)


def test_the_whole_brain_is_found_in_one_piece_and_without_holes(head: Volume, found: NDArray[np.bool_]) -> None:
    assert found[TRUTH].mean() > 0.99
    # the fluid around it comes with it, no scalp
    assert found[head.data == SCALP].mean() < 0.01
    assert ndimage.label(found)[1] == 1
    np.testing.assert_array_equal(ndimage.binary_fill_holes(found), found)


def test_units_and_voxels_without_a_number_do_not_matter(head: Volume, found: NDArray[np.bool_]) -> None:
    other = 0.25 * head.data
    other[0, 0, 0] = np.nan
    assert (network_brain(other) == found).mean() > 0.9999


@pytest.mark.parametrize("shape", [(40, 41, 42), (30, 30, 1)])
def test_nothing_is_found_in_an_empty_picture(shape: tuple[int, int, int]) -> None:
    assert not network_brain(np.full(shape, 7, np.float32)).any()


def test_networks_that_are_not_installed_are_named(
    head: Volume, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("COUNTERSCAN_WEIGHTS", str(tmp_path_factory.mktemp("none")))
    with pytest.raises(UserError) as caught:
        network_brain(head.data)
    assert caught.value.code == "weights_missing"
