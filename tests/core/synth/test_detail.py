import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from core.synth.detail import draw_detail, threads
from core.synth.fields import stream
from core.synth.labelmaps import CEREBELLAR_CORTEX, CEREBELLAR_WHITE, CSF, LAST_BRAIN, brain_of
from core.synth.phantom import phantom


@pytest.fixture(scope="module")
def tissues() -> NDArray[np.uint8]:
    return phantom(0, (80, 96, 80))


def test_a_stripped_anatomy_is_one_brain_without_holes(tissues: NDArray[np.uint8]) -> None:
    detail = draw_detail(tissues, False, stream(1, "detail"))
    assert ndimage.label(detail.brain)[1] == 1
    assert (detail.tissues[detail.brain] > 0).all()
    assert (detail.tissues[~detail.brain] == 0).all()
    plain = brain_of(tissues)
    # the rim wanders by a voxel or so
    assert 0 < (detail.brain != plain).sum() < 0.1 * plain.sum()


def test_a_whole_head_keeps_what_is_around(tissues: NDArray[np.uint8]) -> None:
    detail = draw_detail(tissues, True, stream(1, "detail"))
    around = tissues > LAST_BRAIN
    assert np.array_equal(detail.tissues[around], tissues[around])


def test_the_cerebellum_gets_leaves_and_nothing_else_does(tissues: NDArray[np.uint8]) -> None:
    detail = draw_detail(tissues, True, stream(1, "detail"))
    changed = (detail.tissues != tissues) & (tissues > 0)
    assert changed.sum() > 200
    assert set(np.unique(tissues[changed])) <= {CEREBELLAR_CORTEX, CEREBELLAR_WHITE}
    assert set(np.unique(detail.tissues[changed])) <= {CSF, CEREBELLAR_CORTEX, CEREBELLAR_WHITE}


def test_vessels_run_in_the_fluid_around_the_brain(tissues: NDArray[np.uint8]) -> None:
    detail = draw_detail(tissues, False, stream(1, "detail"))
    assert detail.vessels.any()
    assert (detail.tissues[detail.vessels] == CSF).all()
    assert detail.outer[detail.vessels].all()


def test_threads_are_thin_and_long() -> None:
    found = threads((64, 64, 64), 16.0, 1.0, stream(3, "threads")).numpy()
    assert 0.001 < found.mean() < 0.03
    pieces, count = ndimage.label(found, np.ones((3, 3, 3)))
    largest = np.argwhere(pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:]))
    assert np.ptp(largest, axis=0).max() > 16
    assert count < 200
