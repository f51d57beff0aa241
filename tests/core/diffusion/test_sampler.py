from collections.abc import Generator

import pytest
import torch
from torch import Tensor

from core.diffusion.sampler import Denoiser, Sample, Step, sample, step_down
from core.diffusion.schedule import signal

Call = Generator[float, None, tuple[Tensor, Tensor]]


def finish(drawing: Generator[Step, None, Sample]) -> tuple[list[Step], Sample]:
    steps = []
    while True:
        try:
            steps.append(next(drawing))
        except StopIteration as stop:
            return steps, stop.value


def gaussian(mean: float, deviation: float) -> Denoiser:
    """The exact denoiser of independent normal voxels."""

    def denoise(noisy: Tensor, log_snr: Tensor) -> Call:
        yield from ()
        abar = torch.sigmoid(log_snr).reshape(-1, 1, 1, 1, 1)
        gain = abar.sqrt() * deviation**2 / (abar * deviation**2 + 1 - abar)
        variance = (1 - abar) * deviation**2 / (abar * deviation**2 + 1 - abar)
        return mean + gain * (noisy - abar.sqrt() * mean), variance.log().expand_as(noisy)

    return denoise


@pytest.mark.parametrize("steps", [1, 2, 4, 8])
def test_calls_are_counted_and_noise_stays_in_the_mask(steps: int) -> None:
    mask = torch.zeros(1, 1, 6, 6, 6)
    mask[..., 2:4, 2:4, 2:4] = 1
    seen: list[Tensor] = []

    def denoise(noisy: Tensor, log_snr: Tensor) -> Call:
        seen.append(noisy)
        yield from (0.5, 1.0)
        return torch.ones_like(noisy), torch.zeros_like(noisy)

    yielded, drawn = finish(sample(denoise, mask, steps, torch.Generator().manual_seed(0)))
    assert [step.share for step in yielded] == pytest.approx([half / 2 / steps for half in range(1, 2 * steps + 1)])
    assert yielded[0].clean is None
    assert all(step.clean is not None and torch.equal(step.clean, mask) for step in yielded[1:])
    assert len(seen) == steps
    assert all((noisy * (1 - mask)).eq(0).all() for noisy in seen)
    assert torch.equal(drawn.residual, mask)
    assert torch.equal(drawn.variance, mask)


def test_one_call_gives_the_posterior_mean() -> None:
    mask = torch.ones(1, 1, 8, 8, 8)
    _, drawn = finish(sample(gaussian(0.7, 0.5), mask, 1, torch.Generator().manual_seed(1)))
    assert drawn.residual.mean() == pytest.approx(0.7, abs=0.01)
    assert drawn.residual.std() < 0.01
    assert drawn.variance.mean() == pytest.approx(0.25, abs=0.01)


def test_samples_and_remaining_doubt_come_near_the_whole_variance() -> None:
    # eight steps spread less than the posterior: each step leaves out the doubt about the clean residual
    mask = torch.ones(1, 1, 24, 24, 24)
    _, drawn = finish(sample(gaussian(0.7, 0.5), mask, 8, torch.Generator().manual_seed(1)))
    assert drawn.residual.mean() == pytest.approx(0.7, abs=0.02)
    assert 0.15 < drawn.residual.var() + drawn.variance.mean() < 0.26


def test_the_seed_is_the_sample() -> None:
    mask = torch.ones(1, 1, 4, 4, 4)
    first, again, other = (
        finish(sample(gaussian(0, 1), mask, 4, torch.Generator().manual_seed(seed)))[1].residual for seed in (5, 5, 6)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_a_step_down_keeps_the_marginal(eta: float) -> None:
    generator = torch.Generator().manual_seed(3)
    clean = torch.full((40, 40, 40), 0.8)
    now, after = 0.75, 0.5
    noise = [torch.randn(clean.shape, generator=generator) for _ in range(2)]
    noisy = signal(now) ** 0.5 * clean + (1 - signal(now)) ** 0.5 * noise[0]
    lower = step_down(noisy, clean, now, after, noise[1], eta)
    assert lower.mean() == pytest.approx(signal(after) ** 0.5 * 0.8, abs=0.02)
    assert lower.var() == pytest.approx(1 - signal(after), rel=0.03)
