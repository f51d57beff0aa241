"""The images of a study: no slide, patient or head on two sides, whatever they are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.augment.head_slices import CLASSES, head_slices
from core.augment.image_set import StudyData
from core.augment.study_data import study_data
from core.augment.task import TASK, Settings
from core.errors import UserError
from core.events import finish
from tests.core.failure.made_up_patches import BANDS, patches


def settings(**params: object) -> Settings:
    return Settings(**TASK.parse({"pool": 120, "seeds": 2, **params}))  # type: ignore[arg-type]


def write(path: Path, count: int, *, groups: bool = True) -> Path:
    """Write patches of three classes in groups of five."""
    given = patches(count, level=0.2, form=1.0)
    more = {"group": np.arange(count) // 5} if groups else {}
    arrays: dict[str, Any] = {"ir": given.ir, "y": given.labels, "wn": BANDS, "rgb": np.exp(-given.ir[:, :3]), **more}
    np.savez(path, allow_pickle=False, **arrays)
    return path


def groups_of(data: StudyData) -> list[set[int]]:
    parts = [*data.pools, data.test, *([data.beyond] if data.beyond else [])]
    return [set(part.groups.tolist()) for part in parts]


def test_simulated_tissue_has_a_pool_for_each_seed_and_slides_of_its_own() -> None:
    data = finish(study_data(None, None, settings(open_set=True)))
    groups = groups_of(data)
    assert len(groups) == 4 and len(set.union(*groups)) == sum(map(len, groups))
    assert data.test.values.shape[1:] == (3, 24, 24) and data.largest == 120
    again = finish(study_data(None, None, settings(open_set=True)))
    assert (again.test.values == data.test.values).all()
    infrared = finish(study_data(None, None, settings(images="ir", seed=1)))
    assert infrared.test.values.shape[1:] == (32, 24, 24) and infrared.beyond is None


@pytest.mark.parametrize("is_open", [False, True])
def test_patients_of_a_file_lie_in_one_part(tmp_path: Path, is_open: bool) -> None:
    data = finish(study_data(write(tmp_path / "a.npz", 300), None, settings(open_set=is_open)))
    groups = groups_of(data)
    assert len(groups) == 2 + is_open and len(set.union(*groups)) == sum(map(len, groups)) == 60
    assert data.test.kind == "rgb" and data.source == "file"


def test_a_file_without_patients_is_studied_with_a_warning(tmp_path: Path) -> None:
    data = finish(study_data(write(tmp_path / "a.npz", 90, groups=False), None, settings(images="ir")))
    assert data.test.kind == "ir" and any("No patients" in text for text in data.notices)


def test_pictures_with_missing_numbers_are_left_out(tmp_path: Path) -> None:
    with np.load(write(tmp_path / "a.npz", 300)) as stored:
        arrays = dict(stored)
    arrays["rgb"][:2, 0, 0, 0] = np.nan
    np.savez(tmp_path / "a.npz", **arrays)
    data = finish(study_data(tmp_path / "a.npz", None, settings()))
    assert len(data.pools[0]) + len(data.test) == 298
    assert any(text.startswith("2 images with numbers that are missing") for text in data.notices)


def test_spectra_alone_are_no_images(tmp_path: Path) -> None:
    given = patches(60, level=0.4)
    np.savez(tmp_path / "a.npz", X=given.ir.mean(axis=(2, 3)), y=given.labels, wn=BANDS, group=np.arange(60) // 5)
    with pytest.raises(UserError, match="not_images"):
        finish(study_data(tmp_path / "a.npz", None, settings()))


def test_slices_of_a_head_have_lesions_in_one_half() -> None:
    found = finish(head_slices(1, 7))
    assert found.values.shape[1:] == (1, 40, 32) and found.classes == CLASSES
    sick, healthy = (found.values[found.labels == kind] for kind in (1, 0))
    assert len(sick) == len(healthy) >= 3 and set(found.groups) == {7}
    changed = np.abs(sick - healthy).max(axis=(1, 2, 3))
    # the same slices of the same head, but for the lesion
    assert (changed > 0.1).all() and np.median(np.abs(sick - healthy)) < 1e-6
