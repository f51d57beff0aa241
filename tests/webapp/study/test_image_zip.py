from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from core.errors import UserError
from tests.webapp.study.folders import write_folder
from webapp.services import Services
from webapp.study import creation as making
from webapp.study import design
from webapp.study import image_zip as packed


def zipped(folder: Path, above: str = "") -> Path:
    """Return a zip of a small folder, its members under ``above``."""
    write_folder(folder / "images", 2)
    path = folder / "images.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted((folder / "images").rglob("*.nii.gz")):
            archive.write(file, f"{above}{file.relative_to(folder / 'images')}")
        archive.writestr("__MACOSX/._case0.nii.gz", b"litter")
        archive.writestr("readme.txt", b"words")
    return path


@pytest.mark.parametrize("above", ["", "my study/images/"])
def test_folders_in_a_zip_are_methods(services: Services, tmp_path: Path, above: str) -> None:
    with packed.opened(services, zipped(tmp_path, above)) as found:
        assert {(one["method"], one["case"], one["truth"]) for one in found} == {
            (method, case, "real" if method == "truth" else "synthetic")
            for method in ("truth", "ours", "mean")
            for case in ("case0", "case1")
        }
        assert all((one["region"] is None) == (one["truth"] == "real") for one in found)
        asked = design.parse({"title": "T", "ask": {"prefer": True}, "images": found})
        made, _ = making.create(services, asked, None)
    assert len(services.studies.items(made)) == 6
    assert list((services.settings.data / "incoming").iterdir()) == []


def test_images_without_a_method_are_refused(services: Services, tmp_path: Path) -> None:
    write_folder(tmp_path / "images", 1)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "images" / "ours" / "case0.nii.gz", "case0.nii.gz")
    with pytest.raises(UserError, match="METHOD/CASE"), packed.opened(services, tmp_path / "a.zip"):
        pass
    assert list((services.settings.data / "incoming").iterdir()) == []


def test_two_images_of_one_case_are_refused(services: Services, tmp_path: Path) -> None:
    write_folder(tmp_path / "images", 1)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for site in ("s1", "s2"):
            archive.write(tmp_path / "images" / "ours" / "case0.nii.gz", f"{site}/ours/case0.nii.gz")
    with pytest.raises(UserError, match="one METHOD/CASE"), packed.opened(services, tmp_path / "a.zip"):
        pass


def test_a_zip_that_is_none_is_refused(services: Services, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK no")
    with pytest.raises(UserError, match="zip_damaged"), packed.opened(services, tmp_path / "a.zip"):
        pass
