from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.files.nifti import Stored, read_stored
from core.imaging.inpaint.task import TASK
from core.report.framing import AROUND_MM, framing_of, window_of
from tests.phantom import make_phantom


@pytest.mark.parametrize(
    "affine", [np.diag([3.0, 3, 3, 1]), np.array([[0, 0, -3.0, 90], [3, 0, 0, 7], [0, 3, 0, 0], [0, 0, 0, 1]])]
)
def test_planes_go_through_the_most_of_the_mask(tmp_path: Path, affine: np.ndarray) -> None:
    phantom = make_phantom(affine, (52, 60, 56))
    t1, mask = phantom.write(tmp_path)
    framing = framing_of(TASK, {"t1": t1, "mask": mask}, read_stored(t1))
    inside = phantom.ras_mask
    for axis in range(3):
        area = inside.sum(axis=tuple(other for other in range(3) if other != axis))
        assert area[framing.whole.centre[axis]] == area.max()
    assert framing.close is not None
    for axis, part in enumerate(framing.close.box):
        marked = np.flatnonzero(inside.any(axis=tuple(other for other in range(3) if other != axis)))
        assert part.start * 3 <= marked[0] * 3 - 0.8 * AROUND_MM or part.start == 0
        assert part.stop * 3 >= marked[-1] * 3 + 0.8 * AROUND_MM or part.stop == inside.shape[axis]


@pytest.mark.parametrize("skull", [True, False])
def test_without_a_mask_the_planes_cut_the_brain_beside_its_middle(tmp_path: Path, skull: bool) -> None:
    phantom = make_phantom(np.diag([3.0, 3, 3, 1]), (52, 60, 56), skull)
    t1, _ = phantom.write(tmp_path)
    framing = framing_of(TASK, {"t1": t1}, read_stored(t1))
    assert framing.close is None and framing.mask is None
    for place, length in zip(framing.whole.centre, (52, 60, 56), strict=True):
        assert 0.4 * length < place < 0.65 * length
    assert framing.whole.centre[0] > 26


def test_an_empty_picture_is_shown_whole() -> None:
    values = np.zeros((16, 16, 16), np.float32)
    values[3, 3, 3] = 1
    framing = framing_of(TASK, {}, Stored(values, np.eye(4)))
    assert all(part.start < 8 < part.stop for part in framing.whole.box)
    low, high = window_of(Stored(np.zeros((16, 16, 16), np.float32), np.eye(4)))
    assert high > low


def test_the_window_goes_from_air_to_bright_tissue(tmp_path: Path) -> None:
    phantom = make_phantom(np.diag([3.0, 3, 3, 1]), (52, 60, 56), skull=False)
    shifted = Stored((phantom.scan - 200).astype(np.int16), phantom.affine, 0.5, 10.0)
    low, high = window_of(shifted)
    assert low == pytest.approx(-90)
    assert high == pytest.approx((700 - 200) * 0.5 + 10, rel=0.06)
