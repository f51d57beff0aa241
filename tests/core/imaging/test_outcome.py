from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from core.files.nifti import Stored
from core.imaging.drive import Done
from core.imaging.outcome import DESCRIPTION, notes_of, row_of, write_scan
from core.imaging.problem import Estimate
from core.result import Note
from core.tasks import find

PLAIN = next(method for method in find("inpaint").methods if method.cheap)


def done(deviation: bool, notice: str = "") -> Done:
    values = np.zeros((2, 2, 2), np.float32)
    return Done(PLAIN, Estimate(values, values if deviation else None, 3, notice=notice), 1.23456)


def test_a_row_holds_what_a_method_cost_beside_its_measures() -> None:
    row = row_of(done(True), {"psnr": 20.0})
    assert (row.method, row.values) == (PLAIN.name, {"seconds": 1.23, "calls": 3, "psnr": 20.0})


def test_notes_name_a_missing_uncertainty_and_what_the_method_noted() -> None:
    assert notes_of(done(True)) == ()
    assert notes_of(done(True, "Half of it is a guess.")) == (Note("warning", "Half of it is a guess."),)
    (note,) = notes_of(done(False))
    assert note.level == "info" and PLAIN.title in note.text


def test_a_written_scan_is_marked_synthetic(tmp_path: Path) -> None:
    artifact = write_scan(tmp_path, Stored(np.ones((3, 4, 5), np.float32), np.eye(4)), "result")
    header = nib.loadsave.load(artifact.path).header
    assert header["descrip"].item().decode() == DESCRIPTION
