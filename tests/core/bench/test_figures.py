from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from core.bench.figures import BAND, TILE, Scene, draw
from core.imaging.picture import OUTLINE

IMAGE = np.zeros((20, 24, 28), np.float32)
IMAGE[15:, :, :] = 1.0


def pixels(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_a_column_each_and_left_on_the_left(tmp_path: Path) -> None:
    scene = Scene({"truth": IMAGE}, (10, 12, 14), (1.0, 1.0, 1.0), 1.0, 16.0)
    draw(tmp_path / "new" / "case.png", scene, {"half": IMAGE * np.float32(0.5), "none": np.zeros_like(IMAGE)})
    sheet = pixels(tmp_path / "new" / "case.png")
    assert sheet.shape == (BAND + 3 * TILE, 3 * TILE, 3)
    axial = sheet[BAND + 2 * TILE :, :, 0]
    assert axial[150, 20] == 0 and axial[150, 280] == 255
    assert 100 < axial[150, TILE + 280] < 155
    assert not axial[:, 2 * TILE :].any()


def test_the_outline_is_on_the_input_alone(tmp_path: Path) -> None:
    mask = np.zeros(IMAGE.shape, bool)
    mask[6:14, 8:16, 10:18] = True
    scene = Scene({"truth": IMAGE, "voided": IMAGE}, (10, 12, 14), (1.0, 1.0, 1.0), 1.0, 16.0, mask)
    draw(tmp_path / "case.png", scene, {"fill": IMAGE})
    off = np.abs(pixels(tmp_path / "case.png").astype(int) - np.array(OUTLINE))
    red = off.max(axis=2) < 40
    columns = [red[BAND:, TILE * column : TILE * (column + 1)].any() for column in range(3)]
    assert columns == [False, True, False]


def test_a_window_larger_than_the_scan_is_filled_with_black(tmp_path: Path) -> None:
    scene = Scene({"truth": np.ones_like(IMAGE)}, (0, 0, 0), (2.0, 1.0, 1.0), 1.0, 200.0)
    draw(tmp_path / "case.png", scene, {})
    sheet = pixels(tmp_path / "case.png")[BAND:]
    assert sheet.max() == 255 and (sheet == 0).mean() > 0.5
