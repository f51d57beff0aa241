"""Which of the two finds a brain; on real label maps, how well."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.anatomy import brain as module
from core.anatomy.brain import find_brain
from core.anatomy.head import find_head
from core.commands.synth import MARGIN
from core.files.nifti import read_volume
from core.synth.labelmaps import CSF, LAST_BRAIN, WHITE, brain_of, tissues_of
from core.synth.subject import subject
from core.volume import Volume
from tests.core.brains import brain, grid, inside
from tests.source import ROOT

DATA = ROOT.parent / "shared" / "data"
LABELS = DATA / "labels" / "synthseg"
GRID = grid(2.0, (86, 104, 84))
HEAD = brain("t1", *GRID, whole=True, scale=1.0)
TRUTH = inside(*GRID, scale=1.0)

Bool = NDArray[np.bool_]


def dice(first: Bool, second: Bool) -> float:
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


def test_a_brain_of_likely_size_is_that_of_the_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "network_brain", lambda image: TRUTH & (image > 0))
    found = find_brain(HEAD)
    assert found.weights == ("brain-box", "brain") and "deepbet" in found.means
    np.testing.assert_array_equal(found.mask, TRUTH)


# nothing, half a brain (0.6 l), and the whole picture
@pytest.mark.parametrize("seen", [HEAD.data < 0, TRUTH & (np.arange(86)[:, None, None] > 43), HEAD.data > -1])
def test_where_the_networks_see_no_likely_brain_the_surface_is_taken(
    seen: Bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = HEAD.data > 30
    monkeypatch.setattr(module, "network_brain", lambda image: seen)
    monkeypatch.setattr(module, "surface_brain", lambda volume, given: TRUTH & given & (volume.data > 0))
    found = find_brain(HEAD, head)
    assert found.weights == () and "surface" in found.means
    np.testing.assert_array_equal(found.mask, TRUTH & head)


def test_what_is_no_head_has_no_brain() -> None:
    affine, shape = GRID
    found = find_brain(Volume(np.zeros(shape, np.float32), affine))
    assert not found.mask.any() and found.weights == ()


@pytest.mark.slow
@pytest.mark.skipif(not LABELS.is_dir(), reason="no label maps of people: ../shared/data is absent")
# a T1 and a FLAIR in which a surface found no brain, and a T1 of thick slices in which it took 0.46 l of scalp in
@pytest.mark.parametrize(("number", "contrast", "thick"), [(11, "t1", 1), (5, "flair", 1), (15, "t1", 5)])
def test_no_tissue_of_a_synthetic_head_is_lost(number: int, contrast: str, thick: int) -> None:
    labels = read_volume(LABELS / f"training_seg_{number:02d}.nii.gz").data.astype(np.int32)
    made = subject(np.pad(tissues_of(labels), MARGIN), 700 + number, (contrast,), whole_head=True)
    planes = made.tissues.shape[2] // thick * thick
    image = made.images[contrast][:, :, :planes].reshape(*made.tissues.shape[:2], -1, thick).mean(axis=3)
    tissues = made.tissues[:, :, thick // 2 : planes : thick]
    whole = brain_of(made.tissues)[:, :, thick // 2 : planes : thick] | ((tissues >= CSF) & (tissues <= LAST_BRAIN))
    volume = Volume(image.astype(np.float32), np.diag([1.0, 1.0, float(thick), 1.0]))
    found = find_brain(volume)
    assert found.weights
    assert dice(found.mask, whole) > 0.94
    assert found.mask[(tissues >= WHITE) & (tissues <= LAST_BRAIN)].mean() > 0.99


@pytest.mark.slow
@pytest.mark.parametrize("person", ["01", "05"])
def test_a_t1_and_a_t2_of_one_person_have_one_volume(person: str) -> None:
    folder: Path = DATA / "train" / "lhdata" / person
    if not folder.is_dir():
        pytest.skip("no real whole heads: ../shared/data is absent")
    scans = [read_volume(folder / f"{contrast}.nii.gz") for contrast in ("t1", "t2")]
    assert all(find_head(scan).kind == "head" for scan in scans)
    t1, t2 = (find_brain(scan).mask.sum() * np.prod(scan.spacing) / 1000 for scan in scans)
    # a surface found 14 to 21 % more in the T2
    assert 1200 < t1 < 1750 and abs(t2 / t1 - 1) < 0.05
