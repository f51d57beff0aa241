"""T1, T2, density and uptake of diseased tissue: tumour, chronic cavity, plaques."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from core.synth.fields import Shape, smooth_noise, uniform
from core.synth.labelmaps import CEREBELLAR_CORTEX, CORTEX, CSF, LAST_BRAIN, TISSUES, WHITE
from core.synth.maps import Maps

# oedema of white matter: T1 x 1.45, T2 x 1.9, density x 1.12 where it is full
OEDEMA = (0.45, 0.90, 0.12)
GLIOSIS = (0.35, 0.80, 0.10)
# relative uptake of water by tissue; 0.5 for other tissues of the brain
WATER = {CSF: 0.0, WHITE: 1.0, 4: 1.0, CORTEX: 0.2, CEREBELLAR_CORTEX: 0.2}
# width in voxels of the changed surroundings
TUMOUR_MARGIN, CAVITY_MARGIN = 22, 9


@dataclass(frozen=True, eq=False)
class Region:
    """A box of the anatomy: ``blob`` (X, Y, Z) bool is the lesion proper, ``tissues`` (X, Y, Z) uint8."""

    blob: Tensor
    tissues: Tensor

    @property
    def shape(self) -> Shape:
        """Shape of the box."""
        return self.blob.shape[0], self.blob.shape[1], self.blob.shape[2]

    def depth(self) -> Tensor:
        """Return the distance in voxels to the surface of the blob: positive inside, negative outside."""
        inside = ndimage.distance_transform_edt(self.blob.numpy())
        outside = ndimage.distance_transform_edt(~self.blob.numpy())
        return torch.from_numpy(np.asarray(inside - outside, np.float32))

    def water(self) -> Tensor:
        """Return the relative uptake of water (X, Y, Z), 0 to 1."""
        table = [WATER.get(index, 0.5 if 0 < index <= LAST_BRAIN else 0.0) for index in range(len(TISSUES))]
        return torch.tensor(table)[self.tissues.int()]


def paint_tumour(region: Region, maps: Maps, generator: torch.Generator) -> tuple[Maps, Tensor]:
    """Return ``maps`` with a glioma in ``region`` and its mask (X, Y, Z) bool, oedema included.

    The blob is a necrotic or cystic core in a patchy rim that enhances; one in four is solid and does not. Oedema
    runs along the white matter and spares the cortex.
    """
    depth = region.depth()
    length = uniform(5, 16, generator) * (1 + 0.4 * smooth_noise(region.shape, 10.0, generator))
    swelling = torch.sigmoid((length + depth) / 1.5) * region.water() * ((TUMOUR_MARGIN - 1 + depth) / 5).clamp(0, 1)
    swelling = torch.where(region.blob, 0.0, swelling)
    maps = _swollen(maps, swelling, OEDEMA)
    grain = 0.05 * smooth_noise(region.shape, 5.0, generator) + 0.05 * smooth_noise(region.shape, 2.0, generator)
    patches = smooth_noise(region.shape, 6.0, generator)
    rim = depth < uniform(2.0, 4.0, generator) + patches
    kind = uniform(0, 1, generator)
    if kind < 0.25:
        solid, uptake = (1550.0, 165.0, 0.86, 0.05), 0.1
        inner = solid
    else:
        solid, uptake = (1450.0, 115.0, 0.83, 0.1), uniform(1.2, 3.0, generator)
        # a core full of protein has the T1 of tissue, a cyst that of water; 2600 ms in between would be nulled in T1w
        inner = (1900.0, 210.0, 0.93, 0.0) if kind < 0.65 else (3500.0, 600.0, 0.97, 0.0)
    values = []
    for old, at_rim, at_core in zip((maps.t1, maps.t2, maps.density), solid, inner, strict=False):
        new = torch.where(rim, at_rim, at_core) * (1 + grain)
        values.append(torch.where(region.blob, new, old))
    leak = torch.where(rim, uptake * (0.75 + 0.35 * patches), 0.0).clamp_min(0.0)
    changed = Maps(values[0], values[1], values[2], torch.where(region.blob, leak, maps.uptake))
    return changed, region.blob | (swelling > 0.5)


def paint_cavity(region: Region, maps: Maps, generator: torch.Generator) -> tuple[Maps, Tensor]:
    """Return ``maps`` with a chronic infarct in ``region`` and its mask (X, Y, Z) bool, gliosis included.

    Inside is CSF crossed by strands; the wall and the white matter around are gliotic.
    """
    depth = region.depth()
    halo = torch.exp(depth / 3.0) * region.water() * ((CAVITY_MARGIN - 1 + depth) / 3).clamp(0, 1)
    maps = _swollen(maps, torch.where(region.blob, 0.0, halo), GLIOSIS)
    wall = depth < uniform(1.2, 2.6, generator) + 0.6 * smooth_noise(region.shape, 6.0, generator)
    strand = smooth_noise(region.shape, 8.0, generator).abs() < 0.10
    scar = (wall | strand) & (region.tissues != CSF)
    grain = 1 + 0.06 * smooth_noise(region.shape, 2.0, generator)
    fluid, gliosis = (3900.0, 1300.0, 0.99), (1500.0, 150.0, 0.86)
    values = []
    for old, in_scar, in_fluid in zip((maps.t1, maps.t2, maps.density), gliosis, fluid, strict=True):
        values.append(torch.where(region.blob, torch.where(scar, in_scar * grain, in_fluid), old))
    changed = Maps(values[0], values[1], values[2], torch.where(region.blob, 0.02, maps.uptake))
    return changed, region.blob | (halo > 0.5)


def paint_plaques(maps: Maps, myelin_loss: Tensor, leak: Tensor) -> Maps:
    """Return ``maps`` with demyelination, ``myelin_loss`` from 0 to about 1.5 and ``leak`` from 0 to 1 (X, Y, Z)."""
    swollen = _swollen(maps, myelin_loss, (0.55, 1.0, 0.14))
    return Maps(swollen.t1, swollen.t2, swollen.density, maps.uptake + 1.8 * leak)


def _swollen(maps: Maps, share: Tensor, gain: tuple[float, float, float]) -> Maps:
    t1, t2, density = (
        (1 + more * share) * old for more, old in zip(gain, (maps.t1, maps.t2, maps.density), strict=True)
    )
    return Maps(t1, t2, torch.minimum(density, maps.density.clamp_min(1.0)), maps.uptake)
