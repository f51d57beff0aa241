"""A small class-conditional diffusion model of a set of images: trained on that set alone, sampled in eight steps."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from core.augment.image_set import ImageSet
from core.augment.pixel_space import PixelSpace, fit_space
from core.diffusion.error_spectrum import WIDTHS, ErrorSpectrum
from core.diffusion.sampler import SamplerOptions, sample
from core.diffusion.schedule import GRID, log_snr, signal
from core.events import finish
from core.nets.picture_net import PictureNet

Float = NDArray[np.float32]
Ints = NDArray[np.int64]

RATE, BATCH = 3e-3, 32
# share of the moving average that each step keeps
KEPT = 0.99
SAMPLED = 256
STEPS = GRID
# errors of each pixel by itself: pictures are small, and the next step sees what the last drew
_ERRORS = ErrorSpectrum(((1.0, *[0.0] * (len(WIDTHS) - 1)),) * GRID)


@dataclass(frozen=True, eq=False)
class ImageGenerator:
    """A trained generator: its network, the space of the images it was trained on, and their classes' shares (K,)."""

    network: PictureNet
    space: PixelSpace
    shares: NDArray[np.float64]
    device: str = "cpu"

    def images(self, count: int, seed: int) -> tuple[Float, Ints]:
        """Return ``count`` images (N, C, H, W) and their classes, every beginning of them in nearly the shares of the
        set it was trained on. The same count and seed give the same images."""
        labels = _labels(self.shares, count)
        starts = range(0, count, SAMPLED)
        parts = [self._drawn(labels[start : start + SAMPLED], seed * 1_000_003 + start) for start in starts]
        rng = np.random.default_rng([seed, 5])
        return self.space.decode(np.concatenate(parts), rng), labels

    def _drawn(self, labels: Ints, seed: int) -> Float:
        classes = _one_hot(torch.as_tensor(labels), len(self.shares)).to(self.device)

        def denoise(noisy: Tensor, level: Tensor) -> Generator[float, None, tuple[Tensor, Tensor]]:
            yield 1.0
            clean, log_variance = self.network(noisy, classes, level)
            return clean, log_variance

        mask = torch.ones(len(labels), self.space.channels, *self.space.padded, device=self.device)
        generator = torch.Generator().manual_seed(seed)
        with torch.inference_mode():
            made = finish(sample(denoise, mask, STEPS, generator, options=SamplerOptions(errors=_ERRORS)))
        return made.residual.cpu().numpy()


def train_generator(
    images: ImageSet, steps: int, seed: int, device: str = "cpu"
) -> Generator[int, None, ImageGenerator]:
    """Train a generator on ``images`` alone, yielding the number of each finished step.

    AdamW with one cycle; times are eighths, as the sampler visits them; the loss is the likelihood of the clean picture
    under the predicted mean and variance, its gradient through the variance scaled as by Seitzer et al. 2022
    (arXiv:2203.09168, beta 0.5). What samples is a moving average of the weights.
    """
    torch.manual_seed(seed)
    space, kinds = fit_space(images), len(images.classes)
    network = PictureNet(space.channels, kinds).to(device)
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    clean = torch.as_tensor(space.encode(images.values), device=device)
    classes = _one_hot(torch.as_tensor(images.labels), kinds).to(device)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps + 1)
    generator = torch.Generator().manual_seed(7919 * seed + 1)
    # state and level of each eighth
    abar = torch.tensor([signal(eighth / GRID) for eighth in range(1, GRID + 1)], device=device)
    levels = torch.tensor([log_snr(eighth / GRID) for eighth in range(1, GRID + 1)], device=device)
    for step in range(steps):
        rows = torch.randint(len(clean), (BATCH,), generator=generator).to(device)
        eighth = torch.randint(GRID, (BATCH,), generator=generator).to(device)
        noise = torch.randn(BATCH, *clean.shape[1:], generator=generator).to(device)
        share = abar[eighth].reshape(-1, 1, 1, 1)
        target = clean[rows]
        predicted, log_variance = network(
            share.sqrt() * target + (1 - share).sqrt() * noise, classes[rows], levels[eighth]
        )
        loss = _likelihood(predicted, log_variance, target)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        _follow(average, network, min(KEPT, (step + 1) / (step + 10)))
        yield step + 1
    network.load_state_dict(average)
    network.eval()
    shares = np.bincount(images.labels, minlength=kinds) / len(images)
    return ImageGenerator(network, space, shares, device)


def with_weights(images: ImageSet, weights: Mapping[str, Tensor], device: str = "cpu") -> ImageGenerator:
    """Return the generator of ``images`` that has these ``weights`` already."""
    space, kinds = fit_space(images), len(images.classes)
    network = PictureNet(space.channels, kinds)
    network.load_state_dict(dict(weights))
    network.to(device).eval()
    return ImageGenerator(network, space, np.bincount(images.labels, minlength=kinds) / len(images), device)


def _likelihood(predicted: Tensor, log_variance: Tensor, target: Tensor) -> Tensor:
    error = (predicted - target) ** 2
    each = 0.5 * (log_variance + error * (-log_variance).exp())
    return (each * (0.5 * log_variance).exp().detach()).mean()


def _follow(average: dict[str, Tensor], network: PictureNet, kept: float) -> None:
    with torch.no_grad():
        for name, value in network.state_dict().items():
            average[name].lerp_(value, 1 - kept)


def _labels(shares: NDArray[np.float64], count: int) -> Ints:
    """Return classes in these ``shares``, so mixed that every beginning has nearly the same ones."""
    places = np.concatenate([(np.arange(count) + 0.5) / share for share in shares if share > 0])
    kinds = np.repeat(np.flatnonzero(shares > 0), count)
    return kinds[np.argsort(places, kind="stable")][:count].astype(np.int64)


def _one_hot(labels: Tensor, kinds: int) -> Tensor:
    return functional.one_hot(labels, kinds).float()
