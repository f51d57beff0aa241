"""Super-resolution of DICOM gives what it gives of the NIfTI file that dcm2niix makes."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dcm2niix
import numpy as np
import pytest
from numpy.typing import NDArray

import core
from core.files.convert import to_nifti
from core.files.nifti import read_stored, write_stored
from core.imaging.superres.run import read_case
from core.tasks import find
from tests.core.files.grids import grid_affine, nib
from tests.dicom_files import Series
from tests.enhanced_files import Enhanced, upright

SHAPE = (56, 60, 10)
AFFINE = grid_affine((0, 1, 2), (True, True, False), (1.2, 1.2, 4.8))
CT = "1.2.840.10008.5.1.4.1.1.2"


def head() -> NDArray[np.int16]:
    """Return an ellipsoid with two shells and a little noise on black."""
    places = np.stack(np.meshgrid(*(np.linspace(-1.2, 1.2, side) for side in SHAPE), indexing="ij"))
    radius = np.sqrt((places**2).sum(axis=0))
    values = np.where(radius < 1, 400 + 250 * np.cos(9 * radius) + 60 * places[0], 0)
    noise = np.random.default_rng(0).normal(0, 3, SHAPE)
    return np.where(values > 0, values + noise, 0).astype(np.int16)


def enhanced(folder: Path) -> None:
    Enhanced(head()[..., np.newaxis], AFFINE, seed=None).write(folder / "all.dcm")


def tilted(folder: Path) -> None:
    affine = AFFINE.copy()
    affine[1, 2] = 0.8
    angle = float(np.degrees(np.arctan(0.8 / 4.8)))
    extra = {(0x08, 0x60): ("CS", "CT"), (0x18, 0x1120): ("DS", f"{angle:.6f}")}
    Series(head(), affine, thickness=4.8, extra=extra, sop_class=CT).write(folder)


def gzipped(folder: Path) -> None:
    for number, data in enumerate(Series(head(), AFFINE).files()):
        (folder / f"{number}.dcm.gz").write_bytes(gzip.compress(data))


def gap(folder: Path) -> None:
    Series(head(), AFFINE, thickness=4.0).write(folder)


def as_nifti(folder: Path, out: Path) -> Path:
    """Return what dcm2niix makes of the files in ``folder``, the straightened one where it makes two."""
    plain, made = out / "plain", out / "made"
    plain.mkdir(parents=True)
    made.mkdir()
    for path in folder.iterdir():
        data = path.read_bytes()
        unpacked = gzip.decompress(data) if path.suffix == ".gz" else data
        (plain / path.name.removesuffix(".gz")).write_bytes(unpacked)
    command = [dcm2niix.bin, "-b", "n", "-z", "n", "-f", "scan", "-o", str(made), str(plain)]
    subprocess.run(command, check=True, capture_output=True)
    return max(made.glob("*.nii"), key=lambda path: ("Tilt" in path.name, path.name))


def result(path: Path) -> tuple[NDArray[Any], NDArray[np.float64]]:
    return upright(nib.load(path))


@pytest.mark.parametrize("write", [enhanced, tilted, gzipped, gap])
def test_the_result_is_that_of_the_nifti_of_dcm2niix(tmp_path: Path, write: Callable[[Path], None]) -> None:
    folder = tmp_path / "series"
    folder.mkdir()
    write(folder)
    nifti = as_nifti(folder, tmp_path / "nifti")
    own = core.run("superres", {"image": folder}, tmp_path / "own", method="cubic", compare=False)
    # a NIfTI file does not state how thick slices are
    thickness = 4.0 if write is gap else 0.0
    theirs = core.run(
        "superres", {"image": nifti}, tmp_path / "theirs", method="cubic", compare=False, thickness=thickness
    )
    (values, affine), (expected, place) = (result(Path(done.files["result"])) for done in (own, theirs))
    np.testing.assert_allclose(values, expected, atol=1e-3 * float(expected.max()))
    np.testing.assert_allclose(affine, place, atol=1e-3)
    # a map of what was measured would hide a wrong grid: the measured one is dcm2niix's, too
    assert own.result.finding("measured_voxels") == theirs.result.finding("measured_voxels")
    assert own.result.finding("thickness") == theirs.result.finding("thickness")


def test_the_command_line_takes_the_thickness_of_the_header(tmp_path: Path) -> None:
    folder = tmp_path / "series"
    folder.mkdir()
    gap(folder)
    command = [sys.executable, "-m", "core", "run", "superres", "--image", str(folder), "--out", str(tmp_path / "out")]
    done = subprocess.run([*command, "--method", "cubic", "--no-compare"], capture_output=True, text=True, check=True)
    assert "leave a gap that was not measured" in done.stderr
    given = core.run("superres", {"image": folder}, tmp_path / "given", method="cubic", compare=False, thickness=4.0)
    touching = core.run(
        "superres", {"image": folder}, tmp_path / "touching", method="cubic", compare=False, thickness=4.8
    )
    own, same, other = (
        read_stored(path).values
        for path in (tmp_path / "out" / "result.nii.gz", *(Path(one.files["result"]) for one in (given, touching)))
    )
    np.testing.assert_array_equal(own, same)
    assert np.abs(own - other).max() > 1


def test_the_thickness_of_an_inpainted_series_stays_known(tmp_path: Path) -> None:
    gap(tmp_path)
    converted = to_nifti([tmp_path], tmp_path / "scan.nii.gz").path
    stored = read_stored(converted)
    changed = stored.replace(np.zeros(stored.ras_shape, bool), np.zeros(stored.ras_shape, np.float32))
    write_stored(tmp_path / "again.nii.gz", changed, "synthetic")
    case = read_case({"image": tmp_path / "again.nii.gz"}, find("superres").parse({}))
    assert case.found.thickness == pytest.approx((1.2, 1.2, 4.0))
