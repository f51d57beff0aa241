from __future__ import annotations

import gzip
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SeveralVolumes, UserError
from core.files.nifti import Stored, read_stored, write_stored
from tests.dicom_files import PERSONAL, Series
from tests.hostile.corpus import blown_up
from tests.phantom import Phantom, deep_part, make_phantom
from tests.spent import little_work
from tests.webapp.fakes import load, wait_for
from webapp.intake import scan_check
from webapp.intake.scans import accept, accept_result, accept_volume, clean_name
from webapp.services import Services
from webapp.settings import Settings
from webapp.store.records import JobRecord

LPI = np.array([[-5.0, 0, 0, 60], [0, -5, 0, 70], [0, 0, -6, 80], [0, 0, 0, 1]])


def blobs(services: Services) -> list[Path]:
    return [path for path in services.blobs.root.rglob("*") if path.is_file()]


def test_a_scan_is_kept_in_its_own_grid_and_type(services: Services, tmp_path: Path) -> None:
    head = make_phantom(LPI, (30, 32, 28))
    t1, _ = head.write(tmp_path)
    record = accept(services, t1, "t1.nii.gz", "a")
    stored = read_stored(services.blobs.path(record.blob))
    assert stored.values.dtype == np.int16
    np.testing.assert_array_equal(stored.values, head.scan.astype(np.int16))
    assert (record.shape, record.spacing, record.orientation) == ((30, 32, 28), (5.0, 5.0, 6.0), "LPI")
    assert record.facts["head"].startswith("Taken as a whole head")
    assert record.facts["intensity"] == [0.0, float(head.scan.astype(np.int16).max())]
    assert record.facts["extent_mm"] == [150.0, 160.0, 168.0]
    json.dumps(record.facts)
    assert not t1.exists()


def test_shape_and_spacing_follow_ras(services: Services, tmp_path: Path) -> None:
    psr = np.array([[0, 0, 6.0, -80], [-5.0, 0, 0, 60], [0, 4.0, 0, -60], [0, 0, 0, 1]])
    t1, _ = make_phantom(psr, (30, 32, 28)).write(tmp_path)
    record = accept(services, t1, "t1.nii.gz", "a")
    assert (record.shape, record.spacing, record.orientation) == ((28, 30, 32), (6.0, 5.0, 4.0), "PSR")


def test_texts_of_the_header_are_not_kept(services: Services, head: Phantom, tmp_path: Path) -> None:
    image = nib.Nifti1Image(head.scan.astype(np.int16), head.affine)
    image.header["descrip"] = b"CANARY Jane Doe"
    image.header["aux_file"] = b"CANARY"
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"CANARY extension"))
    path = tmp_path / "CANARY.nii.gz"
    nib.save(image, path)
    record = accept(services, path, "shown.nii.gz", "a")
    packed = services.blobs.path(record.blob).read_bytes()
    assert b"CANARY" not in packed and b"CANARY" not in gzip.decompress(packed)


def test_a_mask_belongs_to_its_scan(services: Services, head: Phantom, tmp_path: Path) -> None:
    scan, mask = load(services, head, tmp_path)
    assert (mask.role, mask.parent, mask.shape) == ("mask", scan.id, scan.shape)
    assert mask.facts["voxels"] == int(head.mask.sum())
    assert mask.facts["volume_ml"] == pytest.approx(head.mask.sum() * 6**3 / 1000)


def test_a_mask_needs_a_scan_of_the_same_session(services: Services, head: Phantom, tmp_path: Path) -> None:
    scan, _ = load(services, head, tmp_path)
    for parent, session, code in ((None, "a", "input_missing"), (scan.id, "b", "not_found")):
        _, mask = head.write(tmp_path)
        with pytest.raises(UserError) as refused:
            accept(services, mask, "m.nii.gz", session, "mask", parent)
        assert refused.value.code == code
        assert not mask.exists()


def test_warnings_name_what_is_unusual(services: Services, tmp_path: Path) -> None:
    turn = np.array([[0.966, -0.259, 0], [0.259, 0.966, 0], [0, 0, 1.0]])
    grid = np.eye(4)
    grid[:3, :3] = turn @ np.diag([2.0, 2.0, 8.0])
    head = make_phantom(grid, (30, 30, 30))
    nib.save(nib.Nifti1Image((head.scan - 100).astype(np.float32), grid), tmp_path / "s.nii")
    told = " ".join(accept(services, tmp_path / "s.nii", "s.nii", "a").warnings)
    for word in ("4.0 times longer", "15 degrees", "negative", "60 x 60 x 240 mm"):
        assert word in told


def test_a_header_of_two_places_is_a_warning_and_stays_one(services: Services, head: Phantom, tmp_path: Path) -> None:
    moved = head.affine.copy()
    moved[1, 3] += 12
    write_stored(tmp_path / "two.nii.gz", Stored(head.scan, head.affine, other=moved))
    record = accept(services, tmp_path / "two.nii.gz", "two.nii.gz", "a")
    assert "12 mm apart; the sform was used" in record.warnings[0]
    # a mask made by a program that goes by the qform
    mask = (head.scan > 0) & (np.indices(head.scan.shape)[0] > 0)
    write_stored(tmp_path / "mask.nii.gz", Stored(mask.astype(np.uint8), moved))
    with pytest.raises(UserError) as caught:
        accept(services, tmp_path / "mask.nii.gz", "mask.nii.gz", "a", "mask", record.id)
    assert caught.value.code == "mask_other_place"


def test_an_ordinary_head_gives_no_warning(services: Services, head: Phantom, tmp_path: Path) -> None:
    scan, mask = load(services, head, tmp_path)
    assert scan.warnings == mask.warnings == ()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(1000), "not_nifti"),
        (blown_up(b"", 200), "not_nifti"),
        (b"\x1f\x8b\x08\x00", "gzip_truncated"),
    ],
)
def test_a_hostile_file_leaves_nothing(services: Services, tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "t1.nii.gz"
    path.write_bytes(content)
    with little_work(), pytest.raises(UserError) as refused:
        accept(services, path, "t1.nii.gz", "a")
    assert refused.value.code == code
    assert not path.exists() and not blobs(services) and services.repo.scans("a") == ()


def test_an_upload_that_has_gone(services: Services, tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        accept(services, tmp_path / "gone.nii.gz", "gone.nii.gz", "a")
    assert refused.value.code == "upload_gone"


def test_the_name_is_only_shown(services: Services, head: Phantom, tmp_path: Path) -> None:
    t1, _ = head.write(tmp_path)
    record = accept(services, t1, "../../etc/\x00${alert(1)}\u202e<img src=x>.nii.gz", "a")
    assert record.filename == "${alert(1)}<img src=x>.nii.gz"
    assert all("alert" not in str(path) for path in services.settings.data.rglob("*"))


@given(st.text(max_size=400))
def test_clean_names_are_short_and_printable(name: str) -> None:
    clean = clean_name(name)
    assert 0 < len(clean) <= 120 and "/" not in clean and "\\" not in clean
    assert all(letter.isprintable() or letter.isspace() for letter in clean)
    assert clean_name(clean) == clean


def as_series(head: Phantom, folder: Path) -> list[Path]:
    return sorted(
        Series(head.scan.astype(np.int16), head.affine, thickness=5.0, extra=PERSONAL).write(folder).iterdir()
    )


def texts(services: Services) -> bytes:
    """Return every byte of the database and the stored files, unpacked."""
    files = [path for path in services.settings.data.rglob("*") if path.is_file()]
    return b"".join(gzip.decompress(p.read_bytes()) if p.suffix == ".gz" else p.read_bytes() for p in files)


def test_slices_dropped_together_are_one_scan(services: Services, head: Phantom, tmp_path: Path) -> None:
    slices = as_series(head, tmp_path / "in")
    record = accept(services, slices, "IM0001", "a")
    stored = read_stored(services.blobs.path(record.blob))
    np.testing.assert_array_equal(stored.values, head.scan.astype(np.int16))
    np.testing.assert_allclose(stored.affine, head.affine, atol=1e-3)
    assert (record.facts["slice_thickness_mm"], record.facts["slice_distance_mm"]) == (5.0, 6.0)
    assert "not measured" in record.warnings[0]
    # what a task reads of the kept copy, and the page of the record
    assert (stored.thickness, record.facts["slices"]) == (5.0, [stored.orientation.axes.index(2), 5.0])
    assert not any(path.exists() for path in slices)
    assert not list((services.settings.data / "incoming").iterdir())
    assert b"CANARY" not in texts(services)


def test_a_zip_and_an_mgz_mask_are_taken(services: Services, head: Phantom, tmp_path: Path) -> None:
    packed, lesion = tmp_path / "scan.zip", tmp_path / "lesion.mgz"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in as_series(head, tmp_path / "in"):
            archive.write(path, path.name)
    nib.save(nib.MGHImage(head.mask.astype(np.uint8), head.affine), lesion)
    scan = accept(services, str(packed), "scan.zip", "a")
    mask = accept(services, lesion, "lesion.mgz", "a", "mask", scan.id)
    assert (mask.parent, mask.facts["voxels"]) == (scan.id, int(head.mask.sum()))
    assert not packed.exists() and not lesion.exists()


def test_a_refused_series_leaves_nothing(services: Services, head: Phantom, tmp_path: Path) -> None:
    slices = as_series(head, tmp_path / "in")[:3]
    with pytest.raises(UserError) as refused:
        accept(services, slices, "IM0001", "a")
    assert refused.value.code in ("dicom_few_slices", "dicom_missing_slices")
    assert not any(path.exists() for path in slices) and not blobs(services)
    assert not list((services.settings.data / "incoming").iterdir())
    with pytest.raises(UserError) as refused:
        accept(services, [], "none", "a")
    assert refused.value.code == "upload_gone"


def finished(services: Services, head: Phantom, folder: Path) -> JobRecord:
    """Return a job that is done: the stand-in engine gives the scan itself as the result."""
    scan, mask = load(services, head, folder)
    services.dispatcher.start()
    job = services.dispatcher.submit("a", "inpaint", {"t1": scan.id, "mask": mask.id}, {})
    return wait_for(services, job)


def test_a_result_becomes_a_scan_that_says_what_it_is(services: Services, head: Phantom, tmp_path: Path) -> None:
    job = finished(services, head, tmp_path)
    result = next(one for one in job.artifacts if one.name == "result")
    scan = accept_result(services, "a", result.id, "x" * 200)
    assert scan.role == "volume" and scan.facts["synthetic"] is True
    assert scan.filename.endswith(" (synthetic)") and len(scan.filename) <= 120
    assert services.blobs.path(result.blob).exists() and scan.blob != result.blob
    kept = services.blobs.path(scan.blob)
    np.testing.assert_array_equal(read_stored(kept).values, read_stored(services.blobs.path(result.blob)).values)
    assert b"synthetic, Counterscan" in gzip.decompress(kept.read_bytes())[:348]
    again = accept_result(services, "a", result.id, scan.filename)
    assert again.filename == scan.filename


def test_only_a_result_of_this_session_can_be_sent_on(services: Services, head: Phantom, tmp_path: Path) -> None:
    job = finished(services, head, tmp_path)
    by_name = {one.name: one for one in job.artifacts}
    before = services.repo.scans("a")
    for session, artifact, code in (("b", "result", "not_found"), ("a", "run", "wrong_input")):
        with pytest.raises(UserError) as refused:
            accept_result(services, session, by_name[artifact].id, "t1.nii.gz")
        assert refused.value.code == code
    services.blobs.delete(by_name["result"].blob)
    with pytest.raises(UserError) as refused:
        accept_result(services, "a", by_name["result"].id, "t1.nii.gz")
    assert refused.value.code == "input_gone"
    assert services.repo.scans("a") == before


def folder_of(head: Phantom, folder: Path, *descriptions: str) -> list[Path]:
    """Write a series for each description into one folder."""
    for i, description in enumerate(descriptions):
        values = (head.scan * (i + 1)).astype(np.int16)
        Series(values, head.affine, uid=f"1.2.3.{i}", description=description).write(folder)
    return sorted(folder.iterdir())


def test_one_of_several_series_is_chosen_by_its_number(services: Services, head: Phantom, tmp_path: Path) -> None:
    slices = folder_of(head, tmp_path / "in", "T1", "FLAIR")
    with pytest.raises(SeveralVolumes) as several:
        accept_volume(services, slices, "IM0001", "a")
    assert [title.split(" (")[0] for title in several.value.volumes] == ["“T1”", "“FLAIR”"]
    assert not blobs(services)
    # the files stay, for the choice
    taken = accept_volume(services, slices, "IM0001", "a", 2)
    assert (taken.number, taken.volumes, taken.scan.facts["series"]) == (2, several.value.volumes, "FLAIR")
    stored = read_stored(services.blobs.path(taken.scan.blob))
    np.testing.assert_array_equal(stored.values, (2 * head.scan).astype(np.int16))
    slices[0].unlink()
    with pytest.raises(UserError) as refused:
        accept_volume(services, slices, "IM0001", "a", 1)
    assert refused.value.code == "upload_gone"


def test_an_upload_of_one_volume_is_deleted_once_it_is_read(services: Services, head: Phantom, tmp_path: Path) -> None:
    slices = folder_of(head, tmp_path / "in", "T1")
    taken = accept_volume(services, slices, "IM0001", "a")
    assert (taken.number, len(taken.volumes)) == (1, 1)
    assert not any(path.exists() for path in slices)
    few = folder_of(head, tmp_path / "two", "T1")[:3]
    with pytest.raises(UserError):
        accept_volume(services, few, "IM0001", "a")
    assert not any(path.exists() for path in few)


@pytest.fixture
def brain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quick brain, found in this process."""

    def asked(request: dict[str, Any], work: Path, module: str) -> dict[str, Any]:
        assert module == scan_check.MODULE
        return scan_check.READERS[request["reader"]](request, work)

    monkeypatch.setattr(scan_check, "ask_child", asked)
    monkeypatch.setattr("core.anatomy.face.find_brain", deep_part)


@pytest.mark.usefixtures("brain")
@pytest.mark.parametrize(
    ("rule", "wish", "removed"),
    [("off", True, False), ("offer", False, False), ("offer", True, True), ("always", False, True)],
)
def test_a_face_is_removed_as_setting_and_visitor_want(
    settings: Settings, services: Services, head: Phantom, tmp_path: Path, rule: str, wish: bool, removed: bool
) -> None:
    asked = replace(services, settings=settings.model_copy(update={"deface": rule}))
    t1, _ = head.write(tmp_path)
    before = read_stored(t1)
    record = accept(asked, t1, "t1.nii.gz", "a", deface=wish)
    after = read_stored(services.blobs.path(record.blob))
    changed = after.values != before.values
    assert changed.any() == removed and after.values.dtype == before.values.dtype
    np.testing.assert_array_equal(after.affine, before.affine)
    # in front, and nothing behind
    assert not changed[:, : after.values.shape[1] // 4].any()
    assert ("The face was removed" if removed else "shows a face") in record.facts["face"]


@pytest.mark.usefixtures("brain")
def test_what_shows_nobody_keeps_its_face(settings: Settings, services: Services, tmp_path: Path) -> None:
    asked = replace(services, settings=settings.model_copy(update={"deface": "always"}))
    stripped, _ = make_phantom(skull=False).write(tmp_path)
    assert "face" not in accept(asked, stripped, "t1.nii.gz", "a").facts
    made, _ = make_phantom().write(tmp_path)
    assert "face" not in accept(asked, made, "t1.nii.gz", "a", synthetic=True).facts


def test_a_demo_keeps_no_name_of_a_file(settings: Settings, services: Services, head: Phantom, tmp_path: Path) -> None:
    demo = replace(services, settings=settings.model_copy(update={"public_demo": True}))
    t1, lesion = head.write(tmp_path)
    scan = accept(demo, t1, "CANARY.nii.gz", "a")
    mask = accept(demo, lesion, "CANARY.nii.gz", "a", "mask", scan.id)
    assert re.fullmatch(r"Scan of \d\d:\d\d:\d\d UTC", scan.filename) and mask.filename.startswith("Mask of ")
    assert accept(demo, head.write(tmp_path)[0], "Example", "a", synthetic=True).filename == "Example (synthetic)"
