from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.anatomy.brain import Brain, find_brain
from core.anatomy.face import face_region, without_face
from core.anatomy.head import Head, find_head
from core.assets import ASSETS
from core.errors import UserError
from core.files.nifti import Stored, read_stored
from core.volume import Volume
from tests.core.brains import brain, grid, rigid
from tests.source import ROOT

# a whole head of a person, with forehead and eyes
REAL = ROOT.parent / "shared" / "data" / "demo" / "epilepsy_t1" / "MR.nii.gz"
GRID = grid(2.0, (86, 110, 84))
FRONT_MM, BELOW_MM = 30.0, 10.0


def head_with_face(
    contrast: str = "t1", turn: tuple[float, float, float] = (0, 0, 0)
) -> tuple[Volume, NDArray[np.bool_]]:
    """Return a whole head, turned by degrees, with a nose and a chin, and where these are."""
    affine, shape = GRID
    moved = rigid(turn, (0, 0, 0))
    made = brain(contrast, affine, shape, moved, whole=True, scale=0.97)
    place = np.linalg.inv(moved) @ affine
    x, y, z = np.moveaxis(np.indices(shape).transpose(1, 2, 3, 0) @ place[:3, :3].T + place[:3, 3], 3, 0)
    nose = (x / 8) ** 2 + ((y - 96) / 10) ** 2 + ((z + 24) / 14) ** 2 < 1
    chin = (x / 18) ** 2 + ((y - 66) / 16) ** 2 + ((z + 66) / 14) ** 2 < 1
    face = (nose | chin) & (made.data == 0)
    return Volume(np.where(face, np.float32(500), made.data), affine), face


@pytest.mark.parametrize(("contrast", "turn"), [("t1", (12, 3, 5)), ("t2", (-12, 0, 0))])
def test_the_face_goes_and_the_brain_stays(contrast: str, turn: tuple[float, float, float]) -> None:
    volume, face = head_with_face(contrast, turn)
    head = find_head(volume)
    region = face_region(volume, head)
    truth = brain(contrast, *GRID, rigid(turn, (0, 0, 0)), scale=0.97).data > 0
    assert face.sum() > 1000 and region[face].mean() > 0.97
    assert not (region & truth).any()
    # the back of the head, its top and its sides stay
    assert 0.005 < (region & head.mask).sum() / head.mask.sum() < 0.25
    assert not region[:, : volume.data.shape[1] // 2].any()


def test_nothing_but_the_face_changes_whatever_the_type_and_the_order_of_the_axes() -> None:
    volume, face = head_with_face()
    # a sagittal scan whose axes run to the back, down and to the left, as signed integers with a scale
    turned = np.array([[0, 0, -1, 85], [-1, 0, 0, 109], [0, -1, 0, 83], [0, 0, 0, 1.0]])
    values = np.rint(volume.data[::-1, ::-1, ::-1].transpose(1, 2, 0) / 0.5).astype(np.int16)
    stored = Stored(np.asfortranarray(values), volume.affine @ turned, slope=0.5)
    seen = stored.to_volume()
    np.testing.assert_array_equal(seen.data, np.rint(volume.data / 0.5) * 0.5)
    clean, emptied = without_face(stored, seen, find_head(seen))
    changed = clean.values != stored.values
    # more with a brain that ends where its fluid begins: 4 mm of it come with this one
    assert emptied > 35 and clean.values.dtype == np.int16 and (clean.slope, clean.intercept) == (0.5, 0.0)
    np.testing.assert_array_equal(clean.affine, stored.affine)
    assert (clean.values[changed] == 0).all() and changed[stored.orientation.from_ras(face)].mean() > 0.97
    assert not changed[stored.orientation.from_ras(brain("t1", *GRID, scale=0.97).data > 0)].any()


def test_a_stripped_scan_has_no_face() -> None:
    volume = brain("t1", *GRID, scale=1.0)
    stored = Stored(np.asfortranarray(volume.data), volume.affine)
    assert without_face(stored, volume, find_head(volume)) == (stored, 0.0)


def test_a_head_without_a_brain_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    volume = brain("t1", *GRID, whole=True)
    monkeypatch.setattr("core.anatomy.face.find_brain", lambda volume, head: Brain(np.zeros_like(head), ()))
    with pytest.raises(UserError) as caught:
        face_region(volume, Head("head", volume.data > 0, 3000.0))
    assert caught.value.code == "brain_not_found"


def front_left(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> tuple[float, float]:
    """Return the shares of two parts that are left of a head without its face: of its surface before the brain's front
    half, below the front's height and near the middle; of the brain."""
    head = find_head(volume)
    found = find_brain(volume, head.mask)
    monkeypatch.setattr("core.anatomy.face.find_brain", lambda volume, head: found)
    region = face_region(volume, head)
    x, y, z = np.moveaxis(np.argwhere(found.mask), 1, 0)
    top = z[y == y.max()].min() - round(BELOW_MM / volume.spacing[2])
    reach = round(FRONT_MM / volume.spacing[0])
    middle = slice(int(x.mean()) - reach, int(x.mean()) + reach)
    part = head.mask[middle, :, : top + 1]
    rows, columns = np.nonzero(part.any(axis=1))
    first = part.shape[1] - 1 - np.argmax(part[:, ::-1][rows, :, columns], axis=1)
    before = first > (y.mean() + y.max()) / 2
    gone = region[middle, :, : top + 1][rows, first, columns][before]
    return float(1 - gone.mean()), float((~region)[found.mask].mean())


def test_the_face_of_a_generated_head_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    volume = read_stored(ASSETS / "examples" / "cavity-head" / "t1.nii.gz").to_volume()
    left, kept = front_left(volume, monkeypatch)
    assert left < 0.01 and kept == 1.0


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_file(), reason="no real whole head: ../shared/data is absent")
def test_the_face_of_a_real_head_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    left, kept = front_left(read_stored(REAL).to_volume(), monkeypatch)
    assert left < 0.01 and kept == 1.0
