import numpy as np
import pytest
from scipy import ndimage

from core.train.mask_shapes import hole


@pytest.mark.parametrize("millilitres", [2.0, 20.0])
def test_masks_have_about_the_volume_that_is_wanted(millilitres: float) -> None:
    rng = np.random.default_rng(0)
    found = [hole(80, millilitres, rng).sum() / 1000 for _ in range(12)]
    assert 0.6 * millilitres < np.mean(found) < 1.1 * millilitres


def test_masks_have_one_part_or_several() -> None:
    rng = np.random.default_rng(1)
    parts = [ndimage.label(hole(96, 12, rng))[1] for _ in range(20)]
    assert {1, 2} <= set(parts) and max(parts) <= 4


def test_a_real_shape_keeps_its_form_and_takes_the_volume() -> None:
    # a rod: five times as long as it is wide, in mm, on voxels of 2 x 2 x 1 mm
    rod = np.zeros((7, 7, 54), bool)
    rod[1:6, 1:6, 2:52] = True
    elongation = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        mask = hole(80, 8.0, rng, [rod], (2.0, 2.0, 1.0))
        labels, count = ndimage.label(mask)
        if count != 1:
            continue
        assert 3.0 < mask.sum() / 1000 < 12.0
        points = np.argwhere(labels == 1)
        spread = np.sqrt(np.linalg.eigvalsh(np.cov(points.T)))
        elongation.append(spread[2] / spread[1])
    # half of the parts are the rod, the others are lumps
    assert np.sum(np.array(elongation) > 3) >= 3 and np.sum(np.array(elongation) < 2) >= 3
