from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from core.acquisition import Acquisition, thick, whole
from core.imaging.inpaint.network import Faithful, _Crop, setting
from core.imaging.inpaint.through_plane import AXES, DEPTH_MM, FEWEST, Trust, details, trust
from core.imaging.problem import Problem

SIDE = 48
THICK = (0.7, 0.8)
HEAD = np.zeros((SIDE,) * 3, bool)
HEAD[3:-3, 3:-3, 3:-3] = True


def tissue(seed: int = 0) -> NDArray[np.float32]:
    rough = np.random.default_rng(seed).standard_normal((SIDE,) * 3)
    return np.asarray(100 + 60 * ndimage.gaussian_filter(rough, 1.2), np.float32)


def in_slices(image: NDArray[np.float32], mm: float, axis: int = 2) -> NDArray[np.float32]:
    axes = [whole(SIDE)] * 3
    axes[axis] = thick(SIDE, mm)
    acquisition = Acquisition((axes[0], axes[1], axes[2]))
    return acquisition.enlarge(acquisition.measure(image)).astype(np.float32)


@pytest.mark.parametrize("axis", range(3))
def test_detail_falls_with_the_thickness_of_slices_along_their_axis_alone(axis: int) -> None:
    ratios = []
    for mm in (1.0, 2.0, 3.0, 5.0):
        found = details(in_slices(tissue(), mm, axis) if mm > 1 else tissue(), HEAD)
        assert found is not None
        others = [value for along, value in enumerate(found) if along != axis]
        assert max(others) / min(others) < 1.2
        ratios.append(found[axis] / max(found))
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] > 0.9 and ratios[-1] < 0.7


@pytest.mark.parametrize(("gain", "shift"), [(3.0, 0.0), (0.01, 0.0), (1.0, 500.0)])
def test_detail_depends_neither_on_gain_nor_on_level(gain: float, shift: float) -> None:
    plain, changed = details(tissue(), HEAD), details((gain * tissue() + shift).astype(np.float32), HEAD)
    assert plain is not None and changed is not None
    assert changed == pytest.approx(plain, rel=1e-3)


def test_sharp_scans_little_tissue_even_tissue_and_networks_that_learnt_thick_slices_are_left_alone() -> None:
    assert trust(details(tissue(), HEAD), HEAD, THICK) is None
    few = np.zeros_like(HEAD)
    few.ravel()[: FEWEST // 2] = True
    assert details(tissue(), few) is None
    assert details(np.ones_like(tissue()), HEAD) is None
    assert trust(None, HEAD, THICK) is None
    assert trust(details(in_slices(tissue(), 5.0), HEAD), HEAD, (1.0, 1.0)) is None


def test_trust_is_whole_at_the_surface_and_the_share_deep_below_it() -> None:
    found = trust(details(in_slices(tissue(), 5.0), HEAD), HEAD, THICK)
    assert found is not None
    depth = ndimage.distance_transform_edt(HEAD)
    assert (found.share[~HEAD] == 1).all()
    assert found.share[depth > 4 * DEPTH_MM].max(initial=0) < 0.71
    assert np.allclose(found.share[HEAD], 0.7 + 0.3 * np.exp(-depth[HEAD] / DEPTH_MM), atol=1e-5)
    assert found.spread == pytest.approx(0.8)
    assert AXES[2] in found.notice and "70%" in found.notice
    everywhere = trust((1.0, 1.0, 0.5), np.ones_like(HEAD), THICK)
    assert everywhere is not None and np.allclose(everywhere.share, 0.7)


@pytest.mark.parametrize(("ratio", "share"), [(0.85, None), (0.775, 0.85), (0.70, 0.7), (0.4, 0.7)])
def test_the_share_falls_with_the_detail(ratio: float, share: float | None) -> None:
    found = trust((1.0, ratio, 1.0), np.ones_like(HEAD), THICK)
    assert (None if found is None else pytest.approx(found.share.flat[0])) == share


def test_what_is_left_out_of_the_residual_is_uncertain() -> None:
    partial = Trust(np.full((2, 2, 2), 0.5, np.float32), 0.8, "")
    kept, deviation = partial.of(np.full((2, 2, 2), 6.0, np.float32), np.full((2, 2, 2), 5.0, np.float32))
    assert np.allclose(kept, 3)
    assert np.allclose(deviation, 5)


def test_the_fill_of_thick_slices_lies_between_the_smooth_one_and_that_of_the_whole_residual() -> None:
    image = in_slices(tissue(), 5.0)
    mask = np.zeros_like(HEAD)
    mask[18:30, 18:30, 18:30] = True
    problem = Problem(np.where(mask, np.float32(0), image), mask, HEAD, (1.0, 1.0, 1.0))
    ones = np.ones(image.shape, np.float32)
    made = Faithful(_Crop(problem, 8), setting(problem, 8), ones, ones, calls=3)
    none, part, whole_of_it = (made.counted((share, 1.0)) for share in (1e-6, 0.5, 1.0))
    deep = ndimage.distance_transform_edt(HEAD)[mask] > 14
    assert np.allclose(part.values[mask][deep], (none.values + whole_of_it.values)[mask][deep] / 2, rtol=2e-2)
    assert part.deviation is not None and whole_of_it.deviation is not None
    assert (part.deviation[mask] > whole_of_it.deviation[mask]).all()
    assert (part.calls, bool(part.notice), whole_of_it.notice) == (3, True, "")
