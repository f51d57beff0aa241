"""A result as a DICOM series: derived from the source, synthetic, and the same voxels at the same place."""

from __future__ import annotations

import subprocess
from pathlib import Path

import dcm2niix
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray

import core
from core.errors import UserError
from core.files.convert import to_nifti
from core.files.dicom_writer import closest, write_series
from core.files.nifti import Stored, read_stored
from core.files.scan_origin import Origin
from tests.contract.phantom import write_phantom
from tests.core.brains import rigid
from tests.core.files.grids import grid_affine, nib
from tests.dicom_files import PERSONAL, Series
from tests.enhanced_files import upright

OBLIQUE = rigid((7.0, -12.0, 3.0), (4.0, -9.0, 30.0)) @ grid_affine((0, 1, 2), (True, True, False), (0.9, 1.0, 2.1))
SHAPE = (10, 12, 9)


def values_of(path: Path) -> NDArray[np.float64]:
    stored = read_stored(path)
    return stored.values * stored.slope + stored.intercept


@pytest.mark.parametrize(("kind", "flip"), [("u1", False), ("i2", True), ("u2", False), ("f4", True), ("i4", False)])
def test_three_readers_read_what_was_written(tmp_path: Path, kind: str, flip: bool) -> None:
    affine = OBLIQUE @ np.diag([1, 1, -1 if flip else 1, 1.0])
    values = np.random.default_rng(0).integers(0, 200, SHAPE).astype(kind)
    slope, intercept = (0.1, -3.5) if kind != "f4" else (1.0, 0.0)
    stored = Stored(np.asfortranarray(values), affine, slope, intercept)
    made = write_series(tmp_path / "series", stored, Origin(), "inpaint", "Computed.")
    expected = upright(nib.Nifti1Image(values * slope + intercept, affine))
    step = 200 / 32767 if kind in ("f4", "i4") else 1e-5
    (tmp_path / "out").mkdir()
    subprocess.run(
        [dcm2niix.bin, "-b", "n", "-z", "n", "-f", "scan", "-o", str(tmp_path / "out"), str(tmp_path / "series")],
        check=True,
        capture_output=True,
    )
    (converted,) = (tmp_path / "out").glob("*.nii")
    own = to_nifti([tmp_path / "series"], tmp_path / "own.nii").path
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "series")))
    sitk.WriteImage(reader.Execute(), tmp_path / "itk.nii")
    for path in (converted, own, tmp_path / "itk.nii"):
        read, place = upright(nib.load(path))
        np.testing.assert_allclose(read, expected[0], atol=step)
        np.testing.assert_allclose(place, expected[1], atol=1e-3)
    # pydicom: voxels of 16 bits as they are stored
    planes = [pydicom.dcmread(path) for path in made]
    assert [int(plane.InstanceNumber) for plane in planes] == list(range(1, SHAPE[2] + 1))
    if kind in ("u1", "i2", "u2"):
        stack = np.stack([plane.pixel_array.T for plane in planes], axis=2)
        np.testing.assert_array_equal(stack[:, :, ::-1] if flip else stack, values)


def test_a_derived_series_names_its_source_and_keeps_the_voxels(tmp_path: Path) -> None:
    inputs = write_phantom(tmp_path)
    given = read_stored(inputs["t1"])
    extra = {(0x20, 0x52): ("UI", "1.2.7"), (0x28, 0x1053): ("DS", "0.1"), (0x28, 0x1052): ("DS", "-3.5"), **PERSONAL}
    series = Series(given.values, given.affine, extra=extra).write(tmp_path / "series")
    done = core.run(
        "inpaint",
        {"t1": series, "mask": inputs["mask"]},
        tmp_path / "out",
        method="shell",
        compare=False,
        dicom=True,
    )
    files = sorted((tmp_path / "out" / "dicom").iterdir())
    planes = [pydicom.dcmread(path) for path in files]
    first = planes[0]
    # of the same patient, study and frame of reference, as a series of its own
    assert (str(first.PatientName), first.PatientID, first.StudyInstanceUID) == ("CANARY^Jane", "CANARY-ID", "1.2.3")
    assert first.FrameOfReferenceUID == "1.2.7" and len(files) == given.values.shape[2]
    assert first.SeriesInstanceUID != "1.2.3.4" and len({plane.SeriesInstanceUID for plane in planes}) == 1
    assert len({plane.SOPInstanceUID for plane in planes}) == len(planes)
    (reference,) = first.ReferencedSeriesSequence
    assert reference.SeriesInstanceUID == "1.2.3.4" and len(reference.ReferencedInstanceSequence) == len(planes)
    for plane in planes:
        (source,) = plane.SourceImageSequence
        assert source.ReferencedSOPInstanceUID == f"1.2.3.4.{plane.InstanceNumber}"
    # synthetic, wherever a reader looks
    assert first.ImageType[0] == "DERIVED" and first.SeriesDescription.startswith("synthetic")
    assert "Synthetic" in first.DerivationDescription and "SYNTHETIC" in first.ImageComments
    # nothing else of the header, and nobody's name in the other files
    assert not {"InstitutionName", "OperatorsName", "ProtocolName", "PatientComments"} & set(first.dir())
    assert all(not element.tag.is_private for element in first)
    assert (
        b"CANARY" not in (tmp_path / "out" / "run.json").read_bytes() + (tmp_path / "out" / "report.html").read_bytes()
    )
    # the result is read back as it is
    back = to_nifti([tmp_path / "out" / "dicom"], tmp_path / "back.nii").path
    np.testing.assert_allclose(values_of(back), values_of(Path(done.files["result"])), atol=1e-5)
    assert any("DICOM series of 28 images" in text for text in done.result.texts("info"))


def test_the_same_result_is_the_same_series_and_a_later_run_clears_it_away(tmp_path: Path) -> None:
    inputs, out = write_phantom(tmp_path), tmp_path / "out"
    names: list[str] = []
    for _ in range(2):
        core.run("inpaint", inputs, out, method="shell", compare=False, dicom=True)
        names.append(str(pydicom.dcmread(out / "dicom" / "counterscan-00001.dcm").SeriesInstanceUID))
    assert names[0] == names[1]
    # a scan that was no DICOM is nobody's
    assert str(pydicom.dcmread(out / "dicom" / "counterscan-00001.dcm").PatientName) == "SYNTHETIC"
    done = core.run("inpaint", inputs, out, method="shell", compare=False)
    assert not (out / "dicom").exists() and "Removed what the run before had left: dicom." in done.result.texts("info")


def test_files_that_are_not_of_a_run_stay(tmp_path: Path) -> None:
    inputs, out = write_phantom(tmp_path), tmp_path / "out"
    core.run("inpaint", inputs, out, method="shell", compare=False, dicom=True)
    # a series that a run made is no place to write to while it is the input
    with pytest.raises(UserError) as caught:
        core.run("inpaint", {**inputs, "t1": out / "dicom"}, out, method="shell", compare=False, dicom=True)
    assert caught.value.code == "input_in_out"
    (out / "dicom" / "mine.dcm").write_bytes(b"mine")
    with pytest.raises(UserError) as caught:
        core.run("inpaint", inputs, out, method="shell", compare=False, dicom=True)
    assert caught.value.code == "write_failed"
    core.run("inpaint", inputs, out, method="shell", compare=False)
    assert [path.name for path in (out / "dicom").iterdir()] == ["mine.dcm"]


def test_a_grid_that_dicom_cannot_hold_is_refused(tmp_path: Path) -> None:
    affine = OBLIQUE.copy()
    affine[:3, 1] += 0.2 * affine[:3, 0]
    stored = Stored(np.zeros(SHAPE, np.int16, order="F"), affine)
    with pytest.raises(UserError) as caught:
        write_series(tmp_path / "series", stored, Origin(), "inpaint", "Computed.")
    assert caught.value.code == "dicom_grid"


def test_of_several_sources_the_one_under_the_result_is_its_origin() -> None:
    stored = Stored(np.zeros(SHAPE, np.int16, order="F"), OBLIQUE)
    affine = np.diag([-1.0, -1.0, 1.0]) @ OBLIQUE[:3]
    places = [tuple((affine[:, 3] + k * affine[:, 2]).tolist()) for k in range(SHAPE[2])]
    own = Origin(series=("1.2", 1), instances=tuple(("c", f"1.2.{k}", place) for k, place in enumerate(places)))
    other = Origin(series=("1.3", 2), instances=(("c", "1.3.0", (0.0, 0.0, 0.0)),))
    placeless = Origin(series=("1.4", 3), instances=(("c", "1.4.0", None),))
    assert closest([placeless, other, own], stored) is own
    assert closest([placeless], stored) is placeless and closest([], stored) == Origin()
