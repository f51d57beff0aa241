from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.anatomy import registration
from core.anatomy.head import find_head
from core.anatomy.registration import Alignment
from core.anatomy.same_head import Fit
from core.imaging import one_head
from core.imaging.one_head import fit_note, reference_note
from core.result import Note
from core.volume import Volume
from tests.core.brains import rigid
from tests.core.made_heads import SHAPE, heads

Bool = NDArray[np.bool_]


def noted(truth: Volume, scan: Volume) -> Note:
    return reference_note(truth, scan, find_head(scan))


def test_a_note_has_the_figure_and_warns_as_surely_as_it_is() -> None:
    same = fit_note("T2", "T1", Fit(0.72, 340))
    assert (
        same.level == "info" and "in 72% of 340 blocks" in same.text and same.text.startswith("T2 and T1 show one head")
    )
    unsure = fit_note("T2", "T1", Fit(0.25, 340))
    assert unsure.level == "warning" and "may be of two people, or badly aligned" in unsure.text
    two = fit_note("T2", "T1", Fit(0.05, 340))
    assert two.level == "warning" and "seem to be of two people" in two.text and "in 5% of 340 blocks" in two.text
    few = fit_note("T2", "T1", Fit(0.05, 12))
    assert few.level == "info" and "too little" in few.text


def test_a_reference_that_fits_where_it_lies_is_not_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_head, "register_heads", None)
    scan = heads(2)["t1"]
    for name in ("t1", "flair"):
        note = noted(heads(2)[name], scan)
        assert note.level == "info" and note.text.startswith("The reference and the scan show one head: ")


def test_a_reference_of_another_person_is_warned_of_and_one_out_of_place_is_not_accused() -> None:
    scan = heads(2)["t1"]
    other = noted(heads(3)["t1"], scan)
    assert other.level == "warning" and "seem to be of two people" in other.text
    away = noted(Volume(heads(2)["t2"].data, rigid((0, 0, 3), (5, 0, 2)) @ heads(2)["t2"].affine), scan)
    assert away.level == "warning" and "of the same head, but lies" in away.text
    assert "people" not in away.text


def test_what_a_mask_has_emptied_does_not_count() -> None:
    scan = heads(2)["t1"]
    mask = np.zeros(SHAPE, bool)
    # two thirds of the brain: what is left of it fits
    mask[:, :50] = True
    emptied = Volume(np.where(mask & (scan.data > 0), 0.5, scan.data).astype(np.float32), scan.affine)
    head = find_head(scan)
    assert reference_note(scan, emptied, head, mask).level == "info"
    assert "people" in reference_note(heads(3)["t1"], emptied, head, mask).text


def test_a_brain_is_registered_with_a_whole_head_from_either_side(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, brain = heads(5, whole=True)["t1"], heads(5)["t2"]
    searched: list[tuple[Volume, Bool]] = []

    def stay(fixed: Volume, moving: Volume, head: Bool) -> Alignment:
        searched.append((fixed, head))
        return Alignment(np.eye(4), 0, 0, 0, 0)

    monkeypatch.setattr(registration, "register", stay)
    registration.register_heads(whole, find_head(whole), brain, find_head(brain))
    registration.register_heads(brain, find_head(brain), whole, find_head(whole))
    assert all(fixed is brain and head.sum() == find_head(brain).mask.sum() for fixed, head in searched)
