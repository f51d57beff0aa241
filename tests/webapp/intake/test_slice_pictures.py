from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.errors import UserError
from core.files.nifti import Stored, read_own
from webapp.intake.slice_pictures import SlicePictures

SHAPE = (20, 30, 10)


def write(path: Path, data: NDArray[np.float32], spacing: tuple[float, float, float] = (1, 1, 3)) -> Path:
    nib.save(nib.Nifti1Image(data, np.diag([*spacing, 1.0])), path)
    return path


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """Brighter towards the front, with a dark right half below."""
    data = np.broadcast_to(np.linspace(50, 200, SHAPE[1], dtype=np.float32)[None, :, None], SHAPE).copy()
    data[SHAPE[0] // 2 :, :, : SHAPE[2] // 2] = 10
    return write(tmp_path / "scan.nii.gz", data)


def pixels(png: bytes) -> NDArray[np.int64]:
    return np.asarray(Image.open(BytesIO(png)).convert("RGB")).astype(np.int64)


def test_a_slice_has_the_front_up_and_the_left_on_the_left(scan: Path) -> None:
    below = pixels(SlicePictures().picture(scan, 2, 0.0))
    assert below.shape == (512, 341, 3)
    assert below[20, 40].mean() > below[-20, 40].mean() > below[20, 300].mean()
    above = pixels(SlicePictures().picture(scan, 2, 1.0))
    assert above[20, 300].mean() == pytest.approx(above[20, 40].mean())
    # 30 mm of 1 mm against 30 mm of 3 mm: square
    assert pixels(SlicePictures().picture(scan, 0, 0.5)).shape == (512, 512, 3)


def test_maps_and_masks_lie_over_the_scan(scan: Path, tmp_path: Path) -> None:
    mask = np.zeros(SHAPE, np.float32)
    mask[5:9, 10:16, 5] = 1
    drawn = pixels(SlicePictures().picture(scan, 2, 5 / 9, write(tmp_path / "mask.nii.gz", mask)))
    plain = pixels(SlicePictures().picture(scan, 2, 5 / 9))
    changed = (drawn != plain).any(axis=2)
    assert 0.005 < changed.mean() < 0.1
    other = nib.load(scan).get_fdata().astype(np.float32)
    other[5:9, 10:16, 5] += 100
    other[12:15, 10:16, 5] -= 100
    made = write(tmp_path / "made.nii.gz", other)
    signed = pixels(SlicePictures().picture(scan, 2, 5 / 9, made, "signed", scan))
    red, blue = signed[:, :, 0] - signed[:, :, 2] > 30, signed[:, :, 2] - signed[:, :, 0] > 30
    assert red[:, :170].any()
    assert not red[:, 180:].any()
    assert blue[:, 180:].any()
    assert not blue[:, :170].any()
    doubt = pixels(SlicePictures().picture(scan, 2, 5 / 9, write(tmp_path / "sd.nii.gz", mask * 5), "uncertainty"))
    assert (doubt != plain).any()


def test_volumes_on_two_grids_are_refused_and_few_are_kept(scan: Path, tmp_path: Path) -> None:
    small = write(tmp_path / "small.nii.gz", np.ones((16, 16, 16), np.float32))
    pictures = SlicePictures(most=1)
    with pytest.raises(UserError) as refused:
        pictures.picture(scan, 2, 0.5, small)
    assert refused.value.code == "wrong_input"
    assert len(pictures._kept) == 1
    assert pixels(pictures.picture(small, 2, 0.5)).shape == (512, 512, 3)


def test_many_requests_for_a_volume_read_it_once(scan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []

    def slow(path: Path) -> Stored:
        reads.append(path)
        time.sleep(0.1)
        return read_own(path)

    monkeypatch.setattr("webapp.intake.slice_pictures.read_own", slow)
    shown = SlicePictures()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda share: shown.picture(scan, 2, share), np.linspace(0, 1, 8)))
    assert reads == [scan]
