import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from core.acquisition import Acquisition, thick, whole
from core.imaging.superres.guided_detail import guided, regress, windows

Float = NDArray[np.float32]
ACQUISITION = Acquisition((whole(24), whole(26), thick(32, 4)))
MM = (1.0, 1.0, 1.0)


def head(seed: int) -> Float:
    noise = np.random.default_rng(seed).normal(size=(24, 26, 32))
    return np.asarray(1 + 4 * ndimage.gaussian_filter(noise, 1.2), np.float32)


def error(result: Float, truth: Float) -> float:
    return float(np.sqrt(np.square(result - truth).mean()))


def run(truth: Float, guide: Float) -> tuple[Float, Float]:
    measured = ACQUISITION.measure(truth)
    start = ACQUISITION.interpolate(measured)
    return start, guided(start, measured, ACQUISITION, guide, 1.0, MM)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_guide_of_the_same_head_fills_in_what_no_slice_measured(sign: float) -> None:
    truth = head(0)
    start, made = run(truth, (300 + sign * 100 * truth).astype(np.float32))
    assert error(made, truth) < 0.5 * error(start, truth)


def test_a_guide_of_something_else_does_next_to_no_harm() -> None:
    truth = head(0)
    start, made = run(truth, head(1))
    assert error(made, truth) < 1.05 * error(start, truth)


def test_an_even_guide_changes_nothing() -> None:
    truth = head(0)
    start, made = run(truth, np.full_like(truth, 7))
    np.testing.assert_allclose(made, start, atol=1e-3)


def test_what_was_measured_stays_whatever_the_guide() -> None:
    for guide in (head(0), head(1), head(2) ** 2):
        truth = head(0)
        _, made = run(truth, guide)
        assert np.abs(ACQUISITION.measure(made) - ACQUISITION.measure(truth)).max() < 1e-4


def test_a_line_is_found_with_how_well_it_fits() -> None:
    seen = ACQUISITION.measure(head(3))
    lines = regress((0.4 - 0.7 * seen).astype(np.float32), seen, (2.0, 2.0, 0.0))
    assert np.median(lines.slope) == pytest.approx(-0.7, abs=0.01)
    assert np.median(lines.explained) > 0.98
    assert np.median(regress(ACQUISITION.measure(head(4)), seen, (2.0, 2.0, 0.0)).explained) < 0.5


def test_windows_lie_in_the_plane_of_the_slices() -> None:
    assert windows(ACQUISITION, MM) == (1.0, 1.0, 0.0)
    assert windows(ACQUISITION, (0.5, 0.5, 1.0)) == (2.0, 2.0, 0.0)
    coarse = Acquisition((thick(24, 4), thick(24, 4), thick(32, 4)))
    assert windows(coarse, MM) == (1.0, 1.0, 1.0)
