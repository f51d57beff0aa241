"""How good a fill is: distances to the truth inside the mask, and how well the fill belongs to its surroundings.

Arrays are (X, Y, Z), RAS+; images float in any unit, masks bool. A *result* holds the known voxels outside the mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.volume import bounding_box

Image = NDArray[np.floating]
Bool = NDArray[np.bool_]
Spacing = tuple[float, float, float]

SSIM_SIGMA = 1.5
SSIM_TRUNCATE = 3.5
SHELL_MM = 8.0


@dataclass(frozen=True)
class Challenge:
    """Scores of the BraTS inpainting challenge: ssim, psnr (dB, range of the truth in the mask), psnr_01 (dB, range 1),
    mse and mae, all on intensities scaled to 0-1 by the percentiles of the voided scan."""

    ssim: float
    psnr: float
    psnr_01: float
    mse: float
    mae: float


def mae(a: Image, b: Image, mask: Bool) -> float:
    """Return the mean absolute difference inside ``mask``."""
    return float(np.abs(a[mask].astype(np.float64) - b[mask]).mean())


def mse(a: Image, b: Image, mask: Bool) -> float:
    """Return the mean squared difference inside ``mask``."""
    return float(np.square(a[mask].astype(np.float64) - b[mask]).mean())


def psnr(a: Image, b: Image, mask: Bool, data_range: float) -> float:
    """Return the peak signal-to-noise ratio in dB inside ``mask``; infinite for equal images."""
    return _decibel(data_range, mse(a, b, mask))


def ssim(a: Image, b: Image, mask: Bool, data_range: float) -> float:
    """Return the 3D structural similarity (Wang 2004, Gaussian window of 1.5 voxels) averaged over ``mask``."""
    box = bounding_box(mask, _window_radius())
    scores = _ssim_map(a[box], b[box], (SSIM_SIGMA,) * 3, data_range, mode="reflect")
    return float(scores[mask[box]].mean())


def challenge(prediction: Image, target: Image, voided: Image, mask: Bool) -> Challenge:
    """Score a fill as the BraTS local inpainting challenge does (Kofler 2023).

    voided: the scan with the lesion set to 0, background included: the source of the 0.5 and 99.5 percentiles.
    SSIM is 2D over sagittal slices of images that are 0 outside ``mask``, its range taken from them.
    """
    low, high = (float(level) for level in np.percentile(voided, (0.5, 99.5)))
    low = max(low, 0.0)
    width = (high - low) or 1.0
    box = bounding_box(mask, _window_radius())
    inside = mask[box]
    got, truth = (
        (np.clip(np.where(inside, image[box], 0.0), low, high) - low) / width for image in (prediction, target)
    )
    edge = [] if mask.all() else [0.0]
    span = max(float(np.ptp(np.append(image[inside], edge))) for image in (got, truth))
    scores = _ssim_map(got, truth, (0.0, SSIM_SIGMA, SSIM_SIGMA), span, mode="mirror")
    error = mse(got, truth, inside)
    bottom, top = float(truth[inside].min()), float(truth[inside].max())
    return Challenge(
        ssim=float(scores[inside].mean()),
        psnr=_decibel(top - bottom, mse(np.clip(got, bottom, top), truth, inside)),
        psnr_01=_decibel(1.0, error),
        mse=error,
        mae=mae(got, truth, inside),
    )


def shell(mask: Bool, head: Bool | None = None, spacing: Spacing = (1.0, 1.0, 1.0), width_mm: float = SHELL_MM) -> Bool:
    """Return the known voxels (of ``head``, if given) within ``width_mm`` of ``mask``."""
    margin = [int(np.ceil(width_mm / size)) + 1 for size in spacing]
    box = bounding_box(mask, (margin[0], margin[1], margin[2]))
    near = np.zeros(mask.shape, bool)
    near[box] = ndimage.distance_transform_edt(~mask[box], sampling=spacing) <= width_mm
    near &= ~mask
    return near if head is None else near & head


def slice_consistency(
    result: Image,
    truth: Image | None,
    mask: Bool,
    around: Bool | None = None,
) -> tuple[float, float, float]:
    """Return, for each axis, the mean step between neighbouring voxels of the fill over that of real tissue.

    1 is natural, below is blur along the axis, above is slices that do not fit each other. Real tissue is ``truth``
    inside the mask, or without it ``around`` the mask, its ``shell`` if not given; nan where that is flat or empty.
    """
    reference, where = (truth, mask) if truth is not None else (result, shell(mask) if around is None else around)
    x, y, z = (_ratio(_mean_step(result, mask, axis), _mean_step(reference, where, axis)) for axis in range(3))
    return x, y, z


def slice_evenness(result: Image, where: Bool, spacing: Spacing = (1.0, 1.0, 1.0)) -> tuple[float, float, float]:
    """Return, for each axis, the mean step between voxels of ``result`` inside ``where`` over the mean of the three.

    For a whole image without a truth: 1 is alike along all axes, below is blur along the axis, above is slices that do
    not fit each other; blur that is alike along all axes does not show. Steps are taken at one distance, that of the
    coarsest voxel. nan where there is nothing to compare.
    """
    reach = [max(1, round(max(spacing) / size)) for size in spacing]
    x, y, z = (_mean_step(result, where, axis, reach[axis]) for axis in range(3))
    middle = (x + y + z) / 3
    return _ratio(x, middle), _ratio(y, middle), _ratio(z, middle)


def texture_ratio(
    result: Image,
    truth: Image | None,
    mask: Bool,
    around: Bool | None = None,
) -> float:
    """Return how much fine detail the fill has beside real tissue: ``truth``, or ``around`` the mask, its ``shell`` if
    not given.

    Detail is the standard deviation of what a Gaussian of one voxel takes away: folds and grey-white borders live
    there (2-3 mm), shading and ventricles do not. 1 is equal detail, a blurred or flat fill scores near 0.
    """
    where = mask if truth is not None else shell(mask) if around is None else around
    if not where.any():
        return float("nan")
    return _ratio(_detail(result, mask), _detail(result if truth is None else truth, where))


def seam(result: Image, mask: Bool, head: Bool | None = None) -> float:
    """Return the mean jump across the border of ``mask`` over the mean jump between known voxels just outside it.

    Known voxels are those of ``head``, if given. 1 is an invisible border; nan where there is nothing to compare.
    """
    box = bounding_box(mask, 3)
    inside, image = mask[box], result[box].astype(np.float64)
    outside = ~inside if head is None else ~inside & head[box]
    ring = outside & ndimage.binary_dilation(inside, iterations=2)
    across, beside = [], []
    for axis in range(3):
        step = np.abs(np.diff(image, axis=axis))
        below, above = _pair(inside, axis)
        low, high = _pair(outside, axis)
        across.append(step[(below & high) | (low & above)])
        first, second = _pair(ring, axis)
        beside.append(step[first & second])
    return _ratio(_mean(np.concatenate(across)), _mean(np.concatenate(beside)))


def _decibel(data_range: float, error: float) -> float:
    if error <= 0:
        return float("inf")
    return float(10 * np.log10(data_range**2 / error)) if data_range > 0 else float("-inf")


def _window_radius() -> int:
    return int(SSIM_TRUNCATE * SSIM_SIGMA + 0.5)


def _ssim_map(a: Image, b: Image, sigma: tuple[float, ...], data_range: float, mode: str) -> NDArray[np.float64]:
    """Similarity at each voxel (Wang 2004, eq. 13; K1 0.01, K2 0.03) with population variances."""

    def blur(image: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(ndimage.gaussian_filter(image, sigma, mode=mode, truncate=SSIM_TRUNCATE))

    left, right = a.astype(np.float64), b.astype(np.float64)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    mean_a, mean_b = blur(left), blur(right)
    variance = np.maximum(blur(left * left) - mean_a**2, 0) + np.maximum(blur(right * right) - mean_b**2, 0)
    covariance = blur(left * right) - mean_a * mean_b
    return np.asarray(
        ((2 * mean_a * mean_b + c1) * (2 * covariance + c2)) / ((mean_a**2 + mean_b**2 + c1) * (variance + c2))
    )


def _detail(image: Image, where: Bool) -> float:
    """Spread of the finest detail in ``where``, away from its border, whose step would pass for texture."""
    box = bounding_box(where, 5)
    part, inside = image[box].astype(np.float64), where[box]
    inner = ndimage.binary_erosion(inside, iterations=3)
    fine = part - ndimage.gaussian_filter(part, 1.0)
    return float(fine[inner if inner.any() else inside].std())


def _mean_step(image: Image, where: Bool, axis: int, reach: int = 1) -> float:
    """Mean absolute difference of the voxels ``reach`` apart along ``axis`` that both lie in ``where``."""
    if not where.any():
        return float("nan")
    box = bounding_box(where)
    first, second = _pair(where[box], axis, reach)
    inside = first & second
    low, high = _pair(image[box], axis, reach)
    return _mean(np.abs(high[inside].astype(np.float64) - low[inside]))


def _pair(values: NDArray[Any], axis: int, reach: int = 1) -> tuple[NDArray[Any], NDArray[Any]]:
    moved = np.moveaxis(values, axis, 0)
    return np.moveaxis(moved[:-reach], 0, axis), np.moveaxis(moved[reach:], 0, axis)


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else float("nan")


def _ratio(top: float, bottom: float) -> float:
    return top / bottom if bottom > 0 else float("nan")
