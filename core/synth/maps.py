"""T1, T2, proton density and contrast uptake of every voxel, with the variation of a subject."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.synth.detail import Detail
from core.synth.fields import blur, smooth_noise
from core.synth.labelmaps import CEREBELLAR_CORTEX, CORTEX, CSF, TISSUES, WHITE
from core.volume import Box

SHORTEST_T1, SHORTEST_T2 = 250.0, 8.0
# spread of a tissue between subjects, as a share
JITTER_T1, JITTER_T2, JITTER_DENSITY = 0.03, 0.03, 0.015
# texture at 16, 5 and 1.5 mm: weights
TEXTURE = ((16.0, 0.5), (5.0, 0.7), (1.5, 0.5))
# flowing blood: T1 and T2 in ms (a flow void has next to no T2), density, uptake in 1/s
BLOOD = (1650.0, 25.0, 0.8, 3.5)


@dataclass(frozen=True, eq=False)
class Maps:
    """t1 and t2 in ms, density relative to water, uptake (the relaxation rate that gadolinium adds) in 1/s; all
    (X, Y, Z) float32."""

    t1: Tensor
    t2: Tensor
    density: Tensor
    uptake: Tensor

    def crop(self, box: Box) -> Maps:
        """Return views of ``box``."""
        return Maps(self.t1[box], self.t2[box], self.density[box], self.uptake[box])

    def differ(self, other: Maps) -> Tensor:
        """Return where any of the values is not that of ``other``, bool (X, Y, Z)."""
        same = (self.t1 == other.t1) & (self.t2 == other.t2)
        return ~(same & (self.density == other.density) & (self.uptake == other.uptake))


def draw_maps(detail: Detail, generator: torch.Generator) -> Maps:
    """Return the maps of an anatomy: tissue values with jitter, texture, myelination, meninges and blood."""
    tissues = torch.from_numpy(detail.tissues).int()
    shape = (tissues.shape[0], tissues.shape[1], tissues.shape[2])
    jitter = 1 + torch.randn(len(TISSUES), 4, generator=generator) * torch.tensor(
        [JITTER_T1, JITTER_T2, JITTER_DENSITY, 0.15]
    )
    table = jitter * torch.tensor([(t.t1, t.t2, t.density, t.uptake) for t in TISSUES])
    t1, t2, density, uptake = (table[:, column].contiguous()[tissues] for column in range(4))
    spread = torch.tensor([tissue.texture for tissue in TISSUES])[tissues]
    common, own = _texture(shape, generator), _texture(shape, generator)
    t1 *= 1 + spread * common
    t2 *= 1 + spread * (0.6 * common + 0.8 * own)
    density *= 1 - 0.3 * spread * common
    # white matter near the cortex is less myelinated: its T1 and T2 rise towards the grey matter
    white = (tissues == WHITE).float()
    shallow = white * (1 - blur(white, 3.0))
    t1 *= 1 + 0.10 * shallow
    t2 *= 1 + 0.05 * shallow
    _add_perivascular(t1, t2, torch.from_numpy(detail.perivascular))
    _add_meninges(t2, density, tissues, detail, generator)
    for values, value in zip((t1, t2, density, uptake), BLOOD, strict=True):
        values[torch.from_numpy(detail.vessels)] = value
    grey = ((tissues == CORTEX) | (tissues == CEREBELLAR_CORTEX)).float()
    uptake += 0.04 * grey * (1 + 0.5 * own).clamp_min(0)
    return Maps(t1.clamp_min(SHORTEST_T1), t2.clamp_min(SHORTEST_T2), density.clamp_min(0), uptake.clamp_min(0))


def _add_perivascular(t1: Tensor, t2: Tensor, where: Tensor) -> None:
    """Raise T1 and T2 at perivascular spaces, in place: their water fills a part of a voxel only."""
    t1[where] *= 1.12
    t2[where] *= 1.30


def _add_meninges(t2: Tensor, density: Tensor, tissues: Tensor, detail: Detail, generator: torch.Generator) -> None:
    """Lower T2 and density of the CSF around the brain unevenly, in place, as trabeculae and pulsation do."""
    shape = (tissues.shape[0], tissues.shape[1], tissues.shape[2])
    outer = ((tissues == CSF) & torch.from_numpy(detail.outer)).float()
    strands = smooth_noise(shape, 2.5, generator).clamp(0, 2) + 0.6 * smooth_noise(shape, 14.0, generator).clamp(0, 2)
    t2 *= torch.exp(-0.9 * outer * strands)
    density *= 1 - 0.10 * outer * strands


def _texture(shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    total = torch.zeros(shape)
    for scale, weight in TEXTURE:
        total += weight * smooth_noise(shape, scale, generator)
    return total
