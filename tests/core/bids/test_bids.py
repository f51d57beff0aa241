"""A BIDS data set in, valid derivatives out; what is chosen of it and what is left out."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.bids.bids_dataset import derivatives_of, participants, sessions
from core.bids.bids_names import parse_name
from core.bids.bids_plan import Plan, Wish, plan
from core.commands.command_line import command_line, main
from core.errors import UserError
from core.files.nifti import read_stored
from tests.core.bids.datasets import write_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("bids") / "data")


def planned(dataset: Path, **wish: object) -> Plan:
    wished = Wish(**{"derivatives": tuple(derivatives_of(dataset, dataset / "none")), **wish})  # type: ignore[arg-type]
    return plan(dataset, participants(dataset), wished)


def validated(folder: Path) -> list[str]:
    """Return the codes of the errors that the validator finds."""
    program = Path(sys.executable).with_name("bids-validator-deno")
    done = subprocess.run([program, "--format", "json", folder], capture_output=True, text=True, check=False)
    issues = json.loads(done.stdout)["issues"]["issues"]
    return [f"{issue['code']} {issue.get('location')}" for issue in issues if issue["severity"] == "error"]


@pytest.mark.parametrize(
    ("name", "entities", "suffix"),
    [
        ("sub-01_T1w.nii.gz", {"sub": "01"}, "T1w"),
        ("sub-a1_ses-2_acq-x_run-02_FLAIR.nii", {"sub": "a1", "ses": "2", "acq": "x", "run": "02"}, "FLAIR"),
        ("sub-01_T1w_label-lesion_roi.nii.gz", {"sub": "01", "label": "lesion"}, "roi"),
    ],
)
def test_a_name_is_read(name: str, entities: dict[str, str], suffix: str) -> None:
    read = parse_name(name)
    assert read is not None and (dict(read.entities), read.suffix) == (entities, suffix)
    if suffix != "roi":
        assert str(read) == name


@pytest.mark.parametrize(
    "name", ["T1w.nii.gz", "sub-01_T1w.json", "sub-01_what-x_T1w.nii.gz", "sub-01_sub-01_T1w.nii.gz", "sub-_T1w.nii.gz"]
)
def test_what_is_no_name_of_an_image_is_none(name: str) -> None:
    assert parse_name(name) is None


def test_a_mask_belongs_to_the_image_whose_entities_it_states(dataset: Path) -> None:
    found = planned(dataset, task="inpaint")
    assert {one.scan.name: one.images[1].path.name for one in found.planned} == {
        "sub-01_T1w": "sub-01_label-lesion_roi.nii.gz",
        "sub-02_ses-a_run-2_T1w": "sub-02_ses-a_run-2_label-lesion_mask.nii.gz",
    }
    assert [sentence.partition(":")[0].rpartition("/")[2] for sentence in found.left_out] == [
        "sub-02_ses-a_run-1_T1w.nii.gz",
        "sub-02_ses-b_T1w.nii.gz",
        "sub-03_T1w.nii.gz",
    ]
    vessel = planned(dataset, task="inpaint", label="vessel")
    assert [str(one.result) for one in vessel.planned] == ["sub-02_ses-a_run-1_desc-inpainted_T1w.nii.gz"]


def test_two_masks_of_one_image_are_not_guessed_between(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "data")
    masks = dataset / "derivatives" / "lesions" / "sub-01" / "anat"
    (masks / "sub-01_label-lesion_mask.nii.gz").write_bytes((masks / "sub-01_label-lesion_roi.nii.gz").read_bytes())
    found = planned(dataset, task="inpaint")
    assert "sub-01_T1w" not in {one.scan.name for one in found.planned}
    assert any("several masks" in sentence for sentence in found.left_out)


@pytest.mark.parametrize("again", ["sub-01_acq-a_run-1_T1w.nii", "sub-01_run-1_acq-a_T1w.nii.gz"])
def test_one_result_is_made_of_one_image(again: str, tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "data")
    anat = dataset / "sub-01" / "anat"
    for name in (again, "sub-01_acq-a_run-1_T1w.nii.gz"):
        (anat / name).write_bytes((anat / "sub-01_T1w.nii.gz").read_bytes())
    for wish in ({"task": "inpaint"}, {"task": "superres", "resampled": True}):
        found = planned(dataset, **wish)
        names = [str(one.result) for one in found.planned]
        assert len(names) == len(set(names)) and any("acq-a_run-1" in name for name in names)
        assert any("was taken" in sentence and "acq-a" in sentence for sentence in found.left_out)


def test_a_scan_with_contrast_agent_that_has_a_mask_is_named(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "data")
    masks = dataset / "derivatives" / "lesions"
    roi = (masks / "sub-01" / "anat" / "sub-01_label-lesion_roi.nii.gz").read_bytes()
    (masks / "sub-03" / "anat").mkdir(parents=True)
    (masks / "sub-03" / "anat" / "sub-03_ce-gadolinium_label-lesion_mask.nii.gz").write_bytes(roi)
    left_out = planned(dataset, task="inpaint").left_out
    assert any("sub-03_ce-gadolinium_T1w.nii.gz: taken with contrast agent" in sentence for sentence in left_out)


def test_superres_takes_what_is_coarse_and_translate_what_lacks_the_target(dataset: Path) -> None:
    assert [one.scan.name for one in planned(dataset, task="superres").planned] == ["sub-04_T2w"]
    assert len(planned(dataset, task="superres", resampled=True).planned) == 8
    flair = {one.scan.name: sorted(one.scan.inputs) for one in planned(dataset, task="translate").planned}
    assert flair["sub-03_FLAIR"] == ["t1", "t1ce", "t2"] and flair["sub-02_ses-a_FLAIR"] == ["t1"]
    t2 = planned(dataset, task="translate", target="t2")
    assert {one.scan.name for one in t2.planned} == {"sub-01_T2w", "sub-02_ses-a_T2w", "sub-02_ses-b_T2w"}
    assert "sub-03/anat/sub-03_T2w.nii.gz: T2 is there already" in t2.left_out
    agent = planned(dataset, task="translate", target="t1ce").planned
    assert "sub-01_ce-gadolinium_desc-synthetic_T1w.nii.gz" in {str(one.result) for one in agent}


def test_a_session_and_a_participant_are_chosen(dataset: Path) -> None:
    assert not planned(dataset, task="inpaint", sessions=("b",)).planned
    assert participants(dataset, ("sub-02", "01")) == ["01", "02"]
    with pytest.raises(UserError) as caught:
        participants(dataset, ("07",))
    assert caught.value.code == "bids_wrong" and "'07'" in caught.value.message
    assert sessions(dataset, ("01", "02"), ("ses-b", "a")) == ("b", "a")
    for labels, wanted, has in ((("01", "02"), ("a", "c"), "a, b"), (("01",), ("a",), "no folder ses-")):
        with pytest.raises(UserError) as caught:
            sessions(dataset, labels, wanted)
        assert caught.value.code == "bids_wrong" and f"{wanted[-1]!r}" in caught.value.message
        assert has in caught.value.hint


def test_valid_derivatives_come_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = write_dataset(tmp_path / "data")
    out = dataset / "derivatives" / "counterscan"
    command = ["bids", str(dataset), str(out), "participant", "--task", "inpaint", "--method", "shell", "--no-compare"]
    assert main(command_line(), [*command, "--participant_label", "01", "02"]) == 0, capsys.readouterr().err
    assert validated(dataset) == [] and validated(out) == []
    image = out / "sub-01" / "anat" / "sub-01_desc-inpainted_T1w.nii.gz"
    made, given = read_stored(image), read_stored(dataset / "sub-01" / "anat" / "sub-01_T1w.nii.gz")
    assert made.values.dtype == given.values.dtype and (made.values != given.values).any()
    sidecar = json.loads(image.with_name("sub-01_desc-inpainted_T1w.json").read_text())
    assert sidecar["Sources"] == [
        "bids:raw:sub-01/anat/sub-01_T1w.nii.gz",
        "bids:raw:derivatives/lesions/sub-01/anat/sub-01_label-lesion_roi.nii.gz",
    ]
    assert sidecar["SkullStripped"] is True and sidecar["Counterscan"]["Parameters"]["method"] == "shell"
    links = json.loads((out / "dataset_description.json").read_text())["DatasetLinks"]
    assert (out / links["raw"]).resolve() == dataset.resolve()
    assert (out / "counterscan" / "inpaint" / "overview.html").is_file()
    # a second run has nothing to do and changes nothing
    before = image.stat().st_mtime_ns
    capsys.readouterr()
    assert main(command_line(), command) == 0
    assert "sub-01_T1w: kept" in capsys.readouterr().err and image.stat().st_mtime_ns == before


def test_what_is_in_the_way_of_one_image_stops_no_other_and_what_is_left_out_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset, out = write_dataset(tmp_path / "data"), tmp_path / "out"
    taken = out / "sub-01" / "anat" / "sub-01_desc-inpainted_T1w.nii.gz"
    taken.mkdir(parents=True)
    command = ["bids", str(dataset), str(out), "participant", "--task", "inpaint", "--method", "shell", "--no-compare"]
    assert main(command_line(), [*command, "--quiet"]) == 2
    errors = capsys.readouterr().err
    assert f"sub-01_T1w: failed. The derivatives could not be written at {taken.name}" in errors
    assert (out / "sub-02" / "ses-a" / "anat" / "sub-02_ses-a_run-2_desc-inpainted_T1w.nii.gz").is_file()
    assert not [path for path in out.rglob("*") if path.name.endswith(".part")]
    listed = out / "counterscan" / "inpaint" / "left_out.txt"
    assert f"3 images left out: {listed}" in errors
    sentences = listed.read_text(encoding="utf-8").splitlines()
    assert sentences == list(planned(dataset, task="inpaint").left_out)
    # what was in the way is gone, and all is taken
    taken.rmdir()
    for folder in (dataset / "sub-03", dataset / "sub-04", dataset / "sub-02" / "ses-b"):
        shutil.rmtree(folder)
    (dataset / "sub-02" / "ses-a" / "anat" / "sub-02_ses-a_run-1_T1w.nii.gz").unlink()
    assert main(command_line(), [*command, "--quiet"]) == 0
    assert capsys.readouterr().err == "" and taken.is_file() and not listed.exists()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (["participant", "--task", "failure"], "unknown_task"),
        (["group", "--task", "inpaint"], "bad_usage"),
        (["participant", "--task", "inpaint", "--lesion-label", "nothing"], "bids_wrong"),
        (["participant", "--task", "inpaint", "--participant-label", "99"], "bids_wrong"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    dataset: Path, tmp_path: Path, change: list[str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command_line(), ["bids", str(dataset), str(tmp_path / "out"), *change, "--quiet"]) == 2
    assert f"[{code}]" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_a_folder_that_is_no_data_set_and_an_output_of_another_program_are_refused(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    end = ["participant", "--task", "inpaint"]
    other = dataset / "derivatives" / "lesions"
    inside = dataset / "sub-03"
    for data, out in ((tmp_path, tmp_path / "out"), (dataset, dataset), (dataset, other), (dataset, inside / "out")):
        assert main(command_line(), ["bids", str(data), str(out), *end]) == 2
        assert "[bids_wrong]" in capsys.readouterr().err
    assert not (inside / "out").exists()
    for data, what in ((dataset / "dataset_description.json", "is a file"), (tmp_path / "none", "does not exist")):
        assert main(command_line(), ["bids", str(data), str(tmp_path / "out"), *end]) == 2
        assert f"'{data}' {what}" in capsys.readouterr().err


def test_derivatives_that_cannot_be_written_are_one_line(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "taken" / "sub-01").mkdir(parents=True)
    (tmp_path / "taken" / "sub-01" / "anat").write_text("in the way")
    end = ["participant", "--task", "inpaint", "--method", "shell", "--no-compare", "--participant-label", "01"]
    for out in ("file", "file/below", "taken"):
        assert main(command_line(), ["bids", str(dataset), str(tmp_path / out), *end]) == 2
        assert "[write_failed]" in capsys.readouterr().err
