"""Data sets of many images on their way in: what is kept names nobody, and a run reads it as the files themselves."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.errors import UserError
from core.failure.data.labelled_patches import Loaded
from core.failure.data.loader import load
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
