"""Diseases placed in an anatomy: changed tissue maps, a mask, and displaced surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from core.synth.detail import Detail
from core.synth.fields import Shape, blur, sample, smooth_noise, uniform
from core.synth.labelmaps import CORTEX, CSF, LAST_BRAIN, WHITE
from core.synth.lesion import lumpy_mask
from core.synth.maps import Maps
from core.synth.pathology import (
    CAVITY_MARGIN,
    TUMOUR_MARGIN,
    Region,
    paint_cavity,
    paint_plaques,
    paint_tumour,
)
from core.volume import Box, bounding_box

DISEASES = ("tumour", "plaques", "cavity")
# tissue at the surface of the brain does not move; width of the transition in voxels
HELD = 5.0
# volume of a lesion in ml, and the reach of its displacement in radii
MILLILITRES, REACH = (4.0, 35.0), 2.8
GROWTH, SHRINKAGE = (0.12, 0.32), (0.05, 0.15)
PLAQUES, PLAQUE_MILLILITRES = (8, 32), (0.02, 0.8)


@dataclass(frozen=True, eq=False)
class Push:
    """Displacement of tissue by a lesion, about ``centre`` (3,), out to ``reach`` voxels.

    ``strength`` is the share by which the middle grows; a negative one contracts the neighbourhood. ``loose``
    (X, Y, Z) is 1 where tissue may move and 0 at the surface of the brain.
    """

    centre: Tensor
    reach: float
    strength: float
    loose: Tensor

    def source(self, positions: Tensor) -> Tensor:
        """Return where the tissue that is now at ``positions`` (x, y, z, 3) was; unchanged beyond ``reach``."""
        away = positions - self.centre
        nearness = (1 - (away**2).sum(dim=-1) / self.reach**2).clamp_min(0) ** 2
        return positions - (self.strength * nearness * sample(self.loose, positions))[..., None] * away


@dataclass(frozen=True, eq=False)
class Disease:
    """A lesion in the undeformed anatomy: ``box`` of it, the changed ``maps`` and its ``mask`` (bool) in that box, and
    the displacement of its surroundings, if any. All differences from the healthy subject lie within ``reached``."""

    box: Box
    maps: Maps
    mask: Tensor
    push: Push | None
    reached: Box


def draw_disease(kind: str, detail: Detail, maps: Maps, generator: torch.Generator) -> Disease:
    """Return a disease of ``kind`` (one of ``DISEASES``) at a random place; ``ValueError`` for another kind or where
    the anatomy has no white matter to put it in."""
    if kind not in DISEASES:
        raise ValueError(f"lesion must be one of {', '.join(DISEASES)}, not {kind!r}")
    rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    if not (detail.tissues == WHITE).any():
        raise ValueError("there is no white matter for a lesion")
    if kind == "plaques":
        return _plaques(detail, maps, rng, generator)
    return _mass(kind, detail, maps, rng, generator)


def _mass(kind: str, detail: Detail, maps: Maps, rng: np.random.Generator, generator: torch.Generator) -> Disease:
    """Return a tumour or a chronic cavity: one lesion, its surroundings and the displacement."""
    shape: Shape = (detail.tissues.shape[0], detail.tissues.shape[1], detail.tissues.shape[2])
    centre = _place(detail, rng)
    millilitres = float(np.exp(rng.uniform(*np.log(MILLILITRES))))
    brain = (detail.tissues >= CSF) & (detail.tissues <= LAST_BRAIN)
    blob = lumpy_mask(shape, centre, millilitres, rng) & brain
    if kind == "cavity":
        blob &= (detail.tissues >= WHITE) & ~detail.vessels
    blob[centre] = True
    box = bounding_box(blob, TUMOUR_MARGIN if kind == "tumour" else CAVITY_MARGIN)
    region = Region(torch.from_numpy(blob[box]), torch.from_numpy(detail.tissues[box]))
    painter = paint_tumour if kind == "tumour" else paint_cavity
    painted, mask = painter(region, maps.crop(box), generator)
    reach = REACH * (3 * millilitres * 1000 / (4 * np.pi)) ** (1 / 3)
    strength = uniform(*GROWTH, generator) if kind == "tumour" else -uniform(*SHRINKAGE, generator)
    loose = (2.4 * blur(torch.from_numpy(detail.brain).float(), HELD) - 1.4).clamp(0, 1)
    push = Push(torch.tensor(centre, dtype=torch.float32), reach, strength, loose)
    return Disease(box, painted, mask, push, _around(centre, reach, box, shape))


def _plaques(detail: Detail, maps: Maps, rng: np.random.Generator, generator: torch.Generator) -> Disease:
    """Return the small ovoid plaques of multiple sclerosis, most of them beside the ventricles."""
    loss = np.zeros(detail.tissues.shape, np.float32)
    leak = np.zeros(detail.tissues.shape, np.float32)
    points, outwards = _plaque_places(detail, int(rng.integers(*PLAQUES)), rng)
    for point, direction in zip(points, outwards, strict=True):
        radius = (3000 * np.exp(rng.uniform(*np.log(PLAQUE_MILLILITRES))) / (4 * np.pi)) ** (1 / 3)
        window, ovoid = _ovoid(point, direction, radius, loss.shape, rng)
        loss[window] = np.maximum(loss[window], rng.uniform(0.6, 1.4) * ovoid)
        if rng.random() < 0.15:
            leak[window] = np.maximum(leak[window], ovoid)
    water = Region(torch.from_numpy(loss > 0), torch.from_numpy(detail.tissues)).water().numpy()
    loss, leak = loss * water, leak * water
    loss[loss < 0.01] = 0
    box = bounding_box(loss > 0, 1)
    noise = 1 + 0.15 * smooth_noise((loss[box].shape[0], loss[box].shape[1], loss[box].shape[2]), 2.0, generator)
    lost = torch.from_numpy(loss[box]) * noise
    painted = paint_plaques(maps.crop(box), lost, torch.from_numpy(leak[box]))
    return Disease(box, painted, lost > 0.4, None, box)


def _place(detail: Detail, rng: np.random.Generator) -> tuple[int, int, int]:
    """Return a random voxel of the cerebral white matter."""
    places = np.flatnonzero(detail.tissues == WHITE)
    x, y, z = np.unravel_index(places[rng.integers(len(places))], detail.tissues.shape)
    return int(x), int(y), int(z)


def _plaque_places(
    detail: Detail, count: int, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return places (count, 3) in white matter and the unit vectors (count, 3) that lead away from the ventricles."""
    ventricles = ((detail.tissues == CSF) & ~detail.outer)[::2, ::2, ::2]
    white = np.argwhere(detail.tissues[::2, ::2, ::2] == WHITE)
    distance, nearest = ndimage.distance_transform_edt(~ventricles, return_indices=True)
    away = 2 * distance[tuple(white.T)]
    cortex = ndimage.gaussian_filter((detail.tissues[::2, ::2, ::2] == CORTEX).astype(np.float32), 1.0)
    weight = np.exp(-away / 6) + 0.10 * cortex[tuple(white.T)] + 0.02
    chosen = rng.choice(len(white), count, p=weight / weight.sum())
    outwards = white[chosen] - nearest[(slice(None), *white[chosen].T)].T + rng.normal(0, 0.3, (count, 3))
    return 2 * white[chosen], outwards / np.linalg.norm(outwards, axis=1, keepdims=True)


def _ovoid(
    point: NDArray[np.intp],
    direction: NDArray[np.float64],
    radius: float,
    shape: tuple[int, ...],
    rng: np.random.Generator,
) -> tuple[Box, NDArray[np.float32]]:
    """Return a window and in it an ovoid, 1 inside and 0 outside with a soft edge, longer along ``direction``."""
    stretch = rng.uniform(1.0, 1.9)
    reach = int(np.ceil(radius * stretch + 4))
    low = np.maximum(point - reach, 0)
    high = np.minimum(point + reach + 1, shape)
    grids = np.meshgrid(*[np.arange(a, b) for a, b in zip(low, high, strict=True)], indexing="ij")
    offsets = np.stack(grids, axis=-1) - point
    along = offsets @ direction
    across = np.sqrt(np.maximum((offsets**2).sum(axis=-1) - along**2, 0))
    lumps = 0.15 * ndimage.gaussian_filter(rng.normal(size=along.shape), 1.5) / 0.08
    distance = np.hypot(along / stretch, across * np.sqrt(stretch)) / radius + lumps
    soft = 1 / (1 + np.exp(np.clip((distance - 1) * radius / 0.5, -30, 30)))
    x, y, z = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return (x, y, z), soft.astype(np.float32)


def _around(centre: tuple[int, int, int], reach: float, box: Box, shape: Shape) -> Box:
    """Return the box that holds ``box`` and the sphere of ``reach`` around ``centre``."""
    x, y, z = (
        slice(max(0, min(part.start, int(c - reach) - 1)), min(side, max(part.stop, int(c + reach) + 2)))
        for c, part, side in zip(centre, box, shape, strict=True)
    )
    return x, y, z
