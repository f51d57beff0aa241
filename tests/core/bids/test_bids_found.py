"""What people have called and laid their images and masks, and what of it is found; none of these files is opened."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.bids.bids_dataset import derivatives_of, participants
from core.bids.bids_plan import Plan, Wish, plan

T1, MASK = "sub-1/anat/sub-1_T1w.nii.gz", "sub-1_label-lesion_mask.nii.gz"
BESIDE, APART = f"sub-1/anat/{MASK}", f"derivatives/lesions/sub-1/anat/{MASK}"
RUNS = tuple(f"sub-1/ses-a/anat/sub-1_ses-a_run-{run}_T1w.nii.gz" for run in (1, 2))
OF_RUNS = "derivatives/lesions/sub-1/ses-a/anat/sub-1_ses-a_label-lesion_mask"


def planned(folder: Path, *files: str, **wish: object) -> Plan:
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    found = {"task": "inpaint", "derivatives": tuple(derivatives_of(folder, folder / "out")), **wish}
    return plan(folder, participants(folder), Wish(**found))  # type: ignore[arg-type]


def pairs(found: Plan) -> dict[str, str]:
    return {one.images[0].relative: one.images[1].path.name for one in found.planned}


@pytest.mark.parametrize(
    ("image", "mask", "label"),
    [
        (T1, BESIDE, "lesion"),
        (T1, APART, "lesion"),
        # of fMRIPrep and QSIPrep
        (T1, "sub-1/anat/sub-1_desc-lesion_roi.nii.gz", "lesion"),
        (T1, "sub-1/anat/sub-1_T1w_label-lesion_roi.nii.gz", "lesion"),
        (T1, "sub-1/anat/sub-1_desc-Lesion_mask.nii", "lesion"),
        ("sub-1/anat/sub-1_T1w.nii", BESIDE, "lesion"),
        # derivatives that are one data set themselves
        (T1, f"derivatives/sub-1/anat/{MASK}", "lesion"),
        (RUNS[0], RUNS[0].replace("run-1_T1w", "run-01_label-lesion_mask"), "lesion"),
        # of ATLAS: image and mask in the space of a template
        (
            "sub-1/ses-1/anat/sub-1_ses-1_space-MNI152NLin2009aSym_T1w.nii.gz",
            "sub-1/ses-1/anat/sub-1_ses-1_space-MNI152NLin2009aSym_label-L_desc-T1lesion_mask.nii.gz",
            "L",
        ),
    ],
)
def test_the_mask_of_an_image_is_found(tmp_path: Path, image: str, mask: str, label: str) -> None:
    found = planned(tmp_path, image, mask, label=label)
    assert pairs(found) == {image: Path(mask).name} and not found.left_out


def test_a_mask_is_of_a_lesion_by_its_sidecar(tmp_path: Path) -> None:
    mask = tmp_path / "derivatives/by-hand/sub-1/anat/sub-1_label-L_mask.nii.gz"
    mask.parent.mkdir(parents=True)
    mask.with_name("sub-1_label-L_mask.json").write_text('{"Type": "Lesion"}', encoding="utf-8-sig")
    name = mask.relative_to(tmp_path).as_posix()
    assert pairs(planned(tmp_path, T1, name)) == {T1: mask.name}
    assert not planned(tmp_path, label="vessel").planned


@pytest.mark.parametrize(
    ("image", "mask", "stray"),
    [
        (T1, f"sub-1/{MASK}", f"sub-1/{MASK}"),
        (T1, f"derivatives/x/sub-1/{MASK}", f"x/sub-1/{MASK}"),
        (RUNS[0], f"derivatives/x/sub-1/ses-a/anat/{MASK}", f"x/sub-1/ses-a/anat/{MASK}"),
        ("sub-1/anat/sub-1_t1w.nii.gz", BESIDE, "sub-1/anat/sub-1_t1w.nii.gz"),
        ("sub-1/anat/sub-1_T1w.NII.GZ", BESIDE, "sub-1/anat/sub-1_T1w.NII.GZ"),
        ("sub-1/anat/sub-1_loc-spine_T1w.nii.gz", BESIDE, "sub-1/anat/sub-1_loc-spine_T1w.nii.gz"),
        ("sub-1/ses-a/anat/sub-1_T1w.nii.gz", BESIDE, "sub-1/ses-a/anat/sub-1_T1w.nii.gz"),
        ("sub-1/anat/sub-2_T1w.nii.gz", BESIDE, "sub-1/anat/sub-2_T1w.nii.gz"),
    ],
)
def test_what_is_called_or_lies_wrongly_is_named(tmp_path: Path, image: str, mask: str, stray: str) -> None:
    found = planned(tmp_path, image, mask)
    assert not found.planned and f"{stray}: no BIDS name, or not the folder of its name" in found.left_out


def test_a_mask_in_the_space_of_a_template_is_of_no_image_in_another(tmp_path: Path) -> None:
    found = planned(tmp_path, T1, "sub-1/anat/sub-1_space-MNI152NLin6Asym_label-lesion_mask.nii.gz")
    why = "sub-1_space-MNI152NLin6Asym_label-lesion_mask.nii.gz is in the space MNI152NLin6Asym"
    assert not found.planned and found.left_out == (f"{T1}: no mask with the label lesion is of this image: {why}",)


def test_why_a_mask_is_of_no_image_is_named(tmp_path: Path) -> None:
    found = planned(tmp_path, *RUNS, RUNS[1].replace("T1w", "acq-fine_label-lesion_mask"))
    why = "sub-1_ses-a_run-2_acq-fine_label-lesion_mask.nii.gz states"
    assert [sentence.partition(f": {why} ")[2] for sentence in found.left_out] == ["run-2, acq-fine", "acq-fine"]
    # of another session
    other = planned(tmp_path / "other", RUNS[0], RUNS[0].replace("ses-a", "ses-b").replace("T1w", "label-lesion_mask"))
    assert other.left_out == (f"{RUNS[0]}: no mask with the label lesion",)


def test_a_participant_without_images_is_named(tmp_path: Path) -> None:
    found = planned(tmp_path, "sub-1/func/sub-1_task-rest_bold.nii.gz", T1.replace("sub-1", "sub-2"))
    assert found.left_out[0] == "sub-1: no T1w, T2w, FLAIR in its folders anat"


@pytest.mark.parametrize(
    "word",
    [
        "ses-a/anat/{}",
        # not as it is specified, and in use
        "sub-1/ses-a/anat/{}",
        "bids::sub-1/ses-a/anat/{}",
        "bids:raw:sub-1/ses-a/anat/{}",
        "bids:else:sub-1/ses-a/anat/{}",
    ],
)
@pytest.mark.parametrize("several", [False, True])
def test_a_mask_belongs_to_the_image_that_it_is_intended_for(tmp_path: Path, word: str, several: bool) -> None:
    sidecar = tmp_path / f"{OF_RUNS}.json"
    sidecar.parent.mkdir(parents=True)
    named = word.format(Path(RUNS[1]).name)
    sidecar.write_text(json.dumps({"IntendedFor": [named, named] if several else named}))
    links = {"DatasetLinks": {"raw": "../.."}}
    (tmp_path / "derivatives/lesions/dataset_description.json").write_text(json.dumps(links))
    found = planned(tmp_path, *RUNS, f"{OF_RUNS}.nii.gz")
    assert pairs(found) == {RUNS[1]: f"{Path(OF_RUNS).name}.nii.gz"}
    why = f"{Path(OF_RUNS).name}.nii.gz is intended for others"
    assert found.left_out == (f"{RUNS[0]}: no mask with the label lesion is of this image: {why}",)


def test_a_mask_intended_for_an_image_comes_before_one_by_its_name(tmp_path: Path) -> None:
    by_name = OF_RUNS.replace("ses-a_label", "ses-a_run-2_label")
    sidecar = tmp_path / f"{OF_RUNS}.json"
    sidecar.parent.mkdir(parents=True)
    sidecar.write_text(json.dumps({"IntendedFor": [f"bids::{one}" for one in RUNS]}))
    found = pairs(planned(tmp_path, *RUNS, f"{OF_RUNS}.nii.gz", f"{by_name}.nii.gz"))
    assert found == dict.fromkeys(RUNS, f"{Path(OF_RUNS).name}.nii.gz")


@pytest.mark.parametrize(
    ("content", "taken", "sentence"),
    [
        # without the session, as Dcm2Bids wrote it once
        ({"IntendedFor": "anat/sub-1_ses-a_run-1_T1w.nii.gz"}, 2, "IntendedFor names anat/sub-1_ses-a_run-1_T1w"),
        ({"IntendedFor": "ses-a/anat/sub-1_ses-a_FLAIR.nii.gz"}, 0, "no mask"),
        ({"IntendedFor": "ses-a/dwi/sub-1_ses-a_dwi.nii.gz"}, 0, "no mask"),
        ({"IntendedFor": []}, 2, ""),
        ({"IntendedFor": {"a": 1}}, 2, ""),
        ({"IntendedFor": [3, None]}, 2, ""),
        (["IntendedFor"], 2, ""),
        (None, 2, ""),
    ],
)  # fmt: skip
def test_what_is_intended_for_nothing_that_is_there_counts_by_its_name(
    tmp_path: Path, content: object, taken: int, sentence: str
) -> None:
    sidecar = tmp_path / f"{OF_RUNS}.json"
    sidecar.parent.mkdir(parents=True)
    sidecar.write_text("{" if content is None else json.dumps(content))
    others = ("sub-1/ses-a/anat/sub-1_ses-a_FLAIR.nii.gz", "sub-1/ses-a/dwi/sub-1_ses-a_dwi.nii.gz")
    found = planned(tmp_path, *RUNS, *others, f"{OF_RUNS}.nii.gz")
    assert len(found.planned) == taken and sentence in " ".join(found.left_out)
    assert bool(found.left_out) == bool(sentence)


@pytest.mark.parametrize("kind", ["link", "annex", "lfs"])
@pytest.mark.parametrize("away", [T1, APART])
def test_what_has_no_content_here_is_left_out_with_a_sentence(tmp_path: Path, kind: str, away: str) -> None:
    found = planned(tmp_path, T1, APART)
    assert len(found.planned) == 1
    path = tmp_path / away
    path.unlink()
    pointers: Mapping[str, bytes] = {
        "annex": b"/annex/objects/MD5E-s3--0.nii.gz\n",
        "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
    }
    if kind == "link":
        os.symlink("../../.git/annex/objects/a/b/MD5E-s3--0.nii.gz", path)
    else:
        path.write_bytes(pointers[kind])
    found = planned(tmp_path)
    assert not found.planned and "its content is not on this disk" in found.left_out[0]


def test_equal_files_of_an_annex_are_told_apart_by_their_names(tmp_path: Path) -> None:
    content = tmp_path / "content"
    content.write_bytes(b"x")
    for name in RUNS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(content)
    sidecar = tmp_path / f"{OF_RUNS}.json"
    sidecar.parent.mkdir(parents=True)
    sidecar.write_text(json.dumps({"IntendedFor": f"bids::{RUNS[1]}"}))
    assert list(pairs(planned(tmp_path, f"{OF_RUNS}.nii.gz"))) == [RUNS[1]]


def test_files_that_only_the_validator_ignores_are_found(tmp_path: Path) -> None:
    (tmp_path / ".bidsignore").write_text("*_mask.nii.gz\n")
    assert pairs(planned(tmp_path, T1, BESIDE)) == {T1: MASK}
