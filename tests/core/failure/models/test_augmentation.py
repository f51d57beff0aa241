from __future__ import annotations

import numpy as np
import pytest
import torch

from core.failure.models import augmentation as augment
from core.failure.models.augmentation import patch_statistics
from core.spectra.simulated_tissue import simulate
from tests.core.failure.made_up_patches import patches

SET = patches(level=0.3)
RAW = torch.as_tensor(SET.ir)
SAMPLE = patch_statistics(RAW, torch.as_tensor(SET.labels), tuple(map(float, SET.wavenumbers)))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_symmetries_move_pixels_and_change_none() -> None:
    moved = augment.symmetries(RAW, generator())
    np.testing.assert_array_equal(moved.flatten(2).sort(dim=2).values, RAW.flatten(2).sort(dim=2).values)
    assert (moved != RAW).any()
    one = torch.arange(16.0).reshape(1, 1, 4, 4).expand(400, 1, 4, 4)
    assert len(torch.unique(augment.symmetries(one, generator()).flatten(1), dim=0)) == 8


@pytest.mark.parametrize("times", [0.6, 1.0, 1.7])
def test_equalised_patches_have_the_same_noise_at_every_thickness(times: float) -> None:
    noise = 0.01
    flat = torch.full((200, 14, 6, 6), 0.5) + noise * torch.randn(200, 14, 6, 6, generator=generator(1))
    statistics = augment.PatchStatistics(torch.full((14,), noise), *(torch.zeros(14) for _ in range(4)))
    done = augment.equalised(flat, torch.full((200, 1, 1, 1), times), statistics, generator())
    assert float(done.std()) == pytest.approx(2 * noise, rel=0.05)
    assert float(done.mean()) == pytest.approx(0.5 * times, rel=1e-3)


def test_naive_thickness_scales_the_noise_with_the_signal() -> None:
    done = augment.thickness(RAW, SAMPLE, generator())
    gain = done.mean(dim=(1, 2, 3)) / RAW.mean(dim=(1, 2, 3))
    spread = done.std(dim=(2, 3)).mean(dim=1) / RAW.std(dim=(2, 3)).mean(dim=1)
    assert 0.5 < float(gain.min()) < 0.8 < 1.2 < float(gain.max()) < 2
    assert np.corrcoef(gain, spread)[0, 1] > 0.97


def test_swapped_scores_are_those_of_the_others() -> None:
    def scores(values: torch.Tensor) -> np.ndarray:
        return ((values.mean(dim=(2, 3)) - SAMPLE.centre) @ SAMPLE.direction).numpy()

    swapped = augment.swap(RAW, SAMPLE, generator())
    np.testing.assert_allclose(np.sort(scores(swapped)), np.sort(scores(RAW)), atol=1e-3)
    assert np.abs(scores(swapped) - scores(RAW)).max() > 1


def test_swapped_gains_are_those_of_the_others() -> None:
    swapped = augment.gain_swap(RAW, SAMPLE, generator()).mean(dim=(1, 2, 3))
    own = RAW.mean(dim=(1, 2, 3))
    assert (swapped[:, None] - own[None, :]).abs().min(dim=1).values.max() < 0.02
    assert (swapped - own).abs().max() > 0.1


def test_pictures_are_changed_in_density_and_stay_pictures() -> None:
    made = simulate("density", 24, 0)
    assert made.rgb is not None
    picture = torch.as_tensor(made.rgb)
    statistics = patch_statistics(-picture.clamp(0.01, 1).log(), torch.as_tensor(made.labels), (0.0, 1.0, 2.0))
    done = augment.in_density(augment.thickness)(picture, statistics, generator())
    assert float(done.min()) >= 0 and float(done.max()) <= 1
    assert (done - picture).abs().max() > 0.05


def test_dropped_and_sampled_channels_are_zero_and_the_rest_made_up_for() -> None:
    ones = torch.ones(300, 20, 2, 2)
    dropped = augment.drop_channels(ones, 0.3, generator())
    assert float((dropped == 0).float().mean()) == pytest.approx(0.3, abs=0.03)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.05)
    numbers = set()
    for seed in range(60):
        sampled = augment.sample_channels(ones, generator(seed))
        assert float(sampled.mean()) == pytest.approx(1)
        numbers.add(int((sampled[0, :, 0, 0] != 0).sum()))
    assert min(numbers) <= 3 and max(numbers) >= 18


@pytest.mark.parametrize("name", augment.AUGMENTS)
def test_the_same_generator_gives_the_same_patches(name: str) -> None:
    first, second = (augment.AUGMENTS[name](RAW, SAMPLE, generator(5)) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, RAW)
