from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.imaging import picture
from core.imaging.picture import DIVERGING, INFERNO, PLANES, Float, Frame
from core.volume import orientation_of, ras_affine

SHAPE = (6, 8, 5)
WHOLE = (slice(0, 6), slice(0, 8), slice(0, 5))
NUMBERED = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)


def expected(plane: int, centre: tuple[int, int, int]) -> Float:
    """The plane of NUMBERED as a reader sees it: up is up or front, the patient's left is on the right."""
    _, through, across, up = PLANES[plane]
    cut: Float = np.take(NUMBERED, centre[through], axis=through)
    assert across < up
    return cut.T[::-1, ::-1]


@pytest.mark.parametrize("plane", range(3))
@pytest.mark.parametrize("codes", ["RAS", "LPS", "AIR", "SLP"])
def test_a_plane_is_the_same_whatever_the_order_of_the_file(plane: int, codes: str) -> None:
    columns = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}
    affine = np.eye(4)
    affine[:3, :3] = np.array([columns[code] for code in codes], np.float64).T * 2
    orientation = orientation_of(affine)
    stored = orientation.from_ras(NUMBERED)
    frame = Frame(ras_affine(affine, stored.shape), WHOLE, (2, 3, 1), 2.0)
    assert np.array_equal(frame.cut(stored, affine, plane), expected(plane, (2, 3, 1)))


@pytest.mark.parametrize("plane", range(3))
def test_thick_voxels_are_drawn_as_long_as_they_are(plane: int) -> None:
    affine = np.diag([1.0, 1.0, 3.0, 1.0])
    frame = Frame(affine, WHOLE, (2, 3, 1), 0.5)
    cut = frame.cut(NUMBERED, affine, plane)
    _, _, across, up = PLANES[plane]
    sizes = (1, 1, 3)
    assert cut.shape == (SHAPE[up] * sizes[up] * 2, SHAPE[across] * sizes[across] * 2)
    enlarged = expected(plane, (2, 3, 1)).repeat(2 * sizes[up], axis=0).repeat(2 * sizes[across], axis=1)
    assert np.array_equal(cut, enlarged)


@given(
    st.tuples(*[st.integers(4, 300)] * 3),
    st.tuples(*[st.floats(0.3, 6)] * 3),
    st.sampled_from([480, 640, 1150]),
)
def test_three_planes_fit_their_width_at_physical_proportions(
    shape: tuple[int, int, int], sides: tuple[float, float, float], width: int
) -> None:
    box = (slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2]))
    frame = picture.frame(np.diag([*sides, 1.0]), box, (0, 0, 0), width)
    lengths = np.multiply(shape, sides)
    total = (2 * lengths[0] + lengths[1]) / frame.pitch
    assert 0.6 * width <= total <= 1.6 * width


def test_a_volume_elsewhere_is_empty_and_one_half_inside_is_half_drawn() -> None:
    moved = np.eye(4)
    moved[0, 3] = 3
    frame = Frame(np.eye(4), WHOLE, (2, 3, 1), 1.0)
    cut = frame.cut(NUMBERED, moved, 0)
    assert np.isnan(cut[:, 3:]).all() and not np.isnan(cut[:, :3]).any()
    moved[0, 3] = 300
    assert np.isnan(frame.cut(NUMBERED, moved, 0)).all()
    assert (picture.grey(frame.cut(NUMBERED, moved, 0), 5, 9) == 0).all()


def test_colours_run_from_end_to_end_with_nothing_at_the_middle_of_both_sides() -> None:
    values = np.array([[-2.0, 0.0, 2.0, np.nan]], np.float32)
    signed = picture.coloured(values, -2, 2, DIVERGING, 0.0)
    assert ["".join(f"{part:02x}" for part in pixel) for pixel in signed[0]] == ["053061", "f7f7f7", "67001f", "f7f7f7"]
    heat = picture.coloured(np.linspace(0, 1, 100, dtype=np.float32)[None], 0, 1, INFERNO, 0.0).astype(int)
    assert (np.diff(heat[0].sum(axis=1)) >= 0).all()


def test_an_outline_surrounds_the_mask_and_leaves_it_to_be_seen() -> None:
    pixels = np.full((9, 9), 100, np.uint8)
    mask = np.zeros((9, 9), bool)
    mask[3:6, 3:6] = True
    drawn = picture.outlined(pixels, mask)
    changed = (drawn != 100).any(axis=2)
    assert changed.sum() == 12 and not changed[mask].any()


@pytest.mark.parametrize("colour", [False, True])
def test_the_mark_is_burnt_into_every_plane(colour: bool) -> None:
    plane = np.zeros((120, 150, 3) if colour else (120, 150), np.uint8)
    plain, marked = (np.asarray(picture.strip([plane] * 3, mark)) for mark in ("", "synthetic"))
    changed = (plain != marked).reshape(120, plain.shape[1], -1).any(axis=2)
    starts = [0, 150 + picture.GAP, 2 * (150 + picture.GAP)]
    counts = [int(changed[:, start : start + 150].sum()) for start in starts]
    assert min(counts) > 100 and len(set(counts)) == 1


def test_a_mirrored_picture_has_the_other_letters_too() -> None:
    plane = np.zeros((120, 150), np.uint8)
    plane[20:40, 10:30] = 255
    seen = [np.asarray(picture.strip([plane] * 3, mirrored=mirrored)) for mirrored in (False, True)]
    assert seen[0][30, 20] == seen[1][30, 129] == 255
    assert seen[1][30, 20] == 0
    # R stands on the left of one and L on that of the other, as in a picture whose ends are exchanged
    letters = [one[50:70, :24] for one in seen]
    assert letters[0].any() and (letters[0] != letters[1]).any()


@pytest.mark.parametrize(("write", "kind"), [(picture.png, "PNG"), (picture.webp, "WEBP")])
def test_pictures_are_read_again(write: object, kind: str) -> None:
    made = Image.fromarray(np.linspace(0, 255, 64 * 80).reshape(64, 80).astype(np.uint8))
    data = write(made)  # type: ignore[operator]
    with Image.open(BytesIO(data)) as again:
        assert (again.format, again.size) == (kind, (80, 64))
        assert np.abs(np.asarray(again.convert("L"), float) - np.asarray(made)).max() < 6
    assert data == write(made)  # type: ignore[operator]
