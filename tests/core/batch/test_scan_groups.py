"""Scans of a batch by the names of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.batch.scan_groups import Grouped, group_files
from core.errors import UserError
from core.tasks import find

ROOT = Path("/zip")


def grouped(task: str, *names: str) -> Grouped:
    return group_files(ROOT, names, find(task))


def inputs(found: Grouped) -> dict[str, dict[str, str]]:
    """Return scan -> input -> path below the root."""
    return {
        scan.name: {name: Path(path).relative_to(ROOT).as_posix() for name, path in scan.inputs.items()}
        for scan in found.scans
    }


def test_files_are_called_by_scan_and_input() -> None:
    found = grouped("inpaint", "anna_t1.nii.gz", "anna_mask.nii.gz", "b/Ben-T1.nii", "b/Ben_MASK.mha")
    assert inputs(found) == {
        "anna": {"t1": "anna_t1.nii.gz", "mask": "anna_mask.nii.gz"},
        "Ben": {"t1": "b/Ben-T1.nii", "mask": "b/Ben_MASK.mha"},
    }
    assert not found.left_out


def test_a_folder_may_be_the_scan() -> None:
    found = grouped("inpaint", "x/1/t1.nii.gz", "x/1/mask.nii.gz", "y/1/t1.nii.gz", "y/1/mask.nii.gz")
    assert set(inputs(found)) == {"x_1", "y_1"}


def test_a_file_with_another_end_is_the_first_input() -> None:
    found = grouped("superres", "a.nii.gz", "b/a.nii.gz", "c_image.nrrd", "readme.txt", "series/0001.dcm")
    first = find("superres").inputs[0].name
    assert inputs(found) == {"a": {first: "a.nii.gz"}, "b_a": {first: "b/a.nii.gz"}, "c": {first: "c_image.nrrd"}}
    assert found.left_out == ("2 files with no name of a scan; DICOM folders need a table.",)


def test_contrasts_of_a_session_are_one_scan() -> None:
    found = grouped("translate", "s1_t1.nii.gz", "s1_t2.nii.gz", "s2_t1.nii.gz")
    assert {name: sorted(given) for name, given in inputs(found).items()} == {"s1": ["t1", "t2"], "s2": ["t1"]}


def test_a_scan_that_lacks_an_input_is_named() -> None:
    found = grouped("inpaint", "anna_t1.nii.gz", "anna_mask.nii.gz", "ben_t1.nii.gz")
    assert list(inputs(found)) == ["anna"] and found.left_out == ("ben lacks mask.",)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a_mask.nii.gz",), "a lacks t1."),
        (("notes.txt",), "1 file with no name of a scan; DICOM folders need a table."),
        ((), "No scan was found."),
        (("a_t1.nii.gz", "a_t1.nii", "a_mask.nii"), "Two files are t1 of a."),
        (("é_t1.nii", "e\u0301_t1.nii", "é_mask.nii", "e\u0301_mask.nii"), "Several scans would be called é."),
    ],
)
def test_nothing_to_run_is_refused(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError) as caught:
        grouped("inpaint", *names)
    assert (caught.value.code, caught.value.message) == ("manifest_wrong", message)
