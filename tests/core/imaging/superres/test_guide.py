from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.anatomy.head import find_head
from core.anatomy.registration import register_heads
from core.errors import UserError
from core.files.nifti import write_volume
from core.imaging.superres.geometry import Geometry, geometry
from core.imaging.superres.guide import read_guide
from core.result import Note
from core.tasks import find
from core.volume import Volume
from tests.core.brains import rigid
from tests.core.made_heads import heads

SHAPE = (72, 80, 64)


def head() -> Volume:
    """A head of 1 mm with borders in every direction, large enough to be registered."""
    i, j, k = (index - (side - 1) / 2 for index, side in zip(np.indices(SHAPE), SHAPE, strict=True))
    inside = (i / 32) ** 2 + (j / 36) ** 2 + (k / 28) ** 2 < 1
    tissue = 600 + 200 * np.sign(np.sin(0.3 * i + 0.004 * j * k)) + 120 * np.sin(0.22 * j + 0.1 * k)
    affine = np.eye(4)
    affine[:3, 3] = (-36, -40, -32)
    return Volume(np.where(inside, tissue, 0).astype(np.float32), affine)


def thick(volume: Volume) -> tuple[Volume, Geometry]:
    """Return ``volume`` in slices of 4 mm and what is to be made of them."""
    affine = volume.affine.copy()
    affine[2, 2] = 4
    affine[2, 3] += 1.5
    data = volume.data.reshape(*SHAPE[:2], -1, 4).mean(axis=3)
    return Volume(data, affine), geometry(data.shape, affine, find("superres").parse({}))


def read(path: Path, guide: Volume) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float32]], tuple[Note, Note]]:
    scan, found = thick(head())
    write_volume(path, guide)
    return read_guide(path, scan, find_head(scan), found)


def refused(path: Path, guide: Volume, code: str) -> None:
    with pytest.raises(UserError) as caught:
        read(path, guide)
    assert caught.value.code == code


def test_a_guide_of_another_contrast_in_place_is_taken(tmp_path: Path) -> None:
    other = Volume(np.where(head().data > 0, 1000 - head().data, 0).astype(np.float32), head().affine)
    fine, (lies, fits) = read(tmp_path / "g.nii.gz", other)
    assert fine.shape == SHAPE
    np.testing.assert_allclose(fine, other.data, atol=1e-2)
    assert lies.level == "info" and "within" in lies.text
    assert fits.level == "info"


def read_for_another(path: Path, guide: Volume) -> tuple[Note, Note]:
    """Read ``guide`` for slices of 6 mm of a made-up head."""
    scan = heads(2)["flair"]
    data = scan.data[:, :, :78].reshape(*scan.data.shape[:2], -1, 3).mean(axis=3)
    affine = scan.affine @ np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 3, 1], [0, 0, 0, 1.0]])
    volume = Volume(data, affine)
    write_volume(path, guide)
    found = geometry(data.shape, affine, find("superres").parse({"spacing": "2,2,2"}))
    return read_guide(path, volume, find_head(volume), found)[1]


def test_a_guide_of_another_person_is_warned_of(tmp_path: Path) -> None:
    own, other = heads(2)["t1"], heads(3)["t1"]
    assert read_for_another(tmp_path / "own.nii.gz", own)[1].text.startswith("The guide and the scan show one head: ")
    scan = heads(2)["flair"]
    found = register_heads(scan, find_head(scan), other, find_head(other))
    assert found is not None
    placed = Volume(other.data, found.matrix @ other.affine)
    note = read_for_another(tmp_path / "other.nii.gz", placed)[1]
    assert note.level == "warning" and note.text.startswith("The guide and the scan seem to be of two people: ")
    away = Volume(placed.data, rigid((0, 0, 0), (6, 4, 0)) @ placed.affine)
    with pytest.raises(UserError, match="seems to be of another person") as caught:
        read_for_another(tmp_path / "away.nii.gz", away)
    assert caught.value.code == "guide_unregistered"


def test_a_guide_that_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    moved = head().affine.copy()
    moved[1, 3] += 6
    refused(tmp_path / "g.nii.gz", Volume(head().data, moved), "guide_unregistered")
    moved[1, 3] += 100
    refused(tmp_path / "g.nii.gz", Volume(head().data, moved), "guide_elsewhere")


def test_a_guide_as_thick_as_the_scan_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "g.nii.gz", thick(head())[0], "guide_too_coarse")
