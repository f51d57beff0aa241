import numpy as np
import pytest
from numpy.typing import NDArray

from core.synth.labelmaps import CSF, TISSUES, WHITE, brain_of, tissues_of
from core.synth.subject import subject

SKULL = 16
SKIN = 15


@pytest.fixture(scope="module")
def head() -> NDArray[np.uint8]:
    place = np.indices((64, 64, 64)) - 31.5
    radius = np.sqrt((place**2).sum(axis=0))
    tissues = np.zeros(radius.shape, np.uint8)
    for outer, tissue in ((31, SKIN), (27, SKULL), (24, CSF), (22, 3), (18, WHITE), (6, CSF)):
        tissues[radius < outer] = tissue
    return tissues


def test_labels_of_both_sides_become_one_tissue() -> None:
    labels = np.array([0, 2, 41, 3, 42, 4, 43, 24, 507, 515, 999])
    assert [TISSUES[index].name for index in tissues_of(labels)] == [
        "background",
        "white matter",
        "white matter",
        "cortex",
        "cortex",
        "CSF",
        "CSF",
        "CSF",
        "muscle and fat",
        "skull",
        "background",
    ]


def test_the_brain_has_its_ventricles_but_no_skull(head: NDArray[np.uint8]) -> None:
    brain = brain_of(head)
    assert brain[32, 32, 32]
    assert not brain[head >= SKIN].any()
    assert brain[head == WHITE].all()


def test_contrast_is_that_of_a_t1(head: NDArray[np.uint8]) -> None:
    made = subject(head, 3, ("t1",), whole_head=True)
    scan, moved = made.images["t1"], made.tissues
    level = {index: float(np.median(scan[moved == index])) for index in (CSF, WHITE, 3, SKULL, SKIN)}
    assert level[WHITE] == pytest.approx(1, abs=0.02)
    assert 0.5 < level[3] < 0.8
    assert level[CSF] < 0.45
    assert level[SKULL] < 0.35
    assert level[SKIN] > 0.6
    assert np.isfinite(scan).all()


def test_a_stripped_scan_is_zero_outside_the_brain(head: NDArray[np.uint8]) -> None:
    made = subject(head, 3, ("t1",))
    scan, moved = made.images["t1"], made.tissues
    assert scan[moved == 0].max() == 0
    assert set(np.unique(moved)) <= {0, CSF, WHITE, 3}


def test_the_seed_is_the_subject(head: NDArray[np.uint8]) -> None:
    first, again, other = (subject(head, seed, ("t1",)).images["t1"] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.abs(first - other).mean() > 0.01
