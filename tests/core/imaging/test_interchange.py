"""Results open in programs that read with ITK (3D Slicer, ITK-SNAP), with nibabel (FSLeyes), and in FreeSurfer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray

from core.files.nifti import Stored, read_stored
from core.imaging.outcome import write_scan
from core.result import RESULT
from tests.core.brains import rigid
from tests.core.files.grids import grid_affine, nib

SHAPE = (9, 10, 11)
UPRIGHT = grid_affine((0, 1, 2), (True, True, False), (1.2, 1.2, 4.8))
OBLIQUE = rigid((7.0, -12.0, 3.0), (4.0, -9.0, 30.0)) @ grid_affine((2, 0, 1), (False, True, True), (0.9, 1.0, 1.1))
LPS = np.diag([-1.0, -1.0, 1.0])


def written(
    folder: Path, kind: str, affine: NDArray[np.float64], slope: float, intercept: float
) -> tuple[Path, Stored]:
    values = np.random.default_rng(0).integers(0, 120, SHAPE).astype(kind)
    stored = Stored(np.asfortranarray(values), affine, slope, intercept)
    return Path(write_scan(folder, stored, RESULT).path), stored


@pytest.mark.parametrize("kind", ["u1", "i2", "u2", "i4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.1, -3.7)])
@pytest.mark.parametrize("affine", [UPRIGHT, OBLIQUE], ids=["upright", "oblique"])
def test_a_result_opens_everywhere_at_the_same_place(
    tmp_path: Path, kind: str, slope: float, intercept: float, affine: NDArray[np.float64]
) -> None:
    path, stored = written(tmp_path, kind, affine, slope, intercept)
    expected = stored.values * slope + intercept
    image = nib.load(path)
    # one place by both forms, in mm; no type that FreeSurfer does not read
    np.testing.assert_allclose(image.get_qform(), image.get_sform(), atol=1e-4)
    assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (2, 2)
    assert image.header.get_xyzt_units()[0] == "mm"
    assert image.get_data_dtype().kind == "f" or image.get_data_dtype().itemsize <= 4
    assert b"synthetic" in image.header["descrip"].item()
    np.testing.assert_allclose(image.get_fdata(), expected, rtol=1e-6, atol=1e-5)
    if kind == "i4" and slope != 1.0:
        # 32-bit integers of a decimal slope are exact in NIfTI-2 alone, which ITK does not read
        assert isinstance(image, nib.Nifti2Image)
        return
    read = sitk.ReadImage(str(path))
    np.testing.assert_allclose(sitk.GetArrayFromImage(read).T, expected, rtol=1e-6, atol=1e-4)
    direction = np.array(read.GetDirection()).reshape(3, 3) * np.array(read.GetSpacing())
    np.testing.assert_allclose(LPS @ direction, affine[:3, :3], atol=1e-5)
    np.testing.assert_allclose(LPS @ np.array(read.GetOrigin()), affine[:3, 3], atol=1e-4)


def test_a_slight_shear_opens_in_itk_within_half_a_millimetre(tmp_path: Path) -> None:
    affine = UPRIGHT.copy()
    affine[1, 2] += 0.03
    path, stored = written(tmp_path, "i2", affine, 1.0, 0.0)
    read = sitk.ReadImage(str(path))
    for corner in ((0, 0, 0), (8, 0, 10), (8, 9, 10), (0, 9, 10)):
        exact = affine[:3, :3] @ corner + affine[:3, 3]
        assert np.abs(LPS @ np.array(read.TransformIndexToPhysicalPoint(corner)) - exact).max() < 0.5
    # and is exact for those that read the sform
    np.testing.assert_allclose(read_stored(path).affine, affine, atol=1e-6)
    assert stored.other is None and read_stored(path).other is None


def test_64_bit_integers_are_stored_smaller_where_they_fit(tmp_path: Path) -> None:
    for values, kind in (([0, 30000], "i2"), ([-40000, 7], "i4"), ([0, 2**40], "i8")):
        grid = np.resize(np.array(values, np.int64), SHAPE)
        path = Path(write_scan(tmp_path, Stored(np.asfortranarray(grid), UPRIGHT), RESULT).path)
        again = read_stored(path)
        assert again.values.dtype == np.dtype(kind)
        np.testing.assert_array_equal(again.values, grid)
