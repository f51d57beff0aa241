from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.anatomy.head import Head, find_head
from core.anatomy.registration import register_heads
from core.anatomy.same_head import FEWEST, ONE_HEAD, TWO_HEADS, Fit, fit, judge
from core.volume import Volume, resample
from tests.core.brains import rigid
from tests.core.made_heads import SHAPE, SIZE_MM, heads


def fits(one: Volume, other: Volume) -> Fit:
    return fit(one, find_head(one), other, find_head(other))


def aligned(one: Volume, other: Volume) -> Volume:
    """Return ``other`` where registration puts it on ``one``."""
    found = register_heads(one, find_head(one), other, find_head(other))
    assert found is not None
    return Volume(other.data, found.matrix @ other.affine)


def moved(scan: Volume, matrix: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Volume:
    """Return the head of ``scan`` in another position, sampled anew."""
    return Volume(resample(scan.data, matrix @ scan.affine, scan.affine, SHAPE, order=1), scan.affine)


def thick(scan: Volume, axis: int, count: int) -> Volume:
    """Return ``scan`` in slices of ``count`` voxels across ``axis``."""
    data = np.moveaxis(scan.data, axis, 2)
    data = data[..., : data.shape[2] // count * count].reshape(*data.shape[:2], -1, count).mean(axis=3)
    affine = scan.affine.copy()
    affine[:3, 3] += (count - 1) / 2 * affine[:3, axis]
    affine[:3, axis] *= count
    return Volume(np.ascontiguousarray(np.moveaxis(data, 2, axis), np.float32), affine)


@pytest.mark.parametrize(("one", "other"), [("t1", "t2"), ("t1", "flair"), ("t2", "flair"), ("t1", "t1")])
def test_contrasts_of_one_head_fit_and_those_of_two_do_not(one: str, other: str) -> None:
    assert judge(fits(heads(1, "tumour")[one], heads(1, "tumour")[other])) == "one"
    assert judge(fits(heads(1, "tumour")[one], heads(2)[other])) == "two"
    assert judge(fits(heads(2)[one], heads(3)[other])) == "two"


def test_two_heads_do_not_fit_once_aligned_and_one_that_moved_does() -> None:
    away = rigid((3, -2, 4), (5, -2, 3))
    assert judge(fits(heads(2)["t1"], aligned(heads(2)["t1"], heads(3)["t2"]))) == "two"
    there = moved(heads(2)["t2"], away)
    assert judge(fits(heads(2)["t1"], there)) == "two"
    assert judge(fits(heads(2)["t1"], aligned(heads(2)["t1"], there))) == "one"


@pytest.mark.parametrize("lesion", ["tumour", "cavity", "plaques"])
def test_a_lesion_noise_and_shading_are_no_reason_to_suspect(lesion: str) -> None:
    t1, t2 = heads(4, lesion)["t1"], heads(4, lesion)["t2"]
    random = np.random.default_rng(0)
    x, _, z = np.indices(SHAPE) / 80
    shaded = t2.data * np.exp(0.8 * x - 0.5 * z) + 0.06 * random.standard_normal(SHAPE)
    noisy = Volume(np.where(t2.data > 0, np.abs(shaded), 0).astype(np.float32), t2.affine)
    assert judge(fits(t1, noisy)) == "one"
    # what is gone in one of the two: a resection between the scans
    ball = np.linalg.norm((np.indices(SHAPE).T - (26, 58, 44)) * SIZE_MM, axis=-1).T < 25
    resected = Volume(np.where(ball, t1.data[t1.data > 0].min(), t1.data).astype(np.float32), t1.affine)
    assert judge(fits(resected, noisy)) == "one"


@pytest.mark.parametrize(("axis", "count"), [(2, 3), (0, 3), (1, 2)])
def test_thick_slices_are_judged_too(axis: int, count: int) -> None:
    assert judge(fits(heads(2)["t1"], thick(heads(2)["flair"], axis, count))) == "one"
    assert judge(fits(heads(3)["t1"], thick(heads(2)["flair"], axis, count))) == "two"


def test_slices_thick_across_different_axes_of_one_head_are_not_accused() -> None:
    assert judge(fits(thick(heads(2)["t1"], 0, 2), thick(heads(2)["t2"], 2, 3))) != "two"


def test_a_whole_head_fits_its_own_brain_only() -> None:
    whole = heads(5, whole=True)["t1"]
    assert find_head(whole).kind == "head"
    assert judge(fits(whole, heads(5)["t2"])) == "one"
    assert judge(fits(whole, heads(2)["t2"])) == "two"


def test_voxels_of_another_size_and_units_make_no_difference() -> None:
    t1, t2 = heads(2)["t1"], heads(2)["t2"]
    affine = t2.affine @ np.diag([1.3, 0.8, 1.1, 1.0])
    other = Volume(1e-6 * resample(t2.data, t2.affine, affine, (62, 120, 73), order=1), affine)
    one = fits(t1, other)
    assert one.share == pytest.approx(fits(t1, t2).share, abs=0.15)
    assert judge(one) == "one"


def test_what_shows_too_little_is_not_judged() -> None:
    t1, t2 = heads(2)["t1"], heads(3)["t2"]
    slab = Volume(
        t2.data[:, :, 40:46], t2.affine @ np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 40], [0, 0, 0, 1.0]])
    )
    assert judge(fit(t1, find_head(t1), slab, Head("brain", slab.data > 0, 1.0))) == "unknown"
    away = Volume(t2.data, rigid((0, 0, 0), (500, 0, 0)) @ t2.affine)
    assert fits(t1, away) == Fit(0.0, 0)
    one_slice = Volume(t2.data[:, :, 40:41], t2.affine)
    assert fit(t1, find_head(t1), one_slice, Head("brain", one_slice.data > 0, 1.0)).blocks == 0


def test_empty_blocks_are_no_fit() -> None:
    flat = replace(find_head(heads(2)["t1"]))
    plain = Volume(np.where(flat.mask, 100, 0).astype(np.float32), heads(2)["t1"].affine)
    assert fit(plain, flat, plain, flat).share < TWO_HEADS


def test_a_judgement_needs_blocks_and_lies_between_the_thresholds() -> None:
    assert judge(Fit(0.0, FEWEST - 1)) == "unknown"
    assert judge(Fit(TWO_HEADS - 0.01, FEWEST)) == "two"
    assert judge(Fit((TWO_HEADS + ONE_HEAD) / 2, FEWEST)) == "unsure"
    assert judge(Fit(ONE_HEAD, FEWEST)) == "one"
