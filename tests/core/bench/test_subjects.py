from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from core.bench.subjects import healthy
from core.errors import UserError
from core.train.heldout import HEALTHY, VALIDATION
from tests.core.bench.scans import tissue_map, write_healthy


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
