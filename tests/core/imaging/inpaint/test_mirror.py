from __future__ import annotations

from collections.abc import Generator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from core.events import Progress
from core.imaging.inpaint.classical import harmonic
from core.imaging.inpaint.mirror import Midline, find_midline, match, mirror, opposite
from core.imaging.options import Options
from core.imaging.problem import Estimate, Problem

SIDE = 24
SPACING = (5.0, 5.0, 5.0)
Float = NDArray[np.float32]
Bool = NDArray[np.bool_]


def finish(steps: Generator[Progress, None, Estimate]) -> tuple[list[Progress], Estimate]:
    seen: list[Progress] = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as stop:
            fill: Estimate = stop.value
            return seen, fill


def phantom(plane: Midline) -> tuple[Float, Bool]:
    """A textured ellipsoid that is its own reflection across ``plane``, and where it is."""
    texture = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((SIDE,) * 3), 1.5)
    points: NDArray[np.float64] = np.indices(texture.shape).reshape(3, -1).astype(np.float64) * SPACING[0]
    mirrored = plane.reflect(points)
    values = [
        ndimage.map_coordinates(texture, place / SPACING[0], order=1, mode="nearest") for place in (points, mirrored)
    ]
    size = np.array([46.0, 52.0, 44.0])[:, None]
    middle = np.array(plane.centre)[:, None]
    # Symmetric by construction: a point belongs when both it and its mirror image are within the ellipsoid.
    inside = [(((place - middle) / size) ** 2).sum(axis=0) < 1 for place in (points, mirrored)]
    head = (inside[0] & inside[1]).reshape(texture.shape)
    image = 100 + 400 * (values[0] + values[1]).reshape(texture.shape)
    return np.where(head, image, 0).astype(np.float32), head


def problem_of(image: Float, head: Bool, centre: tuple[int, int, int], radius: float = 2.8) -> Problem:
    x, y, z = np.ogrid[:SIDE, :SIDE, :SIDE]
    mask = ((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2 < radius**2) & head
    return Problem(np.where(mask, 0, image).astype(np.float32), mask, head, SPACING)


CENTRE = (57.0, 57.0, 57.0)
TILTED = Midline(CENTRE, 4.0, 0.12, -0.08)


def test_a_reflection_is_its_own_inverse() -> None:
    points = np.random.default_rng(0).normal(0, 50, (3, 20))
    assert TILTED.reflect(TILTED.reflect(points)) == pytest.approx(points)


@pytest.mark.parametrize("plane", [Midline(CENTRE, 0.0, 0.0, 0.0), TILTED, Midline(CENTRE, -8.0, -0.15, 0.15)])
def test_the_midline_of_a_symmetric_phantom_is_found(plane: Midline) -> None:
    image, head = phantom(plane)
    found = find_midline(problem_of(image, head, (17, 11, 13)))
    points = np.argwhere(head).T.astype(np.float64) * SPACING[0]
    miss = np.linalg.norm(found.reflect(points) - plane.reflect(points), axis=0)
    assert miss.mean() < 0.25 * SPACING[0]


def test_a_symmetric_phantom_is_restored() -> None:
    image, head = phantom(TILTED)
    problem = problem_of(image, head, (17, 11, 13))
    progress, fill = finish(mirror(problem, Options()))
    _, plain = finish(harmonic(problem, Options()))
    mask = problem.mask
    error = np.abs(fill.values - image)[mask].mean()
    assert error < 0.15 * image[mask].std() < np.abs(plain.values - image)[mask].mean()
    assert all(a.fraction <= b.fraction for a, b in pairwise(progress))
    assert fill.calls == 0
    assert not fill.values[~mask].any()


def test_a_hole_on_the_midline_is_filled_smoothly() -> None:
    image, head = phantom(Midline(CENTRE, 0.0, 0.0, 0.0))
    problem = problem_of(image, head, (11, 11, 11), radius=2.5)
    _, fill = finish(mirror(problem, Options()))
    values = fill.values[problem.mask]
    assert np.isfinite(values).all()
    assert values.min() > image[head].min() - 1
    assert values.max() < image[head].max() + 1


def test_the_same_problem_gives_the_same_bytes() -> None:
    image, head = phantom(TILTED)
    fills = [finish(mirror(problem_of(image, head, (17, 11, 13)), Options()))[1].values for _ in range(2)]
    assert fills[0].tobytes() == fills[1].tobytes()


def test_an_empty_scan_does_not_fail() -> None:
    head = np.ones((SIDE,) * 3, bool)
    _, fill = finish(mirror(problem_of(np.zeros(head.shape, np.float32), head, (11, 11, 11)), Options()))
    assert not fill.values.any()


@given(st.floats(0.6, 1.8), st.floats(-100, 100))
def test_match_undoes_gain_and_shift_despite_outliers(gain: float, shift: float) -> None:
    source = np.random.default_rng(0).normal(100, 20, 400)
    target = gain * source + shift
    target[:8] = 1e5
    found_gain, found_shift = match(source, target)
    assert found_gain * 100 + found_shift == pytest.approx(gain * 100 + shift, abs=2)
    assert found_gain == pytest.approx(gain, rel=0.05)


def test_match_leaves_a_handful_of_values_alone() -> None:
    assert match(np.ones(3), np.zeros(3)) == (1.0, 0.0)


def test_surfaces_that_are_apart_are_brought_to_the_same_depth() -> None:
    # rings of equal depth, thicker on the right: without it the fill would be one ring off, or outside the head
    side, spacing = 48, (1.0, 1.0, 1.0)
    x, y, z = np.indices((side,) * 3) - 23.5
    right, left = 21.0, 17.0
    radius = np.sqrt((x / np.where(x > 0, right, left)) ** 2 + (y / 19) ** 2 + (z / 19) ** 2)
    head = radius < 1
    depth = ndimage.distance_transform_edt(head)
    image = np.where(head, 100 + 40 * np.cos(depth / 1.5), 0).astype(np.float32)
    mask = ((x - 15) ** 2 + y**2 + z**2 < 7**2) & head
    problem = Problem(np.where(mask, 0, image).astype(np.float32), mask, head, spacing)
    seen, known = opposite(problem, np.zeros_like(image))
    rim = mask & (depth < 5)
    assert known[rim].mean() > 0.85
    assert np.corrcoef(seen[rim & known], image[rim & known])[0, 1] > 0.8
    assert not seen[~known].any() and not known[~mask].any()


def test_what_lies_far_from_the_mask_and_its_mirror_image_changes_nothing() -> None:
    image, head = phantom(TILTED)
    inner = problem_of(image, head, (17, 11, 13))
    wide = Problem(np.pad(inner.image, 20), np.pad(inner.mask, 20), np.pad(head, 20), SPACING)
    seen, known = opposite(inner, inner.image)
    wide_seen, wide_known = opposite(wide, wide.image)
    middle = (slice(20, -20),) * 3
    np.testing.assert_array_equal(wide_known[middle], known)
    # places counted from another voxel are rounded otherwise
    np.testing.assert_allclose(wide_seen[middle], seen, atol=0.02 * image.max())


def test_a_mask_deep_in_a_head_is_mirrored() -> None:
    rng = np.random.default_rng(0)
    texture = ndimage.gaussian_filter(rng.standard_normal((80, 60, 60)), 1.5).astype(np.float32)
    image = 100 + 400 * (texture + texture[::-1])
    mask = np.zeros(image.shape, bool)
    mask[50:53, 29:32, 29:32] = True
    problem = Problem(np.where(mask, np.float32(0), image), mask, np.ones(image.shape, bool), SPACING)
    seen, known = opposite(problem, image)
    assert known[mask].all()
    assert np.abs(seen - image)[mask].mean() < 0.3 * image.std()
