from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from core import weights
from core.bench.subjects import healthy, healthy_apart, tumours_apart
from core.bench.suite import TASKS, Settings, apart, cases, network
from core.contrasts import CONTRASTS
from core.errors import UserError
from core.train.heldout import HEALTHY, VALIDATION
from tests.core.bench.scans import tissue_map, write_contrasts, write_healthy


def test_subjects_of_both_sites_are_found_by_name(tmp_path: Path) -> None:
    write_healthy(tmp_path)
    elsewhere = tmp_path / "train/ds002748/validation/08_t1.nii.gz"
    elsewhere.parent.mkdir(parents=True)
    shutil.copy(tmp_path / "train/malf_nc/1015_t1.nii.gz", elsewhere)
    first, second = healthy(tmp_path, ["1015", "ds002748-08"])
    assert (first.block("Cubes"), second.block("Cubes")) == ("Cubes", "Cubes (ds002748)")
    volume, segmented = first.read()
    np.testing.assert_array_equal(segmented, tissue_map())
    other, found = second.read()
    np.testing.assert_array_equal(other.data, volume.data)
    # no file holds its tissues: the network finds them, within the brain alone
    assert set(np.unique(found)) <= {0, 1, 2, 3} and not found[volume.data == 0].any() and found.any()


@pytest.mark.parametrize(("name", "folder"), [("1015", "train/malf_nc"), ("ds002748-08", "train/ds002748/validation")])
def test_a_missing_subject_is_named_with_its_folder(tmp_path: Path, name: str, folder: str) -> None:
    with pytest.raises(UserError, match=name) as caught:
        healthy(tmp_path, [name])
    assert folder in caught.value.hint


def test_both_sites_are_measured_by_default() -> None:
    assert set(HEALTHY) < set(VALIDATION) and len(VALIDATION) == 11


def two_sites(data: Path) -> Path:
    """Write subjects of two sites, held out and not, and return the folder."""
    for subject in ("1015", "1003", "1009"):
        write_healthy(data, subject)
    for name in ("ds002748/validation/08", *(f"ds002748/train/0{n}" for n in range(1, 7))):
        path = data / "train" / f"{name}_t1.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(data / "train/malf_nc/1015_t1.nii.gz", path)
    for name in ("gliomas/a", "brats18/Brats18_CBICA_ABM_1", "brats18/Brats18_TCIA01_499_1"):
        write_contrasts(data / "train" / name, {each: each for each in CONTRASTS})
    return data


def test_who_taught_a_network_or_is_held_out_checks_no_calibration(tmp_path: Path) -> None:
    data = two_sites(tmp_path)
    taught = {"oasis-1003", "ds002748-02", "ds002748-03", "Brats18_CBICA_ABM_1"}
    chosen = healthy_apart(data, taught, 3)
    assert chosen == ["1009", "ds002748-04", "ds002748-06"]
    assert healthy_apart(data, taught, 9) == ["1009", *(f"ds002748-0{n}" for n in (1, 4, 5, 6))]
    assert all(each.t1.is_file() for each in healthy(data, chosen))
    assert tumours_apart(data, taught) == [("glioma-a", data / "train/gliomas/a")]
    assert len(tumours_apart(data, set())) == 2


@pytest.mark.parametrize("task", TASKS)
def test_a_calibration_is_checked_on_others(tmp_path: Path, task: str) -> None:
    settings = Settings(two_sites(tmp_path), subjects=["1015"])
    first = next(iter(apart(task, settings))).label.subject
    assert first not in {each.label.subject for each in cases(task, settings)}
    assert {first, f"oasis-{first}"}.isdisjoint(weights.learnt_from(network(task, settings)[1]))


def test_without_other_subjects_nothing_is_checked(tmp_path: Path) -> None:
    write_healthy(tmp_path)
    with pytest.raises(UserError, match="taught the network"):
        next(iter(apart("inpaint", Settings(tmp_path))))
