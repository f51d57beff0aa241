from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import UserError
from core.files.nifti import read_stored
from core.files.nifti_writer import fresh_header, write_nifti
from tests.core.files.grids import SHAPE, grid_affine, nib, random_values

RAS = grid_affine((0, 1, 2), (False, False, False), (1.0, 1.0, 1.0))


def test_header_is_nifti1_where_floats_suffice() -> None:
    header = fresh_header(SHAPE, np.dtype("i2"), RAS, 1.0, 0.0, "")
    assert len(header) == 352
    assert header[344:348] == b"n+1\0"


@pytest.mark.parametrize(("kind", "slope"), [("i4", 0.1), ("i2", 1.0)])
def test_header_is_nifti2_where_floats_would_move_things(tmp_path: Path, kind: str, slope: float) -> None:
    affine = RAS.copy()
    affine[0, 3] = -31.5 if slope == 0.1 else 50000.001
    values = random_values(kind)
    write_nifti(tmp_path / "a.nii", values, affine, slope, 0.0, "")
    assert (tmp_path / "a.nii").read_bytes()[4:12] == b"n+2\0\r\n\032\n"
    again = read_stored(tmp_path / "a.nii")
    assert again.slope == slope
    np.testing.assert_array_equal(again.affine, affine)
    np.testing.assert_array_equal(nib.load(tmp_path / "a.nii").get_fdata(), values * slope)


@pytest.mark.parametrize("kind", ["u1", "i2", "u2", "f4"])
def test_header_is_nifti1_where_a_slope_is_rounded_by_less_than_a_step(kind: str) -> None:
    # slopes of DICOM are decimal
    for slope, intercept in ((0.1, 0.0), (3.14159, -1024.3)):
        assert fresh_header(SHAPE, np.dtype(kind), RAS, slope, intercept, "")[344:348] == b"n+1\0"


def test_a_sheared_grid_has_no_qform_where_that_would_be_another_place(tmp_path: Path) -> None:
    affine = RAS.copy()
    affine[0, 1] = 0.25
    write_nifti(tmp_path / "a.nii", random_values("u1"), affine, 1.0, 0.0, "")
    header = nib.load(tmp_path / "a.nii").header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (0, 2)
    np.testing.assert_array_equal(read_stored(tmp_path / "a.nii").affine, affine)


def test_long_description_is_cut(tmp_path: Path) -> None:
    write_nifti(tmp_path / "a.nii", random_values("u1"), RAS, 1.0, 0.0, "é" + "x" * 200)
    assert nib.load(tmp_path / "a.nii").header["descrip"].item() == b"?" + b"x" * 78


@pytest.mark.parametrize("name", ["a.mgz", "a.gz", "nii"])
def test_other_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="NIfTI name"):
        write_nifti(tmp_path / name, random_values("u1"), RAS, 1.0, 0.0, "")


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.nii"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.files.nifti_writer.os.fsync", full)
    with pytest.raises(UserError) as caught:
        write_nifti(path, random_values("u1"), RAS, 1.0, 0.0, "")
    assert caught.value.code == "write_failed"
    assert [file.name for file in tmp_path.iterdir()] == ["a.nii"]
    assert path.read_bytes() == b"old"


def test_missing_folder_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        write_nifti(tmp_path / "none" / "a.nii", random_values("u1"), RAS, 1.0, 0.0, "")
    assert caught.value.code == "write_failed"


BALL = np.linalg.norm(np.indices((60, 60, 60)) - 30, axis=0) < 25
NOISE = np.where(BALL, np.random.default_rng(0).normal(100, 10, BALL.shape), 0)


# noise, integers as floats and with a slope, a label map, one voxel, and none of a plane's middle
@pytest.mark.parametrize(
    "values",
    [
        NOISE.astype(np.float32),
        np.round(NOISE).astype(np.float32),
        (1.37 * np.round(NOISE)).astype(np.float32),
        np.kron(np.random.default_rng(0).integers(0, 5, (6, 6, 6)), np.ones((10, 10, 10))).astype(np.int16),
        np.where(np.arange(60) == 30, 0, NOISE).astype(np.float32),
        np.zeros((60, 60, 60), np.uint8),
    ],
)
def test_a_packed_file_has_neither_name_nor_time_and_is_as_small_as_of_level_4(
    tmp_path: Path, values: NDArray[Any]
) -> None:
    write_nifti(tmp_path / "a.nii.gz", values, RAS, 1.0, 0.0, "")
    data = (tmp_path / "a.nii.gz").read_bytes()
    # no name, no comment, no time
    assert data[:8] == b"\x1f\x8b\x08" + bytes(5)
    whole = gzip.decompress(data)
    assert whole.endswith(values.tobytes(order="F"))
    assert len(data) < 1.15 * len(gzip.compress(whole, 4)) + 100


def test_writing_loads_no_reader_of_dicom() -> None:
    loads = "import sys, core.files.nifti; before = 'pydicom' in sys.modules, 'requests' in sys.modules; import pydicom"
    code = f"{loads}; sys.exit(any(before) or pydicom is None)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
