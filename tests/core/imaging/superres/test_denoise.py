import numpy as np
import pytest
from scipy import ndimage

from core.imaging.superres.denoise import calmed, noise_level

RNG = np.random.default_rng(0)
EVERYWHERE = np.ones((40, 44, 12), bool)


def tissue() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    blobs = ndimage.gaussian_filter(RNG.normal(size=EVERYWHERE.shape), (3, 3, 3)) > 0
    return np.where(blobs, 100, 60).astype(np.float32)


@pytest.mark.parametrize("sigma", [4.0, 8.0])
@pytest.mark.parametrize("axes", [(0, 1), (0, 1, 2)])
def test_the_noise_that_was_added_is_found(sigma: float, axes: tuple[int, ...]) -> None:
    noisy = tissue() + sigma * RNG.normal(size=EVERYWHERE.shape).astype(np.float32)
    assert noise_level(noisy, axes, EVERYWHERE) == pytest.approx(sigma, rel=0.25)


def test_nothing_to_look_at_has_no_noise() -> None:
    assert noise_level(tissue(), (0, 1), np.zeros_like(EVERYWHERE)) == 0


def test_calming_takes_noise_out_and_leaves_borders() -> None:
    clean = tissue()
    noisy = clean + 5 * RNG.normal(size=clean.shape).astype(np.float32)
    calm, half = (calmed(noisy, (0, 1), 5.0, share) for share in (1.0, 0.5))
    errors = [float(np.square(image - clean).mean()) for image in (noisy, half, calm)]
    assert errors[2] < errors[1] < 0.8 * errors[0]
    np.testing.assert_allclose(half, (noisy + calm) / 2, atol=1e-4)
    edges = np.abs(np.diff(clean, axis=0)) > 10
    assert np.abs(np.diff(calm, axis=0))[edges].mean() > 0.7 * 40


def test_no_share_and_no_noise_leave_the_scan_alone() -> None:
    scan = tissue()
    assert calmed(scan, (0, 1), 5.0, 0.0) is scan
    assert calmed(scan, (0, 1), 0.0, 1.0) is scan
