import math
from collections.abc import Generator

import pytest
import torch
from torch import Tensor

from core.diffusion.error_spectrum import ErrorSpectrum
from core.diffusion.sampler import Denoiser, Resampling, Sample, SamplerOptions, Step, sample, step_down, step_up
from core.diffusion.schedule import log_snr, signal, times, times_from

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
    # eight steps spread less than the posterior: each step leaves out the uncertainty of the clean residual
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


class Listener:
    """A denoiser that predicts ``answer`` and records its inputs."""

    def __init__(self, answer: float = 1.0) -> None:
        self.answer = answer
        self.states: list[Tensor] = []
        self.levels: list[float] = []

    def __call__(self, noisy: Tensor, level: Tensor) -> Call:
        self.states.append(noisy)
        self.levels.append(float(level))
        yield 1.0
        return torch.full_like(noisy, self.answer), torch.zeros_like(noisy)


WHOLE = torch.ones(1, 1, 24, 24, 24)


def drawn(
    denoiser: Denoiser, steps: int, options: SamplerOptions, seed: int = 0, mask: Tensor = WHOLE
) -> tuple[list[Step], Sample]:
    return finish(sample(denoiser, mask, steps, torch.Generator().manual_seed(seed), options=options))


@pytest.mark.parametrize("steps", [1, 4, 8])
@pytest.mark.parametrize("jump", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_steps_are_taken_again_exactly_as_often_as_counted(steps: int, jump: int, count: int) -> None:
    seen = Listener()
    yielded, _ = drawn(
        seen, steps, SamplerOptions(resampling=Resampling(jump, lambda clean: count)), mask=torch.ones(1, 1, 2, 2, 2)
    )
    rounds = (steps - 1) // jump
    assert len(seen.levels) == steps + (count - 1) * jump * rounds
    visited = [log_snr(time) for time in times(steps)]
    for index, level in enumerate(visited):
        assert sum(each == pytest.approx(level) for each in seen.levels) == (count if index < jump * rounds else 1)
    shares = [step.share for step in yielded]
    assert shares == sorted(shares) and shares[-1] == 1


def test_how_often_is_asked_of_each_estimate() -> None:
    seen, counted = Listener(), []

    def count(clean: Tensor) -> int:
        counted.append(float(clean.mean()))
        return 2 if len(counted) == 1 else 1

    drawn(seen, 4, SamplerOptions(resampling=Resampling(1, count)), mask=torch.ones(1, 1, 2, 2, 2))
    assert counted and set(counted) == {1.0}
    assert len(seen.levels) == 5


def test_going_back_keeps_the_marginal() -> None:
    generator = torch.Generator().manual_seed(3)
    clean = torch.full((40, 40, 40), 0.8)
    noises = [torch.randn(clean.shape, generator=generator) for _ in range(3)]
    higher, lower = 0.625, 0.375
    noisy = math.sqrt(signal(higher)) * clean + math.sqrt(1 - signal(higher)) * noises[0]
    down = step_down(noisy, clean, higher, lower, noises[1], 1.0)
    back = step_up(down, lower, higher, noises[2])
    assert back.mean() == pytest.approx(math.sqrt(signal(higher)) * 0.8, abs=0.02)
    assert back.var() == pytest.approx(1 - signal(higher), rel=0.03)
    assert abs(torch.corrcoef(torch.stack([back.flatten(), noisy.flatten()]))[0, 1]) < 0.95


def test_every_state_of_a_walk_with_travel_is_as_noisy_as_is_said() -> None:
    seen = Listener(0.5)
    drawn(seen, 4, SamplerOptions(resampling=Resampling(2, lambda clean: 3)))
    for state, level in zip(seen.states, seen.levels, strict=True):
        abar = 1 / (1 + math.exp(-level))
        assert state.mean() == pytest.approx(0.5 * math.sqrt(abar), abs=0.05)
        assert state.var() == pytest.approx(1 - abar, rel=0.06)


@pytest.mark.parametrize("time", [0.125, 0.375, 0.5, 1.0])
def test_a_start_is_noised_to_its_time(time: float) -> None:
    seen = Listener()
    begin = torch.linspace(-2, 2, 24**3).reshape(WHOLE.shape)
    drawn(seen, 8, SamplerOptions(start=begin, time=time))
    assert seen.levels == pytest.approx([log_snr(each) for each in times_from(time, 8)], rel=1e-5)
    noise = seen.states[0] - math.sqrt(signal(time)) * begin
    assert noise.var() == pytest.approx(1 - signal(time), rel=0.05)
    assert abs(float((noise * begin).mean())) < 0.05


def test_a_start_keeps_what_noise_may_not_touch() -> None:
    seen, begin = Listener(), torch.full_like(WHOLE, 2.0)
    half = torch.ones_like(WHOLE)
    half[..., 12:] = 0
    options = SamplerOptions(start=begin, time=0.5)
    finish(sample(seen, WHOLE, 8, torch.Generator().manual_seed(0), lambda values: values * half, options))
    untouched = seen.states[0][..., 12:]
    assert torch.allclose(untouched, torch.full_like(untouched, 2 * math.sqrt(signal(0.5))))


def test_what_is_settled_is_what_is_used() -> None:
    seen = Listener(1.0)
    yielded, made = drawn(seen, 2, SamplerOptions(projection=lambda clean: 3 * clean, eta=0.0))
    assert made.residual.eq(3).all()
    assert yielded[0].clean is not None and yielded[0].clean.eq(3).all()
    first, second = seen.states
    expected = step_down(first, torch.full_like(first, 3.0), 1.0, 0.5, torch.zeros_like(first), 0.0)
    assert torch.allclose(second, expected, atol=1e-6)


def test_a_guide_moves_the_state_by_what_it_says_of_the_prediction() -> None:
    free, guided, heard = Listener(1.0), Listener(1.0), []

    def guide(noisy: Tensor, level: Tensor, clean: Tensor) -> Tensor:
        heard.append((noisy, float(level), clean))
        return 0.25 * clean

    def projection(clean: Tensor) -> Tensor:
        return 0 * clean

    drawn(free, 2, SamplerOptions(projection=projection))
    drawn(guided, 2, SamplerOptions(projection=projection, guide=guide))
    ((noisy, level, clean),) = heard
    assert torch.equal(noisy, guided.states[0]) and level == pytest.approx(log_snr(1.0))
    # not of what it was settled to: nothing would be left to move by
    assert clean.eq(1).all()
    assert torch.allclose(guided.states[1], free.states[1] - 0.25, atol=1e-6)


def test_the_walk_draws_its_noise_as_it_is_told() -> None:
    seen = Listener()
    drawn(seen, 2, SamplerOptions(noise=lambda mask, generator: 0.5 * mask))
    assert seen.states[0].eq(0.5).all()


@pytest.mark.parametrize("eta", [0.0, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 4, 8])
def test_draws_of_the_doubt_keep_all_variance_in_any_number_of_steps(steps: int, eta: float) -> None:
    mask = torch.ones(1, 1, 32, 32, 32)
    white = ErrorSpectrum(((1.0, 0.0, 0.0, 0.0, 0.0),) * 8)

    def variance(options: SamplerOptions) -> float:
        _, made = finish(sample(gaussian(0.4, 0.6), mask, steps, torch.Generator().manual_seed(5), options=options))
        assert made.drawn.mean().item() == pytest.approx(0.4, abs=0.02)
        return made.drawn.var().item()

    assert variance(SamplerOptions(errors=white, eta=eta)) == pytest.approx(0.36, rel=0.04)
    # the mean of what is left open at each step has less
    assert variance(SamplerOptions(eta=1.0)) < (0.33 if steps < 8 else 0.35)


def test_what_is_settled_is_not_drawn_over() -> None:
    mask = torch.ones(1, 1, 8, 8, 8)
    known = torch.zeros_like(mask)
    known[..., :4] = 1
    options = SamplerOptions(
        projection=lambda clean: known * 3 + (1 - known) * clean, errors=ErrorSpectrum(((1.0, 0.0, 0.0, 0.0, 0.0),) * 8)
    )
    _, made = finish(sample(gaussian(0.0, 1.0), mask, 4, torch.Generator().manual_seed(0), options=options))
    assert made.drawn[..., :4].eq(3).all() and not made.drawn[..., 4:].eq(3).any()
    assert not torch.equal(made.drawn[..., 4:], made.residual[..., 4:])
