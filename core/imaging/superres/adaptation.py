"""Our network adapted to one scan: it learns to restore the planes of the slices, measured as the axis across them was.

The idea is that of SMORE (Zhao et al. 2021) and ECLARE (Remedios et al. 2025), which train a network from nothing. Here
the shipped one goes on learning for a counted number of steps, and is kept where that helps nothing.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.diffusion.constraints import null_space
from core.diffusion.schedule import log_snr, signal, times
from core.events import Progress
from core.imaging.options import Options
from core.imaging.superres.adaptation_cost import PATCHES
from core.imaging.superres.binning import TILING
from core.imaging.superres.own_patches import OwnPatches, Patch
from core.imaging.tiled_network import in_half

# highest learning rate, steps until it is reached, and what is left of it in the end
RATE, WARM_UP, LAST = 1e-3, 10, 0.02
BETAS = (0.9, 0.99)
# how much of the running average stays at each step; largest norm of a gradient
AVERAGE, CLIP = 0.98, 1.0
# a tenth of the residual of a hard patch is left in an easy one: each is to count alike, nearly
SMALLEST = 0.05
# what a voxel outside tissue counts
BACKGROUND = 0.02
# how often the patches that are held back are looked at
LOOKS = 6
# share of the squared error on them that must go for the adapted network to be taken
WORTH = 0.005
# how far deviations are rescaled at most
RESCALED = 1.5


@dataclass(frozen=True, eq=False)
class Adapted:
    """network: the best on the patches held back, the shipped one where none was better. left: squared error on these
    as a share of the shipped network's, 1 for itself. factor: what its standard deviations are multiplied by."""

    network: nn.Module
    left: float
    factor: float


@dataclass(frozen=True)
class _Score:
    """Mean over patches: squared error as a share of the residual's, and over the predicted variance."""

    share: float
    surprise: float


def adapted(shipped: nn.Module, patches: OwnPatches, options: Options) -> Generator[Progress, None, Adapted]:
    """Return ``shipped`` after ``options.adapt`` steps on ``patches``, at the noise levels of ``options.steps``.

    The running average of the weights is looked at ``LOOKS`` times; the best that it was is returned.
    """
    network, average = copy.deepcopy(shipped).requires_grad_(True), copy.deepcopy(shipped)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, betas=BETAS, weight_decay=0.0)
    visited, total = times(options.steps), options.adapt
    held = patches.held_back()
    begun = best = _scored(shipped, held, visited, options)
    kept = None
    for step in range(total):
        for group in optimiser.param_groups:
            group["lr"] = _rate(step, total)
        _step(network, optimiser, patches, visited, options, step)
        _follow(average, network, step)
        if (step + 1) % max(1, total // LOOKS) == 0 or step + 1 == total:
            found = _scored(average, held, visited, options)
            if found.share < min(best.share, (1 - WORTH) * begun.share):
                best, kept = found, copy.deepcopy(average)
        yield Progress((step + 1) / total, step + 1, total, f"Learning from its own slices, step {step + 1} of {total}")
    if kept is None:
        return Adapted(shipped, 1.0, 1.0)
    factor = math.sqrt(best.surprise / max(begun.surprise, 1e-9))
    return Adapted(kept.eval(), best.share / begun.share, min(max(factor, 1 / RESCALED), RESCALED))


def _rate(step: int, total: int) -> float:
    cosine = 0.5 * (1 + math.cos(math.pi * step / total))
    return RATE * min(1.0, (step + 1) / WARM_UP) * (LAST + (1 - LAST) * cosine)


def _step(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    patches: OwnPatches,
    visited: Sequence[float],
    options: Options,
    step: int,
) -> None:
    """Take one step on ``PATCHES`` patches, one in memory at a time."""
    optimiser.zero_grad(set_to_none=True)
    for index in range(step * PATCHES, (step + 1) * PATCHES):
        with torch.enable_grad():
            error, energy, _ = _measured(
                network, patches.training(index), visited[index % len(visited)], index, options
            )
            loss = error / (energy + SMALLEST) / PATCHES
        torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(network.parameters(), CLIP)
    optimiser.step()


def _follow(average: nn.Module, network: nn.Module, step: int) -> None:
    # early on the average follows the network quickly
    keep = min(AVERAGE, (1 + step) / (10 + step))
    with torch.no_grad():
        for mean, value in zip(average.parameters(), network.parameters(), strict=True):
            mean.lerp_(value, 1 - keep)


def _scored(network: nn.Module, held: Sequence[Patch], visited: Sequence[float], options: Options) -> _Score:
    share, errors, variances = 0.0, 0.0, 0.0
    with torch.no_grad():
        for index, patch in enumerate(held):
            # the same noise at each look
            found = _measured(network, patch, visited[index % len(visited)], -1 - index, options)
            error, energy, variance = (float(part) for part in found)
            share += error / max(energy, 1e-9) / len(held)
            errors, variances = errors + error, variances + variance
    return _Score(share, errors / max(variances, 1e-9))


def _measured(
    network: nn.Module, patch: Patch, time: float, draw: int, options: Options
) -> tuple[Tensor, Tensor, Tensor]:
    """Return squared error of the residual, its energy and the predicted variance, all of what was measured of it."""
    device = torch.device(options.device)

    def tensor(array: object) -> Tensor:
        return torch.as_tensor(array, dtype=torch.float32, device=device)

    target, parts = tensor(patch.target)[None, None], [tensor(part)[None] for part in patch.parts]
    generator = torch.Generator().manual_seed(options.seed * 1_000_003 + 2 * abs(draw) + (draw < 0))
    noise = torch.randn(target.shape, generator=generator).to(device)
    abar = signal(time)
    noisy = null_space(math.sqrt(abar) * target + math.sqrt(1 - abar) * noise, parts)
    level = torch.full((1,), log_snr(time), device=device)
    with in_half(device, TILING.half):
        clean, log_variance = network(noisy, tensor(patch.context)[None], level, tensor(patch.conditioning)[None])
    known = [None if matrix is None else tensor(matrix) for matrix in patch.known]
    apart = _seen(null_space(clean.float(), parts) - target, known)
    weight = _seen(tensor(patch.region)[None, None], known) + BACKGROUND
    weight = weight / weight.sum()
    energy, variance = _seen(target, known).square(), _seen(log_variance.float().exp(), known)
    return (weight * apart.square()).sum(), (weight * energy).sum(), (weight * variance).sum()


def _seen(values: Tensor, known: Sequence[Tensor | None]) -> Tensor:
    """Return what was measured of ``values`` (1, 1, S, S, S)."""
    for axis, matrix in enumerate(known):
        if matrix is not None:
            values = torch.tensordot(matrix, values, dims=([1], [2 + axis])).movedim(0, 2 + axis)
    return values
