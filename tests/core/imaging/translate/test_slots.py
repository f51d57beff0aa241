from __future__ import annotations

import numpy as np
import pytest

from core.contrasts import CONTRASTS
from core.files.nifti import read_volume
from core.imaging.contrast_look import chances, look
from core.imaging.translate.slots import assign, recognise
from core.presentation import Assignment
from core.train.heldout import TUMOUR
from core.volume import Volume
from tests.core.brains import brain, grid
from tests.source import ROOT

DATA = ROOT.parent / "shared" / "data"
NAMES = {
    "t1": [
        "sub-01_T1w.nii.gz",
        "BraTS-GLI-00000-000-t1n.nii.gz",
        "t1_mprage_sag_p2_iso.nii",
        "T1.mgz",
        "bravo.nii",
        "T1-pre-contrast.nii",
        "t1_native.nii",
        "fl2d_t1.nii",
        "subject_spgr.nii.gz",
    ],
    "t1ce": [
        "Brats18_x_t1ce.nii",
        "BraTS-GLI-00000-000-t1c.nii.gz",
        "sub-01_ce-gadolinium_T1w.nii",
        "t1_mprage_sag_KM.nii",
        "t1post.nii.gz",
        "T1+C.nii",
        "ax_t1_gd.nii.gz",
        "t1gd.nii",
        "SPGR_post.nii",
        "contrast_t1.nii",
        "COR_T1_SE+GD.nii",
    ],
    "t2": ["sub-1_acq-tse_T2w.nii", "BraTS-GLI-00000-000-t2w.nii.gz", "T2_TSE.nrrd", "patient.with.dots.t2.nii.gz"],
    "flair": [
        "FLAIR.nii.gz",
        "t2flair.nii",
        "3D_T2_FLAIR.mgz",
        "t2_space_dark-fluid_sag.nii",
        "BraTS-GLI-00000-000-t2f.nii.gz",
        "FLAIR_post.nii",
    ],
}
SILENT = [
    "orig.mgz",
    "MR.nii.gz",
    "scan.nii",
    "t2star.nii",
    "T2_swi.nii",
    "t1_mask.nii",
    "brain_t1_seg.nii",
    "t1t2.nii",
]


@pytest.mark.parametrize(("slot", "name"), [(slot, name) for slot, names in NAMES.items() for name in names])
def test_names_tell_the_contrast(slot: str, name: str) -> None:
    assert recognise(name) == slot
    assert recognise(f"/some/t2/folder/{name.upper()}") == slot


@pytest.mark.parametrize("name", SILENT)
def test_names_that_tell_nothing_or_another_kind_of_file(name: str) -> None:
    assert recognise(name) is None


def test_a_mask_is_no_contrast_however_it_looks() -> None:
    assert recognise("t1_lesion.nii.gz", brain("t1")) is None


def test_what_a_scan_looks_like_does_not_depend_on_its_units() -> None:
    image = brain("t1", *grid(2.0, (76, 92, 74)), scale=1.0)
    first = look(image)
    second = look(Volume(image.data * np.float32(7), image.affine))
    assert first is not None
    assert second is not None
    np.testing.assert_allclose(first, second, atol=1e-3)
    assert chances(first).sum() == pytest.approx(1)


def test_a_whole_head_and_a_tiny_brain_are_not_judged() -> None:
    affine, shape = grid(2.0, (86, 104, 84))
    assert look(brain("t1", affine, shape, whole=True, scale=1.0)) is None
    assert look(brain("t1", scale=0.3)) is None


HELD_OUT = [
    *((slot, DATA / "train" / "brats18" / TUMOUR / f"{slot}.nii.gz") for slot in CONTRASTS),
    *(
        (slot, DATA / "demo" / "stroke" / f"{name}.nii.gz")
        for slot, name in (("t1", "T1"), ("t2", "T2"), ("flair", "FLAIR"))
    ),
    *(
        (slot, DATA / "demo" / "openms_patient07" / f"{name}.nii.gz")
        for slot, name in (("t1", "t1"), ("t1ce", "t1post"), ("t2", "t2"), ("flair", "flair"))
    ),
]


@pytest.mark.skipif(not all(path.is_file() for _, path in HELD_OUT), reason="no real scans: ../shared/data is absent")
def test_held_out_scans_are_recognised_or_asked_about() -> None:
    answers = [(slot, recognise("scan.nii.gz", read_volume(path))) for slot, path in HELD_OUT]
    assert [(slot, found) for slot, found in answers if found not in (slot, None)] == []
    assert sum(found is not None for _, found in answers) >= 8


def test_several_files_fill_the_slots() -> None:
    files = [("a_flair.nii", brain("flair")), ("a_t2w.nii", None), ("a_T1w.nii", brain("t1"))]
    assert assign(files) == Assignment({"t1": 2, "t2": 1, "flair": 0})
    assert assign([]) == Assignment()


def test_the_named_one_of_two_equal_scans_is_kept() -> None:
    found = assign([("x.nii", brain("t2")), ("T2.nii", brain("t2"))])
    assert found.slots == {"t2": 1}
    assert found.problems == ("T2.nii and x.nii are the same scan: the second is left out.",)


def test_two_files_for_one_slot_and_one_for_none_are_named() -> None:
    found = assign([("a_t1.nii", None), ("b_t1.nii", None), ("c.nii", None)])
    assert found.slots == {"t1": 0}
    assert found.problems == (
        "b_t1.nii looks like T1, and so does a_t1.nii: choose one of them.",
        "The contrast of c.nii is not clear: choose its slot.",
    )
