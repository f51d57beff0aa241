from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.anatomy.head import find_head
from core.errors import UserError
from core.files.nifti import write_volume
from core.imaging.superres.geometry import Geometry, geometry
from core.imaging.superres.guide import read_guide
from core.tasks import find
from core.volume import Volume

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


def read(path: Path, guide: Volume) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float32]], str]:
    scan, found = thick(head())
    write_volume(path, guide)
    return read_guide(path, scan, find_head(scan).mask, found)


def refused(path: Path, guide: Volume, code: str) -> None:
    with pytest.raises(UserError) as caught:
        read(path, guide)
    assert caught.value.code == code


def test_a_guide_of_another_contrast_in_place_is_taken(tmp_path: Path) -> None:
    other = Volume(np.where(head().data > 0, 1000 - head().data, 0).astype(np.float32), head().affine)
    fine, told = read(tmp_path / "g.nii.gz", other)
    assert fine.shape == SHAPE
    np.testing.assert_allclose(fine, other.data, atol=1e-2)
    assert "within" in told


def test_a_guide_that_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    moved = head().affine.copy()
    moved[1, 3] += 6
    refused(tmp_path / "g.nii.gz", Volume(head().data, moved), "guide_unregistered")
    moved[1, 3] += 100
    refused(tmp_path / "g.nii.gz", Volume(head().data, moved), "guide_elsewhere")


def test_a_guide_as_thick_as_the_scan_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "g.nii.gz", thick(head())[0], "guide_too_coarse")
