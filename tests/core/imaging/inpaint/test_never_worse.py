"""The shipped network beside the smooth fill that it corrects, on a synthetic head with a cavity."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from core.acquisition import Acquisition, thick, whole
from core.assets import ASSETS
from core.events import finish
from core.files.nifti import read_volume
from core.imaging.inpaint.classical import biharmonic
from core.imaging.inpaint.network import volume
from core.imaging.options import Mode, Options
from core.imaging.problem import Estimate, Problem
from core.synth.lesion import lumpy_mask

EXAMPLE = ASSETS / "examples" / "cavity-brain"
# what counts as level: of masks of 1 ml the smooth fill leaves little to make better
LEVEL_DB = 0.1
# masks of a kind, each moved by up to a share of the brain's box, those of ANYWHERE to any place 10 mm deep: where a
# fold is guessed that is not there, as in the middle of white matter, one alone may be worse (docs/notes.md)
MOVED, SHIFT = 6, 0.08
ANYWHERE, DEEP_MM = ("1 ml", "12 ml"), 10
FAST = Options("faithful", steps=1, samples=1)
# centres in shares of the brain's box, millilitres of each part
MASKS: dict[str, list[tuple[tuple[float, float, float], float]]] = {
    "1 ml": [((0.3, 0.4, 0.55), 1.0)],
    "12 ml": [((0.3, 0.55, 0.6), 12.0)],
    "at the brain's edge": [((0.12, 0.5, 0.6), 12.0)],
    "across the midline": [((0.5, 0.75, 0.6), 20.0)],
    "three parts": [((0.3, 0.3, 0.6), 4.0), ((0.3, 0.7, 0.6), 6.0), ((0.6, 0.5, 0.85), 4.0)],
    "45 ml": [((0.3, 0.45, 0.6), 45.0)],
    "two parts of 180 ml": [((0.27, 0.5, 0.6), 90.0), ((0.75, 0.4, 0.65), 90.0)],
}
QUICK = ("12 ml",)
# 0.3 dB below over six places
WORSE = ("1 ml", 5.0)


def marks(name: str, mm: float) -> list[pytest.MarkDecorator]:
    slow = [] if name in QUICK and mm > 1 else [pytest.mark.slow]
    return [*slow, *([pytest.mark.xfail(reason="small masks in thick slices")] if (name, mm) == WORSE else [])]


CASES = [pytest.param(name, mm, marks=marks(name, mm), id=f"{name}, {mm:g} mm") for name in MASKS for mm in (1.0, 5.0)]


@cache
def scan(mm: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The brain in slices of ``mm`` mm, interpolated back and stripped, and its cavity."""
    image = read_volume(EXAMPLE / "t1.nii.gz").data
    x, y, z = image.shape
    if mm > 1:
        acquisition = Acquisition((whole(x), whole(y), thick(z, mm)))
        image = np.where(image > 0, np.maximum(acquisition.enlarge(acquisition.measure(image)), 0), 0)
    return image.astype(np.float32), read_volume(EXAMPLE / "mask.nii.gz").data > 0


def problem(name: str, mm: float, number: int) -> tuple[Problem, NDArray[np.float32]]:
    image, cavity = scan(mm)
    head = image > 0
    mask = np.zeros(head.shape, bool)
    rng = np.random.default_rng(number)
    shift = rng.uniform(-SHIFT, SHIFT, 3)
    inside = np.argwhere(ndimage.binary_erosion(head & ~cavity, iterations=DEEP_MM))
    for place, millilitres in MASKS[name]:
        moved = (int((share + by) * side) for share, by, side in zip(place, shift, head.shape, strict=True))
        x, y, z = (int(side) for side in inside[rng.integers(len(inside))]) if name in ANYWHERE else moved
        mask |= lumpy_mask(head.shape, (x, y, z), millilitres, rng) & head & ~cavity
    return Problem(np.where(mask, np.float32(0), image), mask, head, (1.0, 1.0, 1.0)), image


def error(made: Estimate, of: Problem, truth: NDArray[np.float32]) -> float:
    return float(((made.values - truth)[of.mask] ** 2).mean())


@pytest.mark.parametrize(("name", "mm"), CASES)
def test_the_network_is_not_worse_than_the_smooth_fill(name: str, mm: float) -> None:
    gains = []
    for number in range(MOVED):
        case, truth = problem(name, mm, number)
        made, base = finish(volume(case, FAST)), finish(biharmonic(case, FAST))
        gains.append(10 * np.log10(error(base, case, truth) / error(made, case, truth)))
        assert bool(made.notice) == (mm > 1)
        assert made.deviation is not None and (made.deviation[case.mask] > 0).all()
        assert not made.values[~case.mask].any()
    assert np.mean(gains) > -LEVEL_DB, gains


@pytest.mark.parametrize("mode", ["faithful", "realistic"])
def test_a_fill_of_thick_slices_is_the_same_each_time_in_both_modes(mode: Mode) -> None:
    case, _ = problem("1 ml", 5.0, 0)
    first, again = (finish(volume(case, Options(mode))) for _ in range(2))
    assert np.array_equal(first.values, again.values)
    assert "thick slices" in first.notice
