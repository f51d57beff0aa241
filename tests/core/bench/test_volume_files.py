from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np

from core.bench.case import Label, Row
from core.bench.volume_files import Volumes
from core.files.nifti import read_volume
from core.imaging.outcome import DESCRIPTION
from tests.core.bench.test_case import BRAIN, TRUTH, Copying

CASE = Copying(Label("inpaint", "Holes of 12 ml, deep", "1015"), region=BRAIN, spacing=(6.0, 6.0, 5.0))
NAME = "inpaint-Holes-of-12-ml-deep-1015-0"


def row(method: str, **scores: float) -> Row:
    return Row(CASE.label, method, method.title(), scores=scores)


def described(path: Path) -> str:
    return str(nib.load(path).header["descrip"].item().decode())


def test_images_are_marked_and_the_truth_is_not(tmp_path: Path) -> None:
    Volumes(tmp_path).add(CASE, row("net/free", psnr=20.0, ssim=float("nan"), mae=float("inf")), TRUTH * 0.5)
    image = tmp_path / "net-free" / f"{NAME}.nii.gz"
    truth, region = (tmp_path / part / image.name for part in ("truth", "regions"))
    assert (described(image), described(region), described(truth)) == (DESCRIPTION, DESCRIPTION, "")
    assert np.array_equal(read_volume(image).data, TRUTH * 0.5)
    assert np.array_equal(read_volume(truth).data, TRUTH)
    assert np.array_equal(read_volume(region).data, BRAIN)
    assert read_volume(image).spacing == (6.0, 6.0, 5.0)
    assert json.loads((tmp_path / "measures.json").read_text()) == {"net-free": {NAME: {"psnr": 20.0}}}


def test_other_cases_and_methods_stay(tmp_path: Path) -> None:
    whole = replace(CASE, label=Label("superres", "4 mm", "1015"), region=None)
    for case, method, psnr in ((CASE, "net", 20.0), (CASE, "net", 21.0), (CASE, "shell", 10.0), (whole, "net", 30.0)):
        Volumes(tmp_path).add(case, row(method, psnr=psnr), TRUTH)
    assert json.loads((tmp_path / "measures.json").read_text()) == {
        "net": {NAME: {"psnr": 21.0}, "superres-4-mm-1015-0": {"psnr": 30.0}},
        "shell": {NAME: {"psnr": 10.0}},
    }
    assert [path.name for path in (tmp_path / "regions").iterdir()] == [f"{NAME}.nii.gz"]
