"""Fine anatomy that label maps lack: cerebellar folia, vessels, perivascular spaces, an uneven rim of CSF."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.synth.fields import Shape, blur, smooth_noise, uniform
from core.synth.labelmaps import (
    CEREBELLAR_CORTEX,
    CEREBELLAR_WHITE,
    CSF,
    DURA,
    LAST_BRAIN,
    WHITE,
    brain_of,
)
from core.volume import bounding_box

# tissues with visible perivascular spaces: white matter, caudate, putamen, pallidum
PERIVASCULAR = (WHITE, 7, 8, 9)
# outer CSF lies within about this many voxels of the brain's surface or of the cortex; ventricles lie deeper
DEPTH = 5.0


@dataclass(frozen=True, eq=False)
class Detail:
    """An anatomy before deformation, all (X, Y, Z): ``tissues`` uint8 index into ``TISSUES``; ``brain`` bool, what a
    skull-stripping tool keeps; ``outer`` bool, near its surface; ``vessels`` and ``perivascular`` bool."""

    tissues: NDArray[np.uint8]
    brain: NDArray[np.bool_]
    outer: NDArray[np.bool_]
    vessels: NDArray[np.bool_]
    perivascular: NDArray[np.bool_]


def draw_detail(tissues: NDArray[np.uint8], whole_head: bool, generator: torch.Generator) -> Detail:
    """Return ``tissues`` (X, Y, Z) with the detail of one subject; stripped unless ``whole_head``."""
    shape: Shape = (tissues.shape[0], tissues.shape[1], tissues.shape[2])
    rim = 0.16 * smooth_noise(shape, 14.0, generator) + 0.08 * smooth_noise(shape, 5.0, generator)
    brain = brain_of(tissues, rim.clamp(-0.35, 0.35).numpy())
    inside = np.where(brain & (tissues == 0), CSF, tissues).astype(np.uint8)
    if not whole_head:
        # falx and tentorium stay in a stripped brain, other tissue in a closed gap does not
        foreign = (inside > LAST_BRAIN) & (inside != DURA)
        inside = np.where(brain, np.where(foreign, CSF, inside), 0).astype(np.uint8)
    refined = torch.from_numpy(inside)
    _add_folia(refined, generator)
    parenchyma = ((refined >= WHITE) & (refined <= LAST_BRAIN)).float()
    outer = torch.from_numpy(brain) & (blur(torch.from_numpy(brain).float(), DEPTH) < 0.97)
    near_cortex = blur((refined == 3).float(), 3.0) > 0.12
    outer = outer | (near_cortex & torch.from_numpy(brain))
    vessels = (refined == CSF) & outer & (blur(parenchyma, 2.0) > 0.15)
    vessels &= threads(shape, 16.0, 0.9, generator) | threads(shape, 9.0, 0.55, generator)
    deep = torch.isin(refined, torch.tensor(PERIVASCULAR, dtype=torch.uint8))
    perivascular = deep & threads(shape, 7.0, 0.45, generator)
    return Detail(refined.numpy(), brain, outer.numpy(), vessels.numpy(), perivascular.numpy())


def threads(shape: Shape, scale: float, radius: float, generator: torch.Generator) -> Tensor:
    """Return winding threads (X, Y, Z) bool of about ``radius`` voxels: where two random fields are both near 0.

    Each zero set is a surface; two of them meet in curves, about ``scale`` voxels apart.
    """
    # the slope of a field of unit variance is about 1.6 / scale
    width = 1.6 * radius / scale
    return (smooth_noise(shape, scale, generator).abs() < width) & (smooth_noise(shape, scale, generator).abs() < width)


def _add_folia(tissues: Tensor, generator: torch.Generator) -> None:
    """Cut the cerebellar cortex into leaves that fan out from the roof of the fourth ventricle, in place.

    Fissures of CSF enter from the surface, laminae of white matter from the core, a fold of cortex between them.
    """
    cerebellum = (tissues == CEREBELLAR_CORTEX) | (tissues == CEREBELLAR_WHITE)
    leaves, waviness = uniform(38, 50, generator), uniform(0.8, 1.4, generator)
    if not bool(cerebellum.any()):
        return
    box = bounding_box(cerebellum.numpy(), 6)
    part, inner = tissues[box], cerebellum[box]
    shape: Shape = (part.shape[0], part.shape[1], part.shape[2])
    x, y, z = torch.meshgrid(*(torch.arange(side, dtype=torch.float32) for side in shape), indexing="ij")
    # seen from above the leaves are arcs around the brainstem
    y = y - 0.006 * (x - float(x[inner].mean())) ** 2
    hub_y = 0.72 * shape[1]
    hub_z = float(z[inner].mean())
    radius = torch.hypot(y - hub_y, z - hub_z)
    phase = leaves * torch.atan2(z - hub_z, hub_y - y) + waviness * smooth_noise(shape, 12.0, generator)
    wave = torch.cos(phase + 0.7 * smooth_noise(shape, 5.0, generator))
    solid = blur(inner.float(), 2.5)
    # leaves thinner than 2.5 voxels cannot be drawn
    wide = 2 * torch.pi * radius / leaves > 2.5
    fissure = wide & (part == CEREBELLAR_CORTEX) & (wave > 0.45 + 1.3 * (solid - 0.5))
    lamina = wide & (part == CEREBELLAR_CORTEX) & (wave < -0.35 - 1.4 * (1 - solid))
    fold = wide & (part == CEREBELLAR_WHITE) & (wave > 0.35 + 0.7 * (solid - 0.5))
    part[fissure] = CSF
    part[lamina] = CEREBELLAR_WHITE
    part[fold] = CEREBELLAR_CORTEX
