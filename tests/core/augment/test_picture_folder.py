"""Pictures in folders of classes: what is read of a stranger's folder, what is left out, and what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.augment.image_set import StudyData, imbalance, require_enough
from core.augment.labelled_pictures import NO_PATIENTS, group_in
from core.augment.study_data import study_data
from core.errors import UserError
from core.events import finish
from core.failure.data.loader import load
from core.files.decoder import READERS, _outcome
from tests.core.augment.picture_sets import pixels, write_set
from tests.core.augment.test_study_data import settings


def decoded(request: dict[str, Any], work: Path) -> dict[str, Any]:
    """Do in this process what a process of its own does."""
    return _outcome(READERS[request["reader"]], request, work)


def read(path: Path, **params: object) -> StudyData:
    return finish(study_data(path, None, settings(**params)))


def packed(folder: Path, path: Path, root: str = "set") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for each in sorted(folder.rglob("*")):
            if each.is_file():
                archive.write(each, f"{root}/{each.relative_to(folder).as_posix()}")
    return path


def code_of(path: Path, **params: object) -> str:
    with pytest.raises(UserError) as caught:
        read(path, **params)
    return caught.value.code


@pytest.fixture(autouse=True)
def without_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decode in this process, which takes a tenth of the time; one test is without."""
    if "in_a_process_of_its_own" not in request.node.name:
        monkeypatch.setattr("core.files.pictures.ask_child", decoded)
        monkeypatch.setattr("core.files.spectra.ask_child", decoded)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(tmp_path_factory.mktemp("pictures") / "set")


def test_folders_are_classes_and_pixels_stay_as_they_are(folder: Path) -> None:
    data = read(folder)
    assert data.test.classes == ("benign", "tumour") and data.test.kind == "rgb"
    assert NO_PATIENTS in data.notices and len(data.pools[0]) + len(data.test) == 80
    values = np.concatenate([data.pools[0].values, data.test.values])
    wanted = pixels(1003, 150).transpose(2, 0, 1) / 255
    assert np.abs(values - wanted).max(axis=(1, 2, 3)).min() < 1e-4


def test_pictures_are_decoded_in_a_process_of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(folder).test.values
    monkeypatch.setattr("core.files.pictures.ask_child", decoded)
    assert (read(folder).test.values == found).all()
    monkeypatch.setattr("core.files.pictures.ask_child", lambda *_: {"error": ["import_memory", "Much.", "Less."]})
    assert code_of(folder) == "import_memory"


def test_a_zip_gives_what_the_folder_gives(folder: Path, tmp_path: Path) -> None:
    ours, zipped = read(folder), read(packed(folder, tmp_path / "set.zip"))
    assert (ours.test.values == zipped.test.values).all() and ours.notices == zipped.notices


def test_patients_are_in_the_names_of_files_or_of_folders(folder: Path, tmp_path: Path) -> None:
    data = read(folder, group_name="{group}_*")
    assert NO_PATIENTS not in data.notices
    assert len(set(data.pools[0].groups) | set(data.test.groups)) == 16
    assert not set(data.pools[0].groups) & set(data.test.groups)
    nested = tmp_path / "nested"
    for each in folder.rglob("*.png"):
        patient, number = each.stem.split("_")
        place = nested / each.parent.name / patient / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.hardlink_to(each)
    assert len(set(read(nested, group_name="{group}/*").test.groups)) == len(set(data.test.groups))
    assert code_of(folder, group_name="{group}-*") == "no_groups"
    assert code_of(folder, group_name="P*") == "bad_parameter"
    assert code_of(folder, group_name="{group}*_*") == "bad_parameter"


@pytest.mark.parametrize(
    ("name", "pattern", "group"),
    [
        ("a/P1_2_3.png", "{group}_*", "P1"),
        ("a/scan-P1-left.png", "scan-{group}-*", "P1"),
        ("a/x_P1.png", "*_{group}.png", "P1"),
        ("a/x_y_P1.png", "*_*_{group}.png", "P1"),
        ("P1/deep/1.png", "{group}/*/*", "P1"),
    ],
)
def test_a_pattern_finds_the_patient(name: str, pattern: str, group: str) -> None:
    assert group_in(name, pattern) == group


def test_a_table_gives_classes_and_patients(folder: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    rows = ["picture,diagnosis,patient,site"]
    for number, each in enumerate(sorted(folder.rglob("*.png"))):
        (flat / f"{number}.png").hardlink_to(each)
        if number:
            rows.append(f"{number}.png,{each.parent.name},{each.stem[:3]},{'xy'[number % 2]}")
    (flat / "table.csv").write_text("\n".join(rows))
    data = read(flat)
    assert data.test.classes == ("benign", "tumour")
    assert len(set(data.pools[0].groups) | set(data.test.groups)) == 16
    assert "1 picture that the table does not name was left out." in data.notices
    assert read(flat, label_column="site").test.classes == ("x", "y")
    # two pictures of one name, and a table that has no folders
    twice = write_set(tmp_path / "twice", patients=2)
    for each in twice.rglob("*.png"):
        each.rename(each.with_name(f"{each.stem.split('_')[1]}.png"))
    (twice / "table.csv").write_text("\n".join(["file,patient", *(f"{number}.png,P{number}" for number in range(10))]))
    assert code_of(twice) == "manifest_wrong"


def test_what_is_odd_is_read_or_left_out_with_a_word(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set")
    odd = folder / "benign"
    (odd / "broken.png").write_bytes(b"no picture")
    (odd / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(40))
    (odd / ".hidden.png").write_bytes(b"x")
    (folder / "Thumbs.db").write_bytes(b"x")
    (folder / "stray.png").write_bytes((odd / "P00_0.png").read_bytes())
    grey = np.arange(144).reshape(12, 12)
    Image.fromarray(grey.astype(np.uint8)).save(odd / "grey.png")
    Image.fromarray((grey * 28).astype(np.uint16)).save(odd / "deep.png")
    clear = np.dstack([pixels(1, 9), np.full((12, 12), 0, np.uint8)])
    Image.fromarray(clear).save(odd / "clear.png")
    Image.fromarray(pixels(2, 9)).resize((40, 24)).save(odd / "large.png")
    Image.fromarray(pixels(3, 9)[:2, :2]).save(odd / "tiny.png")
    data = read(folder)
    text = " ".join(data.notices)
    assert "3 files could not be read" in text and "broken.png, cut.jpg, tiny.png." in text
    assert "1 picture in no folder of a class was left out" in text
    assert "no number above 4095" in text and "3 of 84 pictures are grey" in text
    assert "Clear parts of 1 picture were made white" in text and "cut to their central squares" in text
    values = np.concatenate([data.pools[0].values, data.test.values])
    for wanted in (np.repeat(grey[None], 3, axis=0) / 255, np.repeat(grey[None] * 28, 3, axis=0) / 4095, 1.0):
        assert np.abs(values - wanted).max(axis=(1, 2, 3)).min() < 1e-3


def test_grey_pictures_have_one_channel(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", patients=4)
    for each in folder.rglob("*.png"):
        with Image.open(each) as picture:
            picture.convert("L").save(each)
    data = read(folder)
    assert data.test.kind == "grey" and data.test.values.shape[1:] == (1, 12, 12)


def test_sets_that_were_split_are_joined_and_copies_kept_on_one_side(folder: Path, tmp_path: Path) -> None:
    for part in ("train", "test"):
        for each in folder.rglob("P*[05].png"):
            place = tmp_path / "set" / part / each.parent.name / each.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.hardlink_to(each)
    data = read(tmp_path / "set")
    assert data.test.classes == ("benign", "tumour")
    assert any("test, train were joined" in text for text in data.notices)
    assert any(text.startswith("16 pictures occur more than once") for text in data.notices)
    pool, test = (set(map(bytes, part.values)) for part in (data.pools[0], data.test))
    assert not pool & test


def test_sizes_that_go_with_the_class_are_warned_of(folder: Path, tmp_path: Path) -> None:
    for each in folder.rglob("*.png"):
        place = tmp_path / "set" / each.parent.name / each.name
        place.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(each) as picture:
            picture.resize((48, 48) if each.parent.name == "benign" else (16, 16)).save(place)
    assert any("how sharp they are" in text for text in read(tmp_path / "set").notices)


def test_more_pictures_than_wanted_are_taken_evenly(folder: Path) -> None:
    data = read(folder, most=80)
    assert len(data.pools[0]) + len(data.test) == 80
    (folder / "tumour" / "more.png").write_bytes((folder / "tumour" / "P08_0.png").read_bytes())
    data = read(folder, most=80)
    assert any(text.startswith("80 of 81 pictures were taken") for text in data.notices)
    assert abs(np.bincount(np.concatenate([data.pools[0].labels, data.test.labels]))[0] - 40) <= 1
    (folder / "tumour" / "more.png").unlink()


def test_what_no_study_can_use_is_refused(folder: Path, tmp_path: Path) -> None:
    one = tmp_path / "one"
    write_set(one)
    for each in (one / "tumour").iterdir():
        each.unlink()
    assert code_of(one) == "no_labels"
    flat = tmp_path / "flat"
    flat.mkdir()
    for each in (one / "benign").iterdir():
        each.rename(flat / each.name)
    assert code_of(flat) == "no_labels"
    broken = tmp_path / "broken" / "a"
    broken.mkdir(parents=True)
    (broken / "1.png").write_bytes(b"x")
    assert code_of(broken.parent) == "pictures_unreadable"
    patient = write_set(tmp_path / "patient", patients=1)
    assert code_of(patient, group_name="{group}_*") == "too_few_groups"
    # the failure lab needs spectra
    with pytest.raises(UserError):
        load(folder)


def test_a_zip_that_points_outside_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../a/1.png", b"x")
    assert code_of(tmp_path / "a.zip") == "zip_unsafe"


def test_pictures_of_an_npz_are_read_without_spectra(tmp_path: Path) -> None:
    rgb = np.stack([pixels(number, number % 2 * 99) for number in range(60)])
    names = np.array(["a", "b"])[np.arange(60) % 2]
    np.savez(tmp_path / "a.npz", rgb=rgb, y=names, patient=np.arange(60) // 4)
    data = read(tmp_path / "a.npz", images="ir")
    assert data.test.classes == ("a", "b") and data.test.kind == "rgb"
    assert any("colours are studied" in text for text in data.notices)
    values = (rgb / np.float32(255)).astype(np.float32)
    values[3, 0, 0] = np.nan
    np.savez(tmp_path / "b.npz", rgb=values.transpose(0, 3, 1, 2), y=names)
    assert any("(NaN)" in text for text in read(tmp_path / "b.npz").notices)
    np.savez(tmp_path / "c.npz", rgb=rgb.astype(np.float32) - 300, y=names)
    assert code_of(tmp_path / "c.npz") == "pictures_unreadable"
    np.savez(tmp_path / "d.npz", rgb=rgb, y=names[:-1])
    assert code_of(tmp_path / "d.npz") == "patches_mismatch"
    np.savez(tmp_path / "e.npz", rgb=rgb)
    assert code_of(tmp_path / "e.npz") == "no_labels"
    np.savez(tmp_path / "n.npz", rgb=np.full((60, 8, 8, 3), np.inf), y=names)
    assert code_of(tmp_path / "n.npz") == "pictures_unreadable"
    np.savez(tmp_path / "o.npz", rgb=rgb, y=np.array([{}] * 60, object))
    with pytest.raises(UserError, match="left out: y"):
        read(tmp_path / "o.npz")
    np.savez(tmp_path / "f.npz", rgb=np.array([{}], object), y=names)
    with pytest.raises(UserError, match="Python objects"):
        read(tmp_path / "f.npz")
    many = np.stack([pixels(number, 0) for number in range(240)])
    np.savez(tmp_path / "g.npz", rgb=many, y=np.arange(240) // 8)
    with pytest.raises(UserError, match="too few for 30 classes"):
        require_enough(read(tmp_path / "g.npz"), (30,))


def test_classes_of_unequal_size_are_warned_of(tmp_path: Path) -> None:
    rgb = np.stack([pixels(number, 0) for number in range(200)])
    np.savez(tmp_path / "a.npz", rgb=rgb, y=(np.arange(200) % 20 == 0).astype(int), patient=np.arange(200))
    data = read(tmp_path / "a.npz")
    [text] = imbalance(data, (30,))
    assert "of the test images are 0" in text
    with pytest.raises(UserError, match="too_few_images"):
        require_enough(data, (120,))
    require_enough(data, (30,))
