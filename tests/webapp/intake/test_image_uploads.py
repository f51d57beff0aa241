"""Data sets of many images on their way in: what is kept names nobody, and a run reads it as the files themselves."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.augment.study_data import study_data
from core.errors import UserError
from core.events import finish
from core.failure.data.labelled_patches import Loaded
from core.failure.data.loader import load
from core.files.array_archive import write_arrays
from tests.core.augment.picture_sets import write_set
from tests.core.augment.test_study_data import settings
from tests.core.failure.data.core_set import write_cores
from webapp.intake.spectra_files import accept_tissue
from webapp.services import Services


def packed(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for each in sorted(folder.iterdir()):
            archive.write(each, each.name)
    return path


def test_a_zip_of_images_is_kept_without_names_of_patients(services: Services, tmp_path: Path) -> None:
    table = write_cores(tmp_path / "set", cores=1, across=2)
    whole = load(table)
    record = accept_tissue(services, [packed(table.parent, tmp_path / "tma.zip")], "a")
    assert record.filename == "tma.zip" and record.warnings == ()
    assert [file["name"] for file in record.facts.pop("files")] == ["tma.zip"]
    assert record.facts == {
        "Holds": "4 images with stained pictures",
        "Size": "48 × 48 × 32",
        "Classes": "normal, tumour",
        "Groups": "4 patients, 3 slides",
    }
    stored = services.blobs.path(record.blob)
    with zipfile.ZipFile(stored) as archive:
        names = archive.namelist()
        assert all(name.endswith((".npz", ".csv")) for name in names)
        assert "P01" not in archive.read("images.csv").decode()
    found = load(stored)
    assert isinstance(found, Loaded) and isinstance(whole, Loaded)
    np.testing.assert_array_equal(found.patches.ir, whole.patches.ir)
    np.testing.assert_array_equal(found.patches.groups, whole.patches.groups)
    np.testing.assert_allclose(np.asarray(found.patches.rgb), np.asarray(whole.patches.rgb), atol=1e-6)
    assert services.dispatcher.submit("a", "failure", {"data": record.id}, {"epochs": 1})


def test_a_zip_of_pictures_is_data_of_the_augmentation_study_alone(services: Services, tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set")
    (folder / "table.csv").write_text(
        "\n".join(
            ["file,patient", *(f"{each.parent.name}/{each.name},{each.name[:3]}" for each in folder.rglob("*.png"))]
        )
    )
    for name in ("a.zip", "b.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for each in sorted(folder.rglob("*.*")):
                archive.write(each, each.relative_to(folder).as_posix())
    with pytest.raises(UserError):
        accept_tissue(services, [tmp_path / "a.zip"], "a")
    record = accept_tissue(services, [tmp_path / "b.zip"], "a", pictures=True)
    facts = {name: record.facts[name] for name in ("Holds", "Size", "Classes", "Groups")}
    assert facts == {
        "Holds": "80 pictures",
        "Size": "12 × 12 pixels as studied",
        "Classes": "benign (40), tumour (40)",
        "Groups": "16 patients or slides",
    }
    stored = services.blobs.path(record.blob)
    ours, kept = (finish(study_data(path, None, settings())) for path in (folder, stored))
    np.testing.assert_array_equal(ours.test.values, kept.test.values)
    np.testing.assert_array_equal(ours.test.groups, kept.test.groups)
    by_name = finish(study_data(stored, None, settings(group_name="{group}_*")))
    np.testing.assert_array_equal(by_name.test.labels, kept.test.labels)


def test_pictures_without_classes_wait_for_a_column_and_others_are_refused(services: Services, tmp_path: Path) -> None:
    rgb = np.arange(40 * 64 * 3).reshape(40, 8, 8, 3) % 251
    np.savez(tmp_path / "a.npz", rgb=rgb.astype(np.uint8), site=np.arange(40) % 2)
    record = accept_tissue(services, [tmp_path / "a.npz"], "a", pictures=True)
    assert record.facts["Columns"] == "site" and "How your data are read" in record.warnings[0]
    data = finish(study_data(services.blobs.path(record.blob), None, settings(label_column="site")))
    assert data.test.classes == ("0", "1")
    folder = write_set(tmp_path / "set", patients=1)
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        for each in (folder / "benign").iterdir():
            archive.write(each, f"benign/{each.name}")
    with pytest.raises(UserError, match="fewer than two classes"):
        accept_tissue(services, [tmp_path / "one.zip"], "a", pictures=True)
    np.savez(tmp_path / "b.npz", rgb=rgb.astype(np.uint8))
    with pytest.raises(UserError, match="no_labels"):
        accept_tissue(services, [tmp_path / "b.npz"], "a", pictures=True)
    assert not (tmp_path / "b.npz").exists()


def test_columns_of_any_name_are_kept(services: Services, tmp_path: Path) -> None:
    spectra = np.random.default_rng(0).random((40, 30)) + 1
    columns = {"allow_pickle": np.arange(40), "a/b": np.arange(40)}
    write_arrays(
        tmp_path / "a.npz", {"X": spectra, "wn": np.linspace(900, 1800, 30), "y": np.arange(40) % 2, **columns}
    )
    record = accept_tissue(services, [tmp_path / "a.npz"], "a")
    assert "allow_pickle" in record.facts["Columns"]


def test_files_dropped_together_are_a_set_too(services: Services, tmp_path: Path) -> None:
    table = write_cores(tmp_path / "set", patients=2, cores=1, across=1)
    record = accept_tissue(services, sorted(table.parent.iterdir()), "a")
    assert record.facts["Holds"] == "2 images with stained pictures"
    assert not list(table.parent.iterdir())


@pytest.mark.parametrize("name", ["core01.dat", "core00_he.png"])
def test_a_set_with_a_damaged_file_leaves_nothing_behind(services: Services, tmp_path: Path, name: str) -> None:
    table = write_cores(tmp_path / "set", patients=2, cores=1, across=1)
    (table.parent / name).write_bytes(b"\x89PNG broken")
    upload = packed(table.parent, tmp_path / "tma.zip")
    with pytest.raises(UserError):
        accept_tissue(services, [upload], "a")
    assert not [path for path in services.blobs.root.rglob("*") if path.is_file()]
    assert not upload.exists()
