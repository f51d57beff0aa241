"""Files for the failure lab: what is kept of them, what is refused, and that nothing is left behind."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import UserError
from core.failure.data.earlier_run import EarlierRun
from core.failure.data.labelled_patches import Loaded
from core.failure.data.loader import load
from core.failure.data.predictions import Predictions
from core.failure.data.reading_options import Options
from core.failure.reading import READING
from core.failure.results_json import to_json
from tests.core.failure.made_up_patches import BANDS, patches
from tests.webapp.pages.lab_results import results
from webapp.intake.spectra_files import accept_tissue
from webapp.services import Services


def write(path: Path, **more: object) -> Path:
    given = patches(30, level=0.2)
    arrays = {"ir": given.ir, "y": given.labels, "wn": BANDS, "group": given.groups, "rgb": given.rgb, **more}
    known = {name: np.asarray(array) for name, array in arrays.items() if array is not None}
    np.savez(path, allow_pickle=False, **known)
    return path


def image(folder: Path) -> Path:
    values = 0.5 + 0.01 * np.random.default_rng(0).standard_normal((96, 96, 6))
    np.savez(folder / "map.npz", cube=values.astype(np.float32), wn=np.linspace(1000, 1700, 6))
    return folder / "map.npz"


def kept(services: Services) -> list[Path]:
    return [path for path in services.blobs.root.rglob("*") if path.is_file()]


def test_patches_are_kept_as_arrays_and_described(services: Services, tmp_path: Path) -> None:
    upload = write(tmp_path / "my patches.npz", secret=np.array("Jane Doe"))
    size, digest = upload.stat().st_size, hashlib.sha256(upload.read_bytes()).hexdigest()
    record = accept_tissue(services, [upload], "a")
    assert not upload.exists()
    assert (record.role, record.filename) == ("tissue", "my patches.npz")
    assert record.facts == {
        "Holds": "Patches of 6 × 6 pixels with stained pictures",
        "Size": "30 patches",
        "Values": "absorbance",
        "Bands": "14, 950 to 1800 cm⁻¹",
        "Classes": "0, 1, 2",
        "Groups": "6 patients or slides",
        "Columns": "y, group",
        "files": [{"name": "my patches.npz", "bytes": size, "sha256": digest}],
    }
    stored = services.blobs.path(record.blob)
    with np.load(stored, allow_pickle=False) as arrays:
        assert set(arrays.files) == {"ir", "y", "wn", "group", "rgb"}
    found = load(stored)
    assert isinstance(found, Loaded)
    np.testing.assert_array_equal(found.patches.ir, patches(30, level=0.2).ir)


def test_without_groups_the_card_warns(services: Services, tmp_path: Path) -> None:
    record = accept_tissue(services, [write(tmp_path / "a.npz", group=None)], "a")
    assert record.facts["Groups"] == "not known"
    assert any("patient" in line or "group" in line.lower() for line in record.warnings)


def test_answers_of_a_model_are_told_from_patches(services: Services, tmp_path: Path) -> None:
    given = patches(60, level=0.4)
    np.savez(tmp_path / "a.npz", logits=np.eye(3)[given.labels], y=given.labels, spectra=given.ir.mean(axis=(2, 3)))
    record = accept_tissue(services, [tmp_path / "a.npz"], "a")
    assert record.facts["Holds"] == "Answers of a model"
    assert record.facts["Size"] == "60 answers"
    assert isinstance(load(services.blobs.path(record.blob)), Predictions)


def test_an_image_waits_for_its_labels(services: Services, tmp_path: Path) -> None:
    data = accept_tissue(services, [image(tmp_path)], "a")
    assert data.facts["Holds"] == "An infrared image without labels"
    assert "label picture" in data.warnings[0]
    numbers = np.ones((96, 96), np.uint8)
    numbers[:, 48:] = 2
    Image.fromarray(numbers).save(tmp_path / "labels.png")
    labels = accept_tissue(services, [tmp_path / "labels.png"], "a", data.id)
    assert labels.parent == data.id
    assert labels.facts["Holds"] == "Patches of 24 × 24 pixels"
    found = load(services.blobs.path(data.blob), services.blobs.path(labels.blob))
    assert isinstance(found, Loaded)
    assert len(found.patches) == 16


def test_labels_of_another_size_are_refused_and_nothing_stays(services: Services, tmp_path: Path) -> None:
    data = accept_tissue(services, [image(tmp_path)], "a")
    before = kept(services)
    Image.fromarray(np.ones((20, 20), np.uint8)).save(tmp_path / "labels.png")
    with pytest.raises(UserError):
        accept_tissue(services, [tmp_path / "labels.png"], "a", data.id)
    assert kept(services) == before
    assert not (tmp_path / "labels.png").exists()


def test_labels_of_another_visitors_data_are_refused(services: Services, tmp_path: Path) -> None:
    data = accept_tissue(services, [image(tmp_path)], "a")
    Image.fromarray(np.ones((96, 96), np.uint8)).save(tmp_path / "labels.png")
    with pytest.raises(UserError, match="nothing here") as caught:
        accept_tissue(services, [tmp_path / "labels.png"], "b", data.id)
    assert caught.value.code == "not_found"


@pytest.mark.parametrize("content", [b"PK\x03\x04 nothing", b"\x89PNG", b""])
def test_what_is_no_spectrum_leaves_nothing_behind(services: Services, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(UserError):
        accept_tissue(services, [tmp_path / "a.npz"], "a")
    assert kept(services) == []
    assert not (tmp_path / "a.npz").exists()


def test_answers_that_promise_more_than_there_is_leave_nothing_behind(services: Services, tmp_path: Path) -> None:
    upload = tmp_path / "a.npz"
    np.savez(upload, y=np.arange(60) % 3, spectra=np.ones((60, 5)))
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (60, 99999999999), }"
    with zipfile.ZipFile(upload, "a") as archive:
        archive.writestr("logits.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + bytes(1000))
    with pytest.raises(UserError) as caught:
        accept_tissue(services, [upload], "a")
    assert caught.value.code in ("cube_unreadable", "cube_too_large")
    assert kept(services) == []
    assert not upload.exists()


def test_answers_packed_a_thousandfold_are_refused(services: Services, tmp_path: Path) -> None:
    upload = tmp_path / "a.npz"
    logits = np.zeros((60, 1_000_000), np.uint8)
    np.savez_compressed(upload, logits=logits, y=np.arange(60) % 3, spectra=np.ones((60, 5)))
    assert upload.stat().st_size < logits.size / 900
    with pytest.raises(UserError) as caught:
        accept_tissue(services, [upload], "a")
    assert caught.value.code == "cube_too_large"
    assert kept(services) == []


def test_a_pickle_is_not_opened(services: Services, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", ir=np.array([{"a": 1}], dtype=object), y=np.zeros(1), allow_pickle=True)
    with pytest.raises(UserError):
        accept_tissue(services, [tmp_path / "a.npz"], "a")
    assert kept(services) == []


def test_a_job_takes_tissue_for_its_data_and_no_scan(services: Services, tmp_path: Path) -> None:
    record = accept_tissue(services, [write(tmp_path / "a.npz")], "a")
    assert services.dispatcher.submit("a", "failure", {"data": record.id}, {"epochs": 1})
    with pytest.raises(UserError) as caught:
        services.dispatcher.submit("a", "inpaint", {"t1": record.id, "mask": record.id}, {})
    assert caught.value.code == "wrong_input"


def test_data_that_need_a_setting_are_kept_and_it_is_named(services: Services, tmp_path: Path) -> None:
    spectra = 0.2 + np.random.default_rng(0).random((12, 9))
    np.savez(tmp_path / "a.npz", spectra=spectra, batch=np.arange(12) % 2, ward=np.arange(12) % 3)
    record = accept_tissue(services, [tmp_path / "a.npz"], "a")
    assert record.facts["Holds"] == "Data that need one more setting"
    assert record.facts["Columns"] == "batch, ward" and READING in record.warnings[0]
    stored = services.blobs.path(record.blob)
    with pytest.raises(UserError, match="no_labels"):
        load(stored)
    found = load(stored, None, Options(positions=(1000, 1800), labels="batch", groups="ward"))
    assert isinstance(found, Loaded) and found.patches.groups is not None
    assert found.patches.classes == ("0", "1") and len(np.unique(found.patches.groups)) == 3


@pytest.mark.parametrize("way", ["json", "files", "zip"])
def test_the_results_of_an_earlier_run_are_kept_as_they_are(services: Services, tmp_path: Path, way: str) -> None:
    text = to_json(results())
    (tmp_path / "results.json").write_text(text)
    (tmp_path / "run.json").write_text("{}")
    uploads = [tmp_path / "results.json", *([tmp_path / "run.json"] if way == "files" else [])]
    if way == "zip":
        with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
            archive.write(tmp_path / "results.json", "out/results.json")
        uploads = [tmp_path / "out.zip"]
    record = accept_tissue(services, uploads, "a")
    assert record.facts["Holds"] == "Results of an earlier run" and record.facts["Size"] == "3 models"
    found = load(services.blobs.path(record.blob))
    assert isinstance(found, EarlierRun) and found.text.decode() == text


def test_results_that_contradict_themselves_leave_nothing_behind(services: Services, tmp_path: Path) -> None:
    broken = results()
    (tmp_path / "results.json").write_text(to_json(replace(broken, data=replace(broken.data, classes=("one",)))))
    with pytest.raises(UserError) as caught:
        accept_tissue(services, [tmp_path / "results.json"], "a")
    assert caught.value.code == "bad_results" and kept(services) == []
