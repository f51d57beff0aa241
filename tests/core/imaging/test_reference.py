from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import UserError
from core.files.nifti import write_volume
from core.imaging.reference import consistency, read_reference, scores
from core.volume import Volume


def smooth(shape: tuple[int, int, int], step: float) -> Volume:
    x, y, z = np.indices(shape) * step
    data = 100 + 10 * np.sin(0.1 * x) * np.cos(0.08 * y) + 5 * np.sin(0.05 * z)
    affine = np.diag([step, step, step, 1.0])
    return Volume(data.astype(np.float32), affine)


def test_a_reference_on_the_same_grid_is_taken_as_it_is(tmp_path: Path) -> None:
    scan = smooth((12, 14, 16), 1.0)
    write_volume(tmp_path / "a.nii.gz", scan)
    truth = read_reference(tmp_path / "a.nii.gz", scan, scan.data > 0)
    np.testing.assert_array_equal(truth, scan.data)


def test_a_finer_reference_is_resampled(tmp_path: Path) -> None:
    fine, coarse = smooth((40, 40, 40), 0.5), smooth((20, 20, 20), 1.0)
    write_volume(tmp_path / "a.nii.gz", fine)
    truth = read_reference(tmp_path / "a.nii.gz", coarse, coarse.data > 0)
    assert truth.shape == coarse.data.shape
    np.testing.assert_allclose(truth[:-1, :-1, :-1], coarse.data[:-1, :-1, :-1], atol=0.05)


def test_a_reference_elsewhere_in_space_is_refused(tmp_path: Path) -> None:
    scan = smooth((12, 12, 12), 1.0)
    away = scan.affine.copy()
    away[0, 3] = 9.0
    write_volume(tmp_path / "a.nii.gz", Volume(scan.data, away))
    with pytest.raises(UserError) as caught:
        read_reference(tmp_path / "a.nii.gz", scan, scan.data > 0)
    assert caught.value.code == "reference_elsewhere"


def test_scores_know_units_and_where() -> None:
    truth = smooth((12, 12, 12), 1.0).data
    where = np.zeros(truth.shape, bool)
    where[2:9, 2:9, 2:9] = True
    wrong = np.where(where, truth + 0.1 * np.percentile(truth[where], 99.5), 0).astype(np.float32)
    measured = scores(wrong, truth, where)
    assert measured["mae"] == pytest.approx(0.1, rel=1e-3)
    assert measured["psnr"] == pytest.approx(20, abs=0.01)
    assert scores(truth, truth, where)["psnr"] is None


def test_slices_are_measured_by_the_truth_or_by_the_other_axes() -> None:
    truth = smooth((20, 20, 20), 2.0).data
    torn = truth + 20 * (np.arange(20) % 2).astype(np.float32)
    where = np.ones(truth.shape, np.bool_)
    assert consistency(truth, truth, where, (2.0, 2.0, 2.0)) == (1, 1, 1)
    x, y, z = (float(value or 0) for value in consistency(torn, truth, where, (2.0, 2.0, 2.0)))
    assert (x, y) == (1, 1) and z > 5
    x, y, z = (float(value or 0) for value in consistency(torn, None, where, (2.0, 2.0, 2.0)))
    assert max(x, y) < 0.5 and z > 2
    assert consistency(np.zeros_like(truth), None, where, (2.0, 2.0, 2.0)) == (None, None, None)
