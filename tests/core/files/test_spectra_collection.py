"""Many files of single spectra: folder, zip or list, with a table of labels or with folders for classes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.errors import UserError
from core.files.arrays import read_arrays
from core.files.spectra import read_safely
from tests.core.files.vendor import spectrometer_files as made
from tests.core.files.vendor.spectrometer_files import AT, TWO, VALUES, write

NAMES = [f"s{number}" for number in range(4)]


def spectra(folder: Path, suffix: str = ".spa") -> list[Path]:
    folder.mkdir(exist_ok=True)
    scaled = [np.array([(number + 1) * VALUES]) for number in range(4)]
    return [
        write(folder / (name + suffix), made.omnic(values) if suffix == ".spa" else made.spc("<", "floats", values))
        for name, values in zip(NAMES, scaled, strict=True)
    ]


def as_zip(folder: Path, name: str = "a.zip") -> Path:
    with zipfile.ZipFile(folder.parent / name, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return folder.parent / name


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("suffix", [".spa", ".spc"])
def test_a_table_of_labels_beside_single_spectra(tmp_path: Path, suffix: str, packed: bool) -> None:
    folder = tmp_path / "set"
    spectra(folder, suffix)
    (folder / "labels.csv").write_text(
        "Filename;Diagnosis;patient\n" + "".join(f"{name};{'ab'[n % 2]};p{n // 2}\n" for n, name in enumerate(NAMES))
    )
    (folder / ".DS_Store").write_bytes(b"\0")
    found = read_arrays(as_zip(folder) if packed else folder)
    np.testing.assert_allclose(found["spectra"][:, 3] / found["spectra"][0, 3], [1, 2, 3, 4], rtol=1e-5)
    assert found["Diagnosis"].tolist() == ["a", "b", "a", "b"]
    assert found["patient"].tolist() == ["p0", "p0", "p1", "p1"]
    assert found["file"].tolist() == [name + suffix for name in NAMES]


def test_what_the_table_leaves_out_is_left_out(tmp_path: Path) -> None:
    spectra(tmp_path / "set")
    (tmp_path / "set" / "labels.csv").write_text("class,file\na,s0.spa\nb,S2.SPA\n,s3.spa\n")
    found = read_arrays(tmp_path / "set")
    assert found["file"].tolist() == ["s0.spa", "s2.spa", "s3.spa"] and found["class"].tolist() == ["a", "b", ""]


def test_folders_are_classes(tmp_path: Path) -> None:
    for kind in ("benign", "tumour"):
        spectra(tmp_path / kind)
    found = read_arrays(tmp_path)
    assert found["class"].tolist() == ["benign"] * 4 + ["tumour"] * 4


def test_a_list_of_files(tmp_path: Path) -> None:
    paths = spectra(tmp_path / "set")
    table = write(tmp_path / "labels.txt", "name\tclass\n" + "".join(f"{name}\t{name[-1]}\n" for name in NAMES))
    found = read_safely([*paths, table])
    assert found["spectra"].shape == (4, len(AT)) and found["class"].tolist() == ["0", "1", "2", "3"]


def test_other_bands_are_interpolated_and_other_units_refused(tmp_path: Path) -> None:
    for number, first in enumerate((AT[0], AT[0] + 50)):
        shifted = np.linspace(first, AT[-1], 100 + number)
        text = "".join(f"{at},{at / 1000}\n" for at in shifted)
        (tmp_path / f"{number}.dpt").write_text(text)
    found = read_arrays(tmp_path)
    np.testing.assert_allclose(found["spectra"], np.tile(found["wavenumbers"] / 1000, (2, 1)), rtol=1e-5)
    assert found["wavenumbers"].min() >= AT[0] + 50 and "different bands" in str(found["notices"][0])
    write(tmp_path / "3.spa", made.omnic(TWO[:1]))
    with pytest.raises(UserError, match="another unit") as caught:
        read_arrays(tmp_path)
    assert caught.value.code == "patches_mismatch"


def test_tables_of_spectra_are_joined_with_their_columns(tmp_path: Path) -> None:
    for name in "ab":
        rows = "".join(f"{name},{number}," + ",".join(map(str, VALUES)) + "\n" for number in range(3))
        (tmp_path / f"{name}.csv").write_text("class,patient," + ",".join(map(str, AT)) + "\n" + rows)
    found = read_arrays(tmp_path)
    assert found["class"].tolist() == ["a"] * 3 + ["b"] * 3 and found["patient"].tolist() == [0, 1, 2] * 2


def test_a_zip_that_is_a_trap(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../outside.csv", "1000,1\n")
    with pytest.raises(UserError, match="zip_unsafe"):
        read_arrays(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", bytes(300 << 20))
    with pytest.raises(UserError, match="compressed_too_much"):
        read_arrays(tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("a.csv", "1000,1\n")
        archive.writestr("A.csv", "1000,1\n")
    with pytest.raises(UserError, match="zip_unsafe"):
        read_arrays(tmp_path / "c.zip")


def test_a_folder_does_not_lead_out_of_itself(tmp_path: Path) -> None:
    spectra(tmp_path / "elsewhere")
    inside = tmp_path / "set"
    inside.mkdir()
    for path in (tmp_path / "elsewhere").iterdir():
        (inside / path.name).symlink_to(path)
    with pytest.raises(UserError, match="no files"):
        read_arrays(inside)


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cube_unreadable"):
        read_arrays(tmp_path)
    (tmp_path / "a").mkdir()
    paths = [write(tmp_path / "x.spa", made.omnic(TWO[:1])), write(tmp_path / "a" / "x.spa", made.omnic(TWO[:1]))]
    with pytest.raises(UserError, match="same name"):
        read_arrays(*paths)
