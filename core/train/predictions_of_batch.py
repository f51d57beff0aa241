"""The prediction of each architecture for the crops of a batch at given noise levels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.contrasts import CONTRASTS
from core.diffusion.constraints import null_space
from core.diffusion.schedule import GRID, log_snr, signal
from core.diffusion.schedule import times as visited
from core.imaging.published.planes import WEIGHTS
from core.imaging.published.scorefusion import SOURCE_PLANE, VOLUME, VOLUMES
from core.imaging.tiled_network import in_half
from core.nets.plane_net import PLANES
from core.train.batch import Batch
from core.train.drift import drifted
from core.train.presets import Preset
from core.weights import load


@dataclass(frozen=True, eq=False)
class Crops:
    """The inputs of a network: ``noisy``, ``context``, ``levels`` and ``conditioning`` as ``VolumeNet`` takes them.

    support: (B, 1, S, S, S), 1 where the residual lives.
    """

    noisy: Tensor
    context: Tensor
    levels: Tensor
    conditioning: Tensor | None
    support: Tensor


@dataclass(frozen=True, eq=False)
class Predicted:
    """The prediction of a network for a batch at ``times`` (B,): clean residual and log-variance, beside the true
    residual and the region it lives in, (B, 1, S, S, S) each."""

    times: NDArray[np.float64]
    clean: Tensor
    log_variance: Tensor
    target: Tensor
    region: Tensor


def in_region(values: Tensor, region: Tensor) -> Tensor:
    """Return the mean of ``values`` weighted by ``region`` for each item of the batch, (B,)."""
    return (values * region).flatten(1).sum(dim=1) / region.flatten(1).sum(dim=1).clamp_min(1e-6)


Call = Callable[[nn.Module, Crops, np.random.Generator], tuple[Tensor, Tensor]]


def predict_batch(
    network: nn.Module,
    preset: Preset,
    batch: Batch,
    times: NDArray[np.float64],
    generator: torch.Generator,
    rng: np.random.Generator,
    device: str,
    half: bool = False,
) -> Predicted:
    """Noise each residual of ``batch`` to its time of ``times`` (B,) and predict it by the network of ``preset``.

    half: convolutions in bf16 on a CPU, too."""
    noisy = NoisyBatch(preset, batch, generator, rng, device, half)
    return noisy.predict(network, noisy.target, times)


def predict_along_sample(
    network: nn.Module,
    preset: Preset,
    batch: Batch,
    generator: torch.Generator,
    rng: np.random.Generator,
    device: str,
    half: bool = False,
) -> Iterator[Predicted]:
    """Predict ``batch`` by the network of ``preset`` at every time of a sample, from noise down.

    As in a sample, the smooth part of what is noised is the network's last prediction; the rest is the truth's. A
    network that learns from the truth alone reads brightness from the noisy voxels, and its own errors with it where it
    samples (after Ning et al. 2023, arXiv 2301.11706, who perturb the truth by white noise).
    """
    noisy = NoisyBatch(preset, batch, generator, rng, device, half)
    residual = torch.zeros_like(noisy.target)
    for time in visited(GRID):
        predicted = noisy.predict(network, residual, np.full(len(residual), time))
        yield predicted
        residual = drifted(noisy.target, predicted.clean.detach(), noisy.support)


class NoisyBatch:
    """A batch on its device, to be noised to any level; which experts a head takes stays the same.

    target, support: (B, 1, S, S, S), the true residual and 1 where it lives.
    """

    def __init__(
        self,
        preset: Preset,
        batch: Batch,
        generator: torch.Generator,
        rng: np.random.Generator,
        device: str,
        half: bool = False,
    ) -> None:
        def tensor(array: NDArray[np.floating]) -> Tensor:
            return torch.from_numpy(array).float().to(device)

        self.target = tensor(batch.target)
        self._region = tensor(batch.region)
        self.support = (self._region > 0).float()
        self._context = tensor(batch.context)
        self._conditioning = None if batch.conditioning is None else tensor(batch.conditioning)
        self._measured = None if batch.measured is None else tensor(batch.measured).unbind(dim=1)
        self._call, self._generator, self._seed = caller(preset), generator, int(rng.integers(2**62))
        self._half = half

    def predict(self, network: nn.Module, residual: Tensor, times: NDArray[np.float64]) -> Predicted:
        """Noise ``residual`` (B, 1, S, S, S) to ``times`` (B,) and predict the clean one."""
        device = residual.device
        abar = torch.tensor([signal(time) for time in times], device=device).reshape(-1, 1, 1, 1, 1)
        noise = torch.randn(residual.shape, generator=self._generator).to(device)
        noisy = self._free(abar.sqrt() * residual + (1 - abar).sqrt() * noise)
        levels = torch.tensor([log_snr(time) for time in times], dtype=torch.float32, device=device)
        crops = Crops(noisy, self._context, levels, self._conditioning, self.support)
        # on a GPU the convolutions run in bf16; whether that is faster on a CPU, ``core.train.precision`` measures
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda" or self._half):
            clean, log_variance = self._call(network, crops, np.random.default_rng(self._seed))
        return Predicted(times, self._free(clean.float()), log_variance.float(), self.target, self._region)

    def _free(self, values: Tensor) -> Tensor:
        """Return the part of ``values`` that is to be made."""
        inside = values * self.support
        return inside if self._measured is None else null_space(inside, self._measured)


def caller(preset: Preset) -> Call:
    """Return how the network of ``preset`` is called: it gives residual and log-variance (B, 1, S, S, S)."""
    if preset.architecture == "fusion_net":
        return lambda network, crops, rng: _fusion(network, crops, rng, preset)
    if preset.architecture == "plane_net":
        return lambda network, crops, rng: _plane(network, crops, rng, preset.coarse)
    return _volume


def _volume(network: nn.Module, crops: Crops, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    clean, log_variance = network(crops.noisy, crops.context, crops.levels, crops.conditioning)
    return clean, log_variance


def _plane(network: nn.Module, crops: Crops, rng: np.random.Generator, share: float) -> tuple[Tensor, Tensor]:
    """Predict in a random plane; at a ``share`` of steps given the prediction from noise in another plane."""
    plane = int(rng.integers(PLANES))
    coarse = None
    if rng.random() < share:
        other = (plane + int(rng.integers(1, PLANES))) % PLANES
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        start = torch.full_like(crops.levels, log_snr(1.0))
        with torch.no_grad():
            noise = torch.randn(crops.noisy.shape, generator=generator).to(crops.noisy.device)
            coarse = _touched(network, crops, crops.support * noise, start, other, None)[0]
        coarse = coarse.float() * crops.support
    return _touched(network, crops, crops.noisy, crops.levels, plane, coarse)


def _touched(
    network: nn.Module, crops: Crops, noisy: Tensor, levels: Tensor, plane: int, coarse: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Predict the slices that touch the support alone; the others become 0."""
    across = [axis for axis in range(crops.support.ndim) if axis != 2 + plane]
    touched = crops.support.amax(dim=across).nonzero().flatten()
    span = slice(int(touched[0]), int(touched[-1]) + 1)
    made = network(noisy, _known(network, crops), levels, crops.conditioning, plane, span, coarse)
    out = []
    for part in made:
        whole = torch.zeros(noisy.shape, dtype=part.dtype, device=part.device)
        out.append(whole.index_copy(2 + plane, torch.arange(span.start, span.stop, device=part.device), part))
    return out[0], out[1]


def _fusion(network: nn.Module, crops: Crops, rng: np.random.Generator, preset: Preset) -> tuple[Tensor, Tensor]:
    """Fuse the predictions of the frozen experts by the head; our 3D network is among them at every other step."""
    device = str(crops.noisy.device)
    plane = load(WEIGHTS[preset.source], device)
    predictions = torch.zeros(
        len(crops.noisy), int(getattr(network, "experts", PLANES)), *crops.noisy.shape[2:], device=device
    )
    present = torch.zeros(predictions.shape[:2], device=device)
    with torch.no_grad(), in_half(crops.noisy.device):
        for axis in range(PLANES):
            predictions[:, axis : axis + 1] = _touched(plane, crops, crops.noisy, crops.levels, axis, None)[0]
            present[:, axis] = 1
        if rng.random() < 0.5:
            ours = load(VOLUMES[preset.source], device)
            known = _known(ours, crops)
            predictions[:, VOLUME : VOLUME + 1] = ours(crops.noisy, known, crops.levels, crops.conditioning)[0]
            present[:, VOLUME] = 1
        if preset.source == "translate" and crops.conditioning is not None:
            several = crops.conditioning[:, : len(CONTRASTS)].sum(dim=1) > 1
            for number in range(len(CONTRASTS)):
                expert = VOLUME + 1 + number
                present[:, expert] = crops.conditioning[:, number] * several
                only = _only(crops, number)
                predictions[:, expert : expert + 1] = _touched(
                    plane, only, crops.noisy, crops.levels, SOURCE_PLANE, None
                )[0]
    known = _known(network, crops)
    clean, log_variance = network(
        crops.noisy, known, crops.levels, crops.conditioning, predictions=predictions, present=present
    )
    return clean, log_variance


def _known(network: nn.Module, crops: Crops) -> Tensor:
    """Return the channels of the context that ``network`` takes, the first ones."""
    return crops.context[:, : getattr(network, "context", None)]


def _only(crops: Crops, number: int) -> Crops:
    """Return ``crops`` with one contrast as the only source."""
    count = len(CONTRASTS)
    context, conditioning = crops.context.clone(), crops.conditioning
    others = [other for other in range(count) if other != number]
    context[:, others] = 0
    if conditioning is not None:
        conditioning = conditioning.clone()
        conditioning[:, others] = 0
    return replace(crops, context=context, conditioning=conditioning)
