import numpy as np
from scipy import ndimage

from core.synth.labelmaps import CEREBELLAR_CORTEX, CORTEX, CSF, LAST_BRAIN, WHITE
from core.synth.phantom import phantom


def test_a_phantom_has_the_parts_of_a_head_in_their_places() -> None:
    tissues = phantom(0, (80, 96, 80))
    assert tissues.dtype == np.uint8
    counts = np.bincount(tissues.ravel(), minlength=21)
    assert (counts[[CSF, WHITE, CORTEX, CEREBELLAR_CORTEX, 6, 7, 8, 9, 10, 11, 13, 15, 16]] > 0).all()
    # cortex and white matter are of one size, as in a person
    assert 0.4 < counts[CORTEX] / counts[WHITE] < 2.5
    brain = (tissues >= WHITE) & (tissues <= LAST_BRAIN)
    place = {tissue: ndimage.center_of_mass(tissues == tissue) for tissue in (WHITE, CEREBELLAR_CORTEX)}
    assert place[CEREBELLAR_CORTEX][1] < place[WHITE][1]
    assert place[CEREBELLAR_CORTEX][2] < place[WHITE][2]
    assert not brain[0].any()
    assert not brain[:, :, -1].any()


def test_the_seed_folds_the_cortex() -> None:
    first, again, other = (phantom(seed, (40, 48, 40)) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert (first != other).mean() > 0.02
