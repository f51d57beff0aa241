import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.synth.fields import stream
from core.synth.scanner import Scanner, draw_scanner, random_acquisition, random_axis, thick_slices

seeds = st.integers(0, 2**31)


@given(st.integers(16, 200), seeds)
def test_thick_slices_lie_inside_and_keep_to_the_ranges(fine: int, seed: int) -> None:
    axis = random_axis(fine, np.random.default_rng(seed))
    assert 2 <= axis.step <= 8
    assert 0.7 * axis.step - 1e-9 <= axis.thickness <= axis.step
    assert axis.centres[0] - axis.step / 2 >= -0.5 - 1e-6
    assert axis.centres[-1] + axis.step / 2 <= fine - 0.5 + 1e-6
    assert axis.coarse >= fine / axis.step - 1


@given(seeds, st.sampled_from([(2,), (0,), (0, 1, 2)]), st.floats(-5, 5))
def test_measuring_a_constant_gives_the_constant(seed: int, axes: tuple[int, ...], value: float) -> None:
    acquisition = random_acquisition((24, 26, 28), np.random.default_rng(seed), axes)
    measured = acquisition.measure(np.full((24, 26, 28), value, np.float32))
    np.testing.assert_allclose(measured, value, atol=1e-4)


@given(seeds, st.sampled_from([2, 3, 4, 6, 8]))
def test_slices_without_a_gap_conserve_the_mean(seed: int, step: int) -> None:
    rng = np.random.default_rng(seed)
    volume = rng.normal(1, 1, (6, 6, 24)).astype(np.float32)
    acquisition = random_acquisition((6, 6, 24), rng, step=float(step))
    axis = acquisition.axes[2]
    if axis.profile == "box" and axis.thickness == axis.step:
        assert thick_slices(volume, acquisition, rng).mean() == pytest.approx(volume.mean(), abs=1e-5)


def test_no_slice_fits_on_less_than_one() -> None:
    with pytest.raises(ValueError, match="no slice"):
        random_axis(3, np.random.default_rng(0), 4.0)


def test_noise_comes_after_the_sampling_and_not_outside_a_stripped_scan() -> None:
    rng = np.random.default_rng(0)
    volume = np.zeros((40, 40, 40), np.float32)
    volume[10:30, 10:30] = 1
    acquisition = random_acquisition(volume.shape, rng, step=4.0)
    noisy = thick_slices(volume, acquisition, rng, noise=0.05)
    assert noisy.dtype == np.float32
    assert noisy.shape == acquisition.coarse
    # averaging would have divided it by 2
    assert noisy[10:30, 10:30].std() == pytest.approx(0.05, rel=0.1)
    assert noisy[:10].max() == 0


def test_noise_is_rician() -> None:
    shape = (40, 40, 40)
    scanner = draw_scanner(shape, "t1", torch.zeros(shape), stream(1, "scanner"))
    level = float(scanner.real.std())
    dark = scanner.scan(torch.zeros(shape), 2.0)
    # Rayleigh where there is no signal, about normal where there is much
    assert float(dark.mean()) == pytest.approx(2 * level * (torch.pi / 2) ** 0.5, rel=0.05)
    bright = scanner.scan(torch.full(shape, 2.0), 2.0) / scanner.bias
    assert float(bright.std()) == pytest.approx(2 * level, rel=0.1)


def test_a_part_is_scanned_as_in_the_whole() -> None:
    shape = (30, 30, 30)
    scanner = draw_scanner(shape, "t2", torch.zeros(shape), stream(2, "scanner"))
    signal = torch.rand(shape, generator=stream(0, "signal"))
    box = (slice(5, 25), slice(4, 24), slice(0, 20))
    part = scanner.scan(signal[box], 1.0, box)
    inner = (slice(4, -4), slice(4, -4), slice(0, -4))
    assert torch.equal(part[inner], scanner.scan(signal, 1.0)[box][inner])


def test_a_still_scanner_shows_the_signal() -> None:
    shape = (8, 8, 8)
    nothing = torch.zeros(shape)
    signal = torch.rand(shape, generator=stream(0, "signal"))
    torch.testing.assert_close(Scanner(0.0, torch.ones(shape), nothing, nothing).scan(signal, 1.0), signal)
