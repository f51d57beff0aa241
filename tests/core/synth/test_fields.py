import pytest
import torch

from core.synth.fields import blur, random_warp, sample, smooth_noise, stream


def test_a_blur_keeps_the_sum_and_spreads_by_sigma() -> None:
    image = torch.zeros(41, 41, 41)
    image[20, 20, 20] = 1
    blurred = blur(image, 2.0)
    assert blurred.sum() == pytest.approx(1, abs=1e-4)
    offsets = torch.arange(41) - 20.0
    assert (blurred.sum(dim=(1, 2)) * offsets**2).sum().sqrt() == pytest.approx(2.0, rel=0.03)


def test_no_blur_is_the_image() -> None:
    image = torch.rand(5, 6, 7)
    assert torch.equal(blur(image, 0.0), image)


def test_noise_is_smooth_at_its_scale_and_fixed_by_its_seed() -> None:
    fields = {s: smooth_noise((48, 48, 48), s, torch.Generator().manual_seed(1)) for s in (3.0, 24.0)}
    steps = {s: field.diff(dim=0).abs().mean() for s, field in fields.items()}
    assert steps[24.0] < 0.3 * steps[3.0]
    assert fields[3.0].std() == pytest.approx(1, abs=1e-3)
    assert torch.equal(fields[3.0], smooth_noise((48, 48, 48), 3.0, torch.Generator().manual_seed(1)))


def test_sampling_at_the_voxels_gives_the_image_back() -> None:
    image = torch.rand(6, 7, 8)
    axes = [torch.arange(side, dtype=torch.float32) for side in image.shape]
    positions = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    torch.testing.assert_close(sample(image, positions), image, atol=1e-4, rtol=0)


@pytest.mark.parametrize("seed", range(4))
def test_a_deformation_never_folds(seed: int) -> None:
    positions = random_warp((40, 44, 36), torch.Generator().manual_seed(seed))
    gradients = torch.stack([positions.diff(dim=axis)[:39, :43, :35] for axis in range(3)], dim=-1)
    assert torch.linalg.det(gradients).min() > 0.05
    assert (positions - positions.mean(dim=(0, 1, 2))).abs().max() < 40


def test_streams_are_independent_of_each_other_and_fixed_by_seed_and_name() -> None:
    drawn = [torch.rand(4, generator=stream(seed, name)) for seed, name in ((0, "a"), (0, "a"), (0, "b"), (1, "a"))]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert not torch.equal(drawn[0], drawn[3])


def test_several_images_are_sampled_as_each_alone() -> None:
    images = torch.rand(2, 6, 7, 8)
    positions = 5 * torch.rand(4, 3, 5, 3)
    together = sample(images, positions)
    torch.testing.assert_close(together[1], sample(images[1], positions))
