from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage
from skimage.metrics import structural_similarity

from core.measure import quality

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]


def case(
    seed: int, shape: tuple[int, int, int] = (14, 20, 17), scale: float = 300.0, low: float = 0.0
) -> tuple[Float, Float, Float, Bool]:
    """Prediction, truth, voided scan and mask; the mask touches the edge of the grid."""
    rng = np.random.default_rng(seed)
    truth = (scale * rng.random(shape) + low).astype(np.float32)
    truth[:3] = 0
    mask = np.zeros(shape, bool)
    mask[4:11, 5:16, 0:12] = rng.random((7, 11, 12)) > 0.2
    prediction = np.where(mask, truth + scale * 0.3 * rng.standard_normal(shape), truth).astype(np.float32)
    return prediction, truth, np.where(mask, np.float32(0), truth), mask


def tissue(seed: int = 0, blur: float = 1.2) -> Float:
    noise = np.random.default_rng(seed).standard_normal((28, 28, 28))
    smooth = ndimage.gaussian_filter(noise, blur)
    return np.asarray(100 + 30 * smooth / smooth.std(), np.float32)


def ball(radius: float = 7.0) -> Bool:
    x, y, z = np.ogrid[:28, :28, :28]
    return np.asarray((x - 13.5) ** 2 + (y - 13.5) ** 2 + (z - 13.5) ** 2 < radius**2)


def filled(truth: Float, fill: Float | float, mask: Bool) -> Float:
    return np.where(mask, fill, truth).astype(np.float32)


# Made by inpainting 0.0.12 (generate_metrics) with torchmetrics 1.9.0 on the arrays of `case`.
OFFICIAL = [
    ({"seed": 0}, (0.8068829, 12.0150530, 12.0361986, 0.0625720, 0.1970749)),
    ({"seed": 1, "scale": 1.0}, (0.8191266, 12.4574800, 12.4746389, 0.0565635, 0.1884439)),
    ({"seed": 2, "low": -40.0}, (0.7688067, 11.4477935, 11.4477940, 0.0716507, 0.2015775)),
    ({"seed": 3, "shape": (20, 31, 24), "low": 50.0}, (0.8265755, 11.4607799, 12.3560953, 0.0581287, 0.1900070)),
]


@pytest.mark.parametrize(("arguments", "expected"), OFFICIAL)
def test_challenge_scores_are_the_official_ones(arguments: dict[str, object], expected: tuple[float, ...]) -> None:
    prediction, truth, voided, mask = case(**arguments)  # type: ignore[arg-type]
    score = quality.challenge(prediction, truth, voided, mask)
    assert (score.ssim, score.psnr, score.psnr_01, score.mse, score.mae) == pytest.approx(expected, rel=2e-6)


def test_challenge_ignores_everything_outside_the_mask() -> None:
    prediction, truth, voided, mask = case(0)
    noisy = np.where(mask, prediction, 1e4).astype(np.float32)
    assert quality.challenge(noisy, truth, voided, mask) == quality.challenge(prediction, truth, voided, mask)


def test_a_perfect_fill() -> None:
    _, truth, voided, mask = case(0)
    score = quality.challenge(truth, truth, voided, mask)
    assert score.ssim == pytest.approx(1)
    assert score.mse == 0
    assert math.isinf(score.psnr)


def test_ssim_is_that_of_scikit_image() -> None:
    a, b, mask = tissue(0), tissue(1), ball()
    mask[0, 0, 0] = True
    _, full = structural_similarity(  # type: ignore[no-untyped-call]
        a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True, data_range=150.0
    )
    assert quality.ssim(a, b, mask, 150.0) == pytest.approx(float(full[mask].mean()), abs=1e-5)


def test_psnr_and_mae_by_hand() -> None:
    a = np.zeros((2, 2, 2), np.float32)
    b, mask = a.copy(), np.zeros((2, 2, 2), bool)
    b[0, 0, 0], b[1, 1, 1] = 3.0, 100.0
    mask[0] = True
    assert quality.mae(a, b, mask) == pytest.approx(0.75)
    assert quality.psnr(a, b, mask, 30.0) == pytest.approx(10 * math.log10(900 / 2.25))
    assert math.isinf(quality.psnr(a, a, mask, 30.0))


@given(st.floats(0.1, 50.0), st.floats(-20.0, 20.0))
def test_ratios_do_not_depend_on_the_units(gain: float, offset: float) -> None:
    truth, mask = tissue(), ball()
    result = filled(truth, ndimage.gaussian_filter(truth, 1), mask)
    scaled = (gain * result + offset).astype(np.float32)
    assert quality.slice_consistency(scaled, None, mask) == pytest.approx(
        quality.slice_consistency(result, None, mask), rel=1e-3
    )
    assert quality.texture_ratio(scaled, None, mask) == pytest.approx(
        quality.texture_ratio(result, None, mask), rel=1e-3
    )
    assert quality.seam(scaled, mask) == pytest.approx(quality.seam(result, mask), rel=1e-3)


def test_the_truth_scores_one() -> None:
    truth, mask = tissue(), ball()
    assert quality.slice_consistency(truth, truth, mask) == (1.0, 1.0, 1.0)
    assert quality.texture_ratio(truth, truth, mask) == 1.0
    assert quality.slice_consistency(truth, None, mask) == pytest.approx((1, 1, 1), abs=0.2)
    assert quality.texture_ratio(truth, None, mask) == pytest.approx(1, abs=0.2)
    assert quality.seam(truth, mask) == pytest.approx(1, abs=0.1)


def test_slices_made_one_by_one_show_on_their_axis_alone() -> None:
    truth, mask = tissue(), ball()
    shifts = np.random.default_rng(0).normal(0, 40, 28)
    result = filled(truth, truth + shifts[None, None, :].astype(np.float32), mask)
    x, y, z = quality.slice_consistency(result, truth, mask)
    assert (x, y) == pytest.approx((1, 1), rel=1e-4)
    assert z > 2


def test_a_whole_image_is_judged_by_its_own_axes() -> None:
    image, head = tissue(), ball(13)
    assert quality.slice_evenness(image, head) == pytest.approx((1, 1, 1), abs=0.05)
    shifts = np.random.default_rng(0).normal(0, 40, 28)
    x, y, z = quality.slice_evenness(image + shifts.astype(np.float32), head)
    assert z > 1.5 and max(x, y) < 0.8
    # the mean of the three is 1
    assert x + y + z == pytest.approx(3)
    *_, z = quality.slice_evenness(ndimage.gaussian_filter1d(image, 2, axis=2), head)
    assert z < 0.75


def test_longer_voxels_do_not_pass_for_tearing() -> None:
    image = tissue(blur=3.0)
    thick = np.ascontiguousarray(image[:, :, ::3])
    whole = np.ones(thick.shape, bool)
    assert quality.slice_evenness(thick, whole)[2] > 1.3
    assert quality.slice_evenness(thick, whole, (1.0, 1.0, 3.0)) == pytest.approx((1, 1, 1), abs=0.15)


def test_blur_lowers_texture_and_steps() -> None:
    truth, mask = tissue(), ball()
    result = filled(truth, ndimage.gaussian_filter(truth, 2), mask)
    assert quality.texture_ratio(result, truth, mask) < 0.6
    assert max(quality.slice_consistency(result, truth, mask)) < 0.6
    assert quality.texture_ratio(filled(truth, 100.0, mask), truth, mask) < 0.05


def test_a_step_at_the_border_is_a_seam() -> None:
    truth, mask = tissue(), ball()
    assert quality.seam(filled(truth, truth + np.float32(60), mask), mask) > 2
    assert quality.seam(filled(truth, truth + np.float32(60), mask), mask, head=ball(10)) > 2


def test_the_shell_keeps_to_the_head_and_to_millimetres() -> None:
    mask = np.zeros((21, 21, 21), bool)
    mask[10, 10, 10] = True
    around = quality.shell(mask, None, (1.0, 2.0, 4.0), width_mm=4.0)
    assert not around[10, 10, 10]
    assert around[14, 10, 10] and not around[15, 10, 10]
    assert around[10, 12, 10] and not around[10, 13, 10]
    assert around[10, 10, 11] and not around[10, 10, 12]
    assert not quality.shell(mask, mask).any()


def test_nothing_to_compare_with_is_nan() -> None:
    mask = ball()
    flat = np.zeros(mask.shape, np.float32)
    assert all(math.isnan(value) for value in quality.slice_consistency(flat, None, mask))
    assert all(math.isnan(value) for value in quality.slice_evenness(flat, mask))
    assert all(math.isnan(value) for value in quality.slice_evenness(flat, np.zeros_like(mask)))
    assert math.isnan(quality.texture_ratio(flat, None, mask, quality.shell(mask, mask)))
    assert math.isnan(quality.seam(flat, mask))
