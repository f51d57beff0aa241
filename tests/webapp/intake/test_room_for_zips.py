"""Zips are unpacked only where the disk keeps its reserve, whatever they hold and whoever unpacks them."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from core.errors import UserError
from tests.dicom_files import Series
from tests.webapp.study.folders import write_folder
from webapp.intake.scans import accept, accept_volume
from webapp.intake.spectra_files import accept_tissue
from webapp.services import Services
from webapp.study import image_zip

Give = Callable[[Services, Path], object]


def zipped(folder: Path) -> Path:
    """Return a zip of everything below a folder, in which most bytes are the files' own."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(one for one in folder.rglob("*") if one.is_file()):
            archive.write(file, file.relative_to(folder).as_posix())
    return path


def series(folder: Path) -> Path:
    made = Series(np.arange(8 * 9 * 10, dtype=np.uint16).reshape(8, 9, 10), np.diag([2.0, 2.0, 2.0, 1.0]))
    for number, content in enumerate(made.files()):
        (folder / f"{number}.dcm").write_bytes(content)
    return zipped(folder)


def scan(folder: Path) -> Path:
    values = np.random.default_rng(0).integers(0, 900, (24, 24, 24), dtype=np.int16)
    nib.save(nib.Nifti1Image(values, np.diag([4.0, 4.0, 4.0, 1.0])), folder / "t1.nii")
    return zipped(folder)


def spectra(folder: Path) -> Path:
    for name in ("a", "b"):
        (folder / f"{name}.csv").write_text("".join(f"{at},0.5\n" for at in range(900, 1800, 10)))
    return zipped(folder)


def pictures(folder: Path) -> Path:
    for name in ("benign", "tumour"):
        (folder / name).mkdir()
        for number in range(3):
            Image.new("RGB", (16, 16), (40 * number, 9, 9)).save(folder / name / f"{number}.png")
    return zipped(folder)


def images(folder: Path) -> Path:
    write_folder(folder / "images", 1)
    return zipped(folder / "images")


def given(make: Callable[[Path], Path], tmp_path: Path) -> tuple[Path, int]:
    """Return a zip, and how many bytes it unpacks to."""
    folder = tmp_path / "given"
    folder.mkdir()
    path = make(folder)
    with zipfile.ZipFile(path) as archive:
        return path, sum(member.file_size for member in archive.infolist())


def as_scan(services: Services, path: Path) -> object:
    return accept(services, path, path.name, "a")


def as_volume(services: Services, path: Path) -> object:
    return accept_volume(services, [path], path.name, "a")


def as_tissue(services: Services, path: Path) -> object:
    return accept_tissue(services, [path], "a")


def as_pictures(services: Services, path: Path) -> object:
    return accept_tissue(services, [path], "a", pictures=True)


def as_study(services: Services, path: Path) -> object:
    with image_zip.opened(services, path) as found:
        return found


@pytest.mark.parametrize(
    ("make", "give"),
    [
        (series, as_volume),
        (series, as_scan),
        (scan, as_scan),
        (spectra, as_tissue),
        (pictures, as_pictures),
        (images, as_study),
    ],
)
def test_a_zip_for_which_the_disk_has_no_room_is_refused_unread(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], Path], give: Give
) -> None:
    path, size = given(make, tmp_path)
    before = set(services.settings.data.rglob("*"))
    # not that of all processes of tests
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setattr(services.blobs, "room", lambda: size - 1)
    with pytest.raises(UserError) as refused:
        give(services, path)
    assert refused.value.code == "disk_full"
    assert {one for one in set(services.settings.data.rglob("*")) - before if one.name != "incoming"} == set()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(("make", "give"), [(scan, as_scan), (pictures, as_pictures), (images, as_study)])
def test_one_for_which_there_is_just_room_is_taken(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], Path], give: Give
) -> None:
    path, size = given(make, tmp_path)
    monkeypatch.setattr(services.blobs, "room", lambda: size)
    assert give(services, path)
