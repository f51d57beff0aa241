from pathlib import Path

import numpy as np
import pytest

from core.files.nifti import Stored, write_stored
from core.train.heldout import HEALTHY
from core.train.pack import PackedSet, pack
from tests.phantom import make_phantom


def write_oasis(data: Path, number: str) -> None:
    folder = data / "train/malf_nc"
    folder.mkdir(parents=True, exist_ok=True)
    phantom = make_phantom(np.diag([4.0, 4.0, 4.0, 1.0]), (34, 40, 36), skull=False)
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
    assert image.shape == usable.shape == (34, 40, 36)
    assert np.percentile(image[usable], 99.5) == pytest.approx(1, abs=0.05)
    with np.load(tmp_path / "set.npz", allow_pickle=False) as plain:
        assert plain["oasis-1000/t1"].dtype == np.float16


def test_folders_that_were_not_asked_for_stay_out(tmp_path: Path) -> None:
    write_oasis(tmp_path, "1000")
    pack(tmp_path, tmp_path / "set.npz", ("labels", "demo"), lambda text: None)
    assert PackedSet(tmp_path / "set.npz").items == ()
