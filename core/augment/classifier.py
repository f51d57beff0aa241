"""The classifier of the study: the failure lab's small network, for the same number of steps whatever it is given."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from core.augment.image_set import ImageSet
from core.failure.models.augmentation import symmetries
from core.failure.models.networks import Network, build

Float = NDArray[np.float32]

RATE, BATCH, DECAY = 3e-3, 64, 1e-2
TESTED = 256
# classic augmentation besides the eight positions: gain and offset of each channel, in its standard deviations
GAIN, OFFSET = 0.1, 0.1
Change = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True, eq=False)
class TrainedClassifier:
    """A trained network with the mean and standard deviation (C,) of what it was trained on."""

    network: Network
    mean: Float
    deviation: Float
    device: str

    def correct(self, images: ImageSet) -> NDArray[np.bool_]:
        """Return which of ``images`` are classified correctly, (N,)."""
        answers = self._each(images.values, self.network).argmax(axis=1)
        return np.asarray(answers == images.labels)

    def features(self, values: Float) -> Float:
        """Return the inputs of the last layer, (N, F)."""
        return self._each(values, self.network.body)

    def _each(self, values: Float, part: Callable[[Tensor], Tensor]) -> Float:
        scaled = (values - self.mean[:, None, None]) / self.deviation[:, None, None]
        with torch.inference_mode():
            found = [
                part(torch.as_tensor(scaled[at : at + TESTED], device=self.device))
                for at in range(0, len(scaled), TESTED)
            ]
        return torch.cat(found).cpu().numpy()


def train_classifier(
    images: ImageSet, steps: int, seed: int, augment: Change | None = None, device: str = "cpu"
) -> Generator[int, None, TrainedClassifier]:
    """Train on ``images``, yielding the number of each finished step.

    AdamW at 3e-3 with one cycle, batches of 64 drawn with replacement: every arm of the study takes the same steps, so
    that more images are never more training. On one machine with one thread the same arguments give the same bits.
    """
    torch.manual_seed(seed)
    height, width = images.values.shape[2:]
    network = build("cnn", images.values.shape[1], (height, width), len(images.classes))
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    mean, deviation = images.values.mean(axis=(0, 2, 3)), images.values.std(axis=(0, 2, 3)) + np.float32(1e-6)
    scaled = torch.as_tensor((images.values - mean[:, None, None]) / deviation[:, None, None], device=device)
    labels = torch.as_tensor(images.labels, device=device)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps + 1)
    generator = torch.Generator().manual_seed(7919 * seed)
    network.train()
    for step in range(steps):
        rows = torch.randint(len(labels), (BATCH,), generator=generator).to(device)
        batch = scaled[rows] if augment is None else augment(scaled[rows], generator)
        loss = functional.cross_entropy(network(batch), labels[rows])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        yield step + 1
    network.eval()
    return TrainedClassifier(network, mean, deviation, device)


def classic(values: Tensor, generator: torch.Generator) -> Tensor:
    """Return standardised images in one of eight positions each, every channel with another gain and offset."""
    turned = symmetries(values, generator)
    gain, offset = torch.randn(2, len(values), values.shape[1], 1, 1, generator=generator).to(values.device)
    changed: Tensor = turned * (1 + GAIN * gain) + OFFSET * offset
    return changed
