"""Data sets of many images: what is read of them, by what names, and within which bounds."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import UserError
from core.failure.data import image_patches
from core.failure.data.dataset import user_dataset
from core.failure.data.image_patches import Window
from core.failure.data.image_sets import BY_IMAGE, BY_SLIDE
from core.failure.data.labelled_patches import Loaded
from core.failure.data.loader import load
from core.failure.data.reading_options import Options
from tests.core.failure.data.core_set import write_cores


@pytest.fixture(scope="module")
def cores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of one core of each of four patients, two of each class."""
    return write_cores(tmp_path_factory.mktemp("cores") / "set", cores=1, across=2)


def read(path: Path, options: Options | None = None) -> Loaded:
    found = load(path, None, options)
    assert isinstance(found, Loaded)
    return found


def copied(table: Path, folder: Path, *, rows: str | None = None) -> Path:
    """A copy of the set, with another table."""
    folder.mkdir()
    for path in table.parent.iterdir():
        (folder / path.name).hardlink_to(path)
    (folder / table.name).unlink()
    if rows is not None:
        (folder / table.name).write_text(rows)
    return folder / table.name


def packed(folder: Path) -> Path:
    with zipfile.ZipFile(folder.parent / "set.zip", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"set/{path.name}")
    return folder.parent / "set.zip"


@pytest.mark.parametrize("how", ["table", "folder", "zip"])
def test_a_table_of_images_with_classes_patients_and_stained_pictures(cores: Path, how: str) -> None:
    loaded = read({"table": cores, "folder": cores.parent, "zip": packed(cores.parent)}[how])
    found = loaded.patches
    assert found.classes == ("normal", "tumour") and found.ir.shape == (16, 32, 24, 24)
    assert found.rgb is not None and found.rgb.shape == (16, 3, 48, 48) and found.groups is not None
    assert np.bincount(found.groups).tolist() == [4] * 4
    assert loaded.notices == ()
    # the first patch of the first image, and its picture
    cube = np.fromfile(cores.parent / "core00.dat", "<f4").reshape(48, 48, 32)
    np.testing.assert_array_equal(found.ir[0], cube[:24, :24].transpose(2, 0, 1))
    picture = np.asarray(Image.open(cores.parent / "core00_he.png"), np.float32) / 255
    np.testing.assert_allclose(found.rgb[3], picture[48:, 48:].transpose(2, 0, 1), atol=1e-6)
    dataset = user_dataset(loaded, 0)
    train, test = dataset.train.groups, dataset.tests["id"].groups
    assert train is not None and test is not None and not set(train) & set(test)


def test_label_pictures_by_the_names_of_files(cores: Path, tmp_path: Path) -> None:
    folder = copied(cores, tmp_path / "set").parent
    found = read(folder, Options(classes=("lesion", "healthy")))
    # a quarter of each image has no label
    assert len(found.patches) == 4 * 3 and found.patches.classes == ("healthy", "lesion")
    assert found.patches.rgb is not None and found.notices == (BY_IMAGE,)
    merged = read(folder, Options(classes=("1=lesion",))).patches
    assert merged.classes == ("2", "lesion")


def test_a_table_with_label_pictures_and_slides_alone(cores: Path, tmp_path: Path) -> None:
    rows = "Image;Mask;Slide\n" + "".join(f"core{n:02}.hdr;core{n:02}_labels.png;T{n // 2}\n" for n in range(4))
    found = read(copied(cores, tmp_path / "set", rows=rows))
    assert found.patches.rgb is None and len(np.unique(np.asarray(found.patches.groups))) == 2
    assert found.notices == (BY_SLIDE,)


def test_an_image_without_a_label_and_one_without_a_picture(cores: Path, tmp_path: Path) -> None:
    rows = cores.read_text().replace("core00.hdr,tumour", "core00.hdr,").replace(",core01_he.png", ",")
    found = read(copied(cores, tmp_path / "set", rows=rows))
    assert len(found.patches) == 12 and found.patches.rgb is None
    assert {"An image without labels was left out.", "Some images have no stained picture, so none is used."} <= set(
        found.notices
    )


def test_the_room_is_shared_between_images_and_classes(cores: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(cores, Options(window=Window(most=8)))
    assert found.patches.groups is not None and np.bincount(found.patches.groups).tolist() == [2] * 4
    assert found.notices == ("8 of 16 patches were taken, evenly over images and classes.",)
    # of 24 x 24 pixels with 32 bands and 4 x 3 colours, as 32-bit numbers
    monkeypatch.setattr(image_patches, "PATCH_BYTES", 5 * 24 * 24 * 44 * 4)
    assert len(read(cores).patches) == 5


def test_one_image_is_in_memory_at_a_time(cores: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a set ten times as large no more is held: the patches that were taken, and one image."""
    from core.failure.data import image_sets

    held: list[int] = []
    keep = image_sets._Gathered._keep

    def counted(self: image_sets._Gathered, *given: object) -> None:
        keep(self, *given)  # type: ignore[arg-type]
        held.append(sum(part.ir.nbytes for part in self._parts))
        # no part is a view of its image
        assert all(part.ir.base is None for part in self._parts)

    monkeypatch.setattr(image_sets._Gathered, "_keep", counted)
    read(cores, Options(window=Window(most=4)))
    assert len(held) == 4 and held[-1] == 4 * 24 * 24 * 32 * 4


def test_other_bands_are_interpolated(cores: Path, tmp_path: Path) -> None:
    table = copied(cores, tmp_path / "set", rows=cores.read_text())
    header = table.parent / "core03.hdr"
    text = header.read_text()
    waves = [float(each) for each in text.split("{")[1].strip("}\n ").split(",")]
    header.unlink()
    header.write_text(
        text.split("wavelength = ")[0] + f"wavelength = {{{', '.join(f'{at + 0.5:.2f}' for at in waves)}}}\n"
    )
    found = read(table)
    assert len(found.patches) == 16 and any("interpolated" in notice for notice in found.notices)
    header.write_text(
        text.split("wavelength = ")[0] + f"wavelength = {{{', '.join(f'{at + 900:.2f}' for at in waves)}}}\n"
    )
    with pytest.raises(UserError, match=r"core03\.hdr") as caught:
        read(table)
    assert caught.value.code == "patches_mismatch"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("core03.hdr", "core55.hdr"), "manifest_wrong"),
        (("core03_he.png", "nothing.png"), "manifest_wrong"),
        (("core03_he.png", "../../secret.png"), "manifest_wrong"),
        (("tumour", "normal"), "no_labels"),
    ],
)
def test_a_table_that_is_wrong(cores: Path, tmp_path: Path, change: tuple[str, str], code: str) -> None:
    (tmp_path / "secret.png").write_bytes(b"")
    table = copied(cores, tmp_path / "set", rows=cores.read_text().replace(*change))
    with pytest.raises(UserError) as caught:
        read(table)
    assert caught.value.code == code


def test_a_picture_of_another_form_is_refused(cores: Path, tmp_path: Path) -> None:
    table = copied(cores, tmp_path / "set", rows=cores.read_text())
    picture = table.parent / "core02_he.png"
    picture.unlink()
    Image.fromarray(np.zeros((48, 96, 3), np.uint8)).save(picture)
    with pytest.raises(UserError, match="mask_mismatch"):
        read(table)
    picture.unlink()
    # a picture as fine as it likes is brought to that of the first image
    Image.fromarray(np.full((145, 144, 3), 100, np.uint8)).save(picture)
    found = read(table).patches.rgb
    assert found is not None and found[8].shape == (3, 48, 48) and found[8].mean() == pytest.approx(100 / 255, abs=1e-3)


def test_one_image_dropped_with_its_label_picture_and_notes(cores: Path, tmp_path: Path) -> None:
    for name, own in (("core00.hdr", "map.hdr"), ("core00.dat", "map.dat"), ("core00_labels.png", "mask.png")):
        (tmp_path / own).hardlink_to(cores.parent / name)
    (tmp_path / "notes.md").write_text("measured in spring")
    (tmp_path / "photograph.jpg").write_bytes(b"\xff\xd8\xff")
    # of one class alone
    with pytest.raises(UserError, match="no_labels"):
        read(tmp_path)
    mask = np.repeat([[1, 2]], 48, axis=0).repeat(24, axis=1).astype(np.uint8)
    (tmp_path / "mask.png").unlink()
    Image.fromarray(mask).save(tmp_path / "mask.png")
    assert read(tmp_path).patches.classes == ("1", "2")


def test_a_damaged_image_is_named(cores: Path, tmp_path: Path) -> None:
    table = copied(cores, tmp_path / "set", rows=cores.read_text())
    data = table.parent / "core01.dat"
    stored = data.read_bytes()
    data.unlink()
    data.write_bytes(stored[:-8])
    with pytest.raises(UserError, match=r"core01\.hdr"):
        read(table)
