import gc
from pathlib import Path

import numpy as np
import psutil
import pytest

from core.contrasts import CONTRASTS
from core.files.nifti import Stored, write_stored
from core.synth.labelmaps import CORTEX, WHITE
from core.train.datasets import PERMISSIVE, RESEARCH
from core.train.heldout import HEALTHY
from core.train.pack import PackedSet, pack, to_millimetres
from core.volume import Volume
from tests.phantom import make_phantom


def write_oasis(data: Path, number: str) -> None:
    folder = data / "train/malf_nc"
    folder.mkdir(parents=True, exist_ok=True)
    phantom = make_phantom(np.diag([3.0, 3.0, 3.0, 1.0]), (34, 40, 36), skull=False)
    write_stored(folder / f"{number}_t1.nii.gz", Stored(phantom.scan, phantom.affine))


def test_scans_are_packed_with_their_split_and_read_with_numpy_alone(tmp_path: Path) -> None:
    for number in ("1000", HEALTHY[0]):
        write_oasis(tmp_path, number)
    pack(tmp_path, tmp_path / "set.npz", ("train",), lambda text: None)
    packed = PackedSet(tmp_path / "set.npz")
    assert {item.name: item.split for item in packed.items} == {
        "oasis-1000": "train",
        f"oasis-{HEALTHY[0]}": "validation",
    }
    image, usable = packed.image("oasis-1000", "t1"), packed.usable("oasis-1000")
    # the phantom's voxels of 3 mm become voxels of 1 mm
    assert image.shape == usable.shape == (102, 120, 108)
    assert np.percentile(image[usable], 99.5) == pytest.approx(1, abs=0.05)
    with np.load(tmp_path / "set.npz", allow_pickle=False) as plain:
        assert plain["oasis-1000/t1"].dtype == np.float16


def test_folders_that_were_not_asked_for_stay_out(tmp_path: Path) -> None:
    write_oasis(tmp_path, "1000")
    pack(tmp_path, tmp_path / "set.npz", ("labels", "demo"), lambda text: None)
    assert PackedSet(tmp_path / "set.npz").items == ()


def test_the_file_is_closed_with_the_set(tmp_path: Path) -> None:
    pack(tmp_path, tmp_path / "set.npz", (), lambda text: None)
    packed = PackedSet(tmp_path / "set.npz")
    files = psutil.Process().open_files
    assert str(tmp_path / "set.npz") in {file.path for file in files()}
    del packed
    gc.collect()
    assert str(tmp_path / "set.npz") not in {file.path for file in files()}


def write_scan(path: Path, spacing: float = 3.0, shape: tuple[int, int, int] = (34, 40, 36)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    phantom = make_phantom(np.diag([spacing, spacing, spacing, 1.0]), shape, skull=False)
    write_stored(path, Stored(phantom.scan, phantom.affine))


def write_labels(path: Path, labels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_stored(path, Stored(labels.astype(np.int16), np.eye(4)))


def test_the_second_pack_is_read_with_its_splits_licences_and_tasks(tmp_path: Path) -> None:
    write_scan(tmp_path / "train/ds002748/train/01_t1.nii.gz")
    write_scan(tmp_path / "train/ds002748/validation/08_t1.nii.gz")
    write_scan(tmp_path / "train/lhdata/01/t1.nii.gz")
    for contrast in CONTRASTS:
        write_scan(tmp_path / f"train/gliomas/b/{contrast}.nii.gz")
    pack(tmp_path, tmp_path / "set.npz", ("train",), lambda text: None)
    packed = PackedSet(tmp_path / "set.npz")
    found = {item.name: (item.split, item.licence, item.sharp) for item in packed.items}
    assert found == {
        "ds002748-01": ("train", PERMISSIVE, ("t1",)),
        "ds002748-08": ("validation", PERMISSIVE, ("t1",)),
        "lhdata-01": ("train", PERMISSIVE, ()),
        "glioma-b": ("validation", RESEARCH, ()),
    }
    assert {item.name for item in packed.learnt_from("inpaint")} == {"ds002748-01", "lhdata-01"}
    assert {item.name for item in packed.learnt_from("superres")} == {"ds002748-01"}
    assert {item.name for item in packed.learnt_from("translate")} == {"ds002748-01"}
    assert {item.name for item in packed.learnt_from("inpaint", "validation")} == {"ds002748-08"}
    assert {item.name for item in packed.learnt_from("translate", "validation")} == {"ds002748-08", "glioma-b"}


def test_a_permissive_set_learns_from_no_research_data_and_keeps_who_is_held_out(tmp_path: Path) -> None:
    for number in ("1000", HEALTHY[0]):
        write_oasis(tmp_path, number)
    write_scan(tmp_path / "train/ds002748/train/01_t1.nii.gz")
    (tmp_path / "train/gliomas").mkdir()
    (tmp_path / "train/gliomas/shapes.npz").write_bytes(b"never read")
    pack(tmp_path, tmp_path / "set.npz", ("labels", "train", "demo"), lambda text: None, permissive=True)
    packed = PackedSet(tmp_path / "set.npz")
    assert {(item.name, item.split) for item in packed.items} == {
        ("ds002748-01", "train"),
        (f"oasis-{HEALTHY[0]}", "validation"),
    }


def test_shapes_are_packed_as_research_data_and_read_as_masks(tmp_path: Path) -> None:
    masks = [np.zeros((3, 4, 5), bool), np.ones((2, 2, 2), bool)]
    masks[0][1, 2, 3] = True
    bits = [np.packbits(mask) for mask in masks]
    folder = tmp_path / "train/gliomas"
    folder.mkdir(parents=True)
    np.savez(
        folder / "shapes.npz",
        bits=np.concatenate(bits),
        offset=np.cumsum([0, *map(len, bits)]),
        shape=np.array([mask.shape for mask in masks], np.int16),
        corner=np.zeros((2, 3), np.int16),
        spacing=np.array([1.875, 1.875, 1.25], np.float32),
    )
    pack(tmp_path, tmp_path / "set.npz", ("train",), lambda text: None)
    packed = PackedSet(tmp_path / "set.npz")
    (item,) = packed.learnt_from("inpaint")
    assert item.licence == RESEARCH
    for back, mask in zip(packed.shapes(item.name), masks, strict=True):
        np.testing.assert_array_equal(back, mask)
    assert packed.shape_spacing(item.name) == (1.875, 1.875, 1.25)


def test_parcels_of_the_cortex_are_cortex(tmp_path: Path) -> None:
    labels = np.zeros((60, 60, 60), np.int16)
    labels[10:50, 10:50, 10:50] = 2
    labels[10:15, 10:50, 10:50] = 1003
    labels[45:50, 10:50, 10:50] = 2030
    labels[28:32, 20:40, 20:40] = 253
    write_labels(tmp_path / "labels/extra/bert/labels.nii.gz", labels)
    pack(tmp_path, tmp_path / "set.npz", ("labels",), lambda text: None)
    packed = PackedSet(tmp_path / "set.npz")
    (item,) = packed.items
    assert item.licence == RESEARCH
    tissues = packed.tissues(item.name)
    assert (tissues == CORTEX).sum() == 2 * 5 * 40 * 40
    assert (tissues == WHITE).sum() == 30 * 40 * 40


def test_a_scan_comes_to_voxels_of_a_millimetre_in_its_place() -> None:
    y = np.broadcast_to(np.arange(24)[:, None], (20, 24, 16))
    affine = np.diag([1.0, 1.25, 1.5, 1.0])
    affine[:3, 3] = (-10, 5, 3)
    # an image of the place along Y, in mm: wherever a voxel goes, it takes its value with it
    made = to_millimetres(Volume((1.25 * y + 5).astype(np.float32), affine))
    assert made.data.shape == (20, 30, 24)
    np.testing.assert_allclose(made.spacing, (1, 1, 1))
    places = made.affine @ np.array([0, 10, 0, 1])
    assert made.data[3, 10, 4] == pytest.approx(places[1], abs=0.02)
    assert to_millimetres(Volume(np.zeros((4, 4, 4), np.float32), np.eye(4))).data.shape == (4, 4, 4)
