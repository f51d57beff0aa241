from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import ndimage

from core.bench import two_parts
from core.imaging.problem import Estimate
from core.train.heldout import TUMOUR
from tests.core.bench.scans import SPACING, write_glioma


def test_two_parts_are_masked_and_one_is_scored(tmp_path: Path) -> None:
    write_glioma(tmp_path, TUMOUR)
    (case,) = two_parts.cases(tmp_path, size=60.0, margins=(0.0,))
    mask, healthy = case.problem.mask, case.where
    assert ndimage.label(mask)[1] == 2
    assert healthy.sum() * SPACING**3 / 1000 == np.float64(round(60.0 / (SPACING**3 / 1000)) * SPACING**3 / 1000)
    tumour = mask & ~healthy
    assert ndimage.distance_transform_edt(~tumour, [SPACING] * 3)[healthy].min() > two_parts.APART_MM
    assert not case.problem.image[mask].any()
    assert not case.tissues[tumour].any()

    # what is put into the tumour does not count
    right = np.where(healthy, case.truth, -50).astype(np.float32)
    scores, image = case.assess(Estimate(right, np.ones_like(right)))
    assert (image[tumour] == -50).all()
    assert scores["mae"] == 0
    assert scores["within"] == 1
    wrong, _ = case.assess(Estimate(np.where(healthy, 0, case.truth).astype(np.float32)))
    assert wrong["mae"] > 0.1


def test_subjects_that_are_not_there_and_those_without_room_are_left_out(tmp_path: Path) -> None:
    assert list(two_parts.cases(tmp_path)) == []
    write_glioma(tmp_path, TUMOUR)
    assert list(two_parts.cases(tmp_path, size=1400.0)) == []
