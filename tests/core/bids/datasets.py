"""A small BIDS data set of made-up heads: sessions, runs, lesion masks here and in derivatives."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.contract.phantom import write_contrasts, write_phantom, write_thick

DESCRIPTION = {"Name": "Made up", "BIDSVersion": "1.10.0", "DatasetType": "raw", "License": "CC0"}


def write_dataset(folder: Path) -> Path:
    """Write the data set into ``folder`` and return it.

    sub-01: a T1w and its mask as roi beside it. sub-02: two sessions; in the first two runs of T1w, with a mask of the
    second run in derivatives. sub-03: T1w and T2w without a mask. sub-04: a T2w with thick slices.
    """
    work = folder.parent / "scans"
    work.mkdir()
    heads, thick = write_phantom(work), write_thick(work)
    (folder / "derivatives" / "lesions").mkdir(parents=True)
    _json(folder / "dataset_description.json", DESCRIPTION)
    made = {"GeneratedBy": [{"Name": "by hand"}], "DatasetType": "derivative"}
    _json(folder / "derivatives" / "lesions" / "dataset_description.json", {**DESCRIPTION, **made})
    (folder / "README").write_text("Heads made of formulas.\n")
    one, two = folder / "sub-01" / "anat", folder / "sub-02" / "ses-a" / "anat"
    _copy(heads["t1"], one / "sub-01_T1w.nii.gz")
    _copy(heads["mask"], folder / "derivatives" / "lesions" / "sub-01" / "anat" / "sub-01_label-lesion_roi.nii.gz")
    for run in ("1", "2"):
        _copy(heads["t1"], two / f"sub-02_ses-a_run-{run}_T1w.nii.gz")
    masks = folder / "derivatives" / "lesions" / "sub-02" / "ses-a" / "anat"
    _copy(heads["mask"], masks / "sub-02_ses-a_run-2_label-lesion_mask.nii.gz")
    _copy(heads["mask"], masks / "sub-02_ses-a_run-2_space-MNI152NLin6Asym_label-lesion_mask.nii.gz")
    _copy(heads["mask"], masks / "sub-02_ses-a_run-1_label-vessel_mask.nii.gz")
    _copy(heads["t1"], folder / "sub-02" / "ses-b" / "anat" / "sub-02_ses-b_T1w.nii.gz")
    contrasts = write_contrasts(work)
    three = folder / "sub-03" / "anat"
    _copy(contrasts["t1"], three / "sub-03_T1w.nii.gz")
    _copy(contrasts["t1ce"], three / "sub-03_ce-gadolinium_T1w.nii.gz")
    _copy(contrasts["t2"], three / "sub-03_T2w.nii.gz")
    _copy(thick["image"], folder / "sub-04" / "anat" / "sub-04_T2w.nii.gz")
    return folder


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    # what a scanner's file states, for the validator
    _json(target.with_name(target.name.replace(".nii.gz", ".json")), {"Manufacturer": "none"})


def _json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content))
