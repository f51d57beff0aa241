from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.anatomy.brain_surface import normals, sphere, surface_brain
from core.files.nifti import read_volume
from core.volume import Volume
from tests.core.brains import SCALP, brain, grid
from tests.source import ROOT

WHOLE_HEAD = ROOT.parent / "shared" / "data" / "demo" / "epilepsy_t1" / "MR.nii.gz"
# the size of an adult's head on voxels of 2 mm, which are enough for a mask
GRID = grid(2.0, (86, 104, 84))
TRUTH = brain("t1", *GRID, scale=1.0).data > 0


def dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


def test_the_brain_of_a_whole_head_is_found_whatever_its_units() -> None:
    head = brain("t1", *GRID, whole=True, scale=1.0)
    found = surface_brain(head)
    assert dice(found, TRUTH) > 0.95
    np.testing.assert_array_equal(surface_brain(Volume(head.data * np.float32(0.25), head.affine)), found)


def test_in_a_t2_the_bright_fluid_around_the_brain_comes_with_it_and_no_scalp() -> None:
    head = brain("t2", *GRID, whole=True, scale=1.0)
    found = surface_brain(head)
    assert found[TRUTH].mean() > 0.99
    assert found[head.data == SCALP].mean() < 0.01


def test_what_is_no_head_has_no_brain() -> None:
    affine, shape = GRID
    assert not surface_brain(Volume(np.zeros(shape, np.float32), affine)).any()


@pytest.mark.skipif(not WHOLE_HEAD.is_file(), reason="no real whole head: ../shared/data is absent")
def test_the_brain_of_a_real_head_has_a_likely_size_and_is_in_one_piece() -> None:
    from scipy import ndimage

    volume = read_volume(WHOLE_HEAD)
    found = surface_brain(volume)
    millilitres = found.sum() * np.prod(volume.spacing) / 1000
    assert 1250 < millilitres < 1500
    assert ndimage.label(found)[1] == 1
    # bright scalp lies outside
    assert np.percentile(volume.data[found], 99.9) < np.percentile(volume.data[~found], 99.9)


@pytest.mark.parametrize("level", [0, 1, 3])
def test_a_sphere_is_closed_round_and_turned_outwards(level: int) -> None:
    points, faces = sphere(level)
    assert len(points) == 10 * 4**level + 2
    assert len(faces) == 20 * 4**level
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, atol=1e-12)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    # each edge is run through once in either direction
    assert len(np.unique(edges, axis=0)) == len(edges)
    assert {tuple(edge) for edge in edges} == {tuple(edge[::-1]) for edge in edges}
    assert (np.einsum("ij,ij->i", normals(points, faces), points) > 0.99).all()
