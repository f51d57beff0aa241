from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.imaging.brain_position import across, brain_box, place_of, position


def brain(shape: tuple[int, int, int] = (20, 24, 18), low: int = 3) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[low : shape[0] - 2, 4:20, 2:16] = True
    return mask


def test_a_whole_head_has_no_place() -> None:
    assert brain_box(brain(), 0.001) is not None
    assert brain_box(brain(), 3.0) is None
    assert brain_box(np.zeros((4, 4, 4), bool), 0.001) is None


@given(st.integers(0, 6), st.integers(6, 14), st.integers(4, 10))
def test_a_crop_sees_the_mirrored_voxel(low: int, start: int, side: int) -> None:
    head = brain(low=low)
    image = np.where(head, np.random.default_rng(1).random(head.shape), 0).astype(np.float32)
    mask = np.zeros_like(head)
    mask[5:8, 6:9, 5:9] = True
    box = brain_box(head, 0.001)
    assert box is not None
    crop = (slice(start, start + side), slice(4, 12), slice(3, 11))
    place = place_of(image, mask, box, crop)
    for i in range(min(side, head.shape[0] - start)):
        other = int(across(np.array(start + i), box))
        if not 0 <= other < head.shape[0]:
            assert not place.known[i].any()
            continue
        hidden = mask[other, 4:12, 3:11]
        np.testing.assert_array_equal(place.known[i], ~hidden)
        np.testing.assert_array_equal(place.mirrored[i], np.where(hidden, 0, image[other, 4:12, 3:11]))


def test_the_middle_of_the_brain_is_zero_and_its_sides_are_opposite() -> None:
    box = brain_box(brain(), 0.001)
    assert box is not None
    x = np.linspace(box[0].start, box[0].stop - 1, 7)
    points = np.stack([x, np.full(7, 8.0), np.full(7, 9.0)])
    placed = position(points, box)
    np.testing.assert_allclose(placed[0], -placed[0][::-1], atol=1e-6)
    assert np.abs(placed).max() <= 1.2
    np.testing.assert_allclose(across(across(x, box), box), x)
