"""Crops for inpainting as they are kept: small, and with what each use of them changes left open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.imaging.brain_position import position, reversed_left_right
from core.imaging.inpaint.network import PLACE_X
from core.train.batch import Batch
from core.volume import Box

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# share of uses in which a crop comes without its place in the brain, as those of whole heads
PLACELESS_SHARE = 0.15


@dataclass(frozen=True, eq=False)
class Grid:
    """Where a cube lies in its scan: ``matrix`` (3, 3) from offsets in the cube to offsets in the scan, ``centre`` (3,)
    the scan's voxel at the cube's middle, ``box`` around the brain."""

    matrix: NDArray[np.float64]
    centre: NDArray[np.float64]
    box: Box

    def positions(self, side: int) -> Float:
        """Return where each voxel of a cube of ``side`` lies in the brain, (3, S, S, S)."""
        return position(points(self.matrix, self.centre, side), self.box)


@dataclass(frozen=True, eq=False)
class Crop:
    """One cube (S, S, S). fill: the scaled biharmonic fill; target: the residual in ``mask``, 0 elsewhere; mirrored,
    known: the scaled scan across the midline and where it is known; grid: None where the brain's box is unknown."""

    fill: Float
    target: Float
    mask: Bool
    mirrored: Float | None = None
    known: Bool | None = None
    grid: Grid | None = None

    def sample(self, rng: np.random.Generator) -> tuple[Float, Float]:
        """Return the network's context (7, S, S, S) and the target for one use: mirrored or not, placed or not."""
        side = len(self.mask)
        context = np.zeros((7, side, side, side), np.float32)
        context[0], context[1] = self.fill, self.mask
        placed = rng.random() >= PLACELESS_SHARE
        if self.grid is not None and self.mirrored is not None and self.known is not None and placed:
            context[2:5], context[5], context[6] = self.grid.positions(side), self.mirrored, self.known
        if rng.random() < 0.5:
            return reversed_left_right(context, PLACE_X), self.target[::-1]
        return context, self.target


def points(matrix: NDArray[np.float64], centre: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return the scan's voxel at each voxel of a cube, (3, S, S, S); see ``Grid``."""
    offsets = np.stack(np.meshgrid(*[np.arange(side) - side / 2] * 3, indexing="ij"), axis=0)
    return np.tensordot(matrix, offsets, axes=1) + centre[:, None, None, None]


def batch_of(crops: Sequence[Crop], rng: np.random.Generator) -> Batch:
    """Return ``crops`` as one use of them."""
    contexts, targets = zip(*(crop.sample(rng) for crop in crops), strict=True)
    context = np.stack(contexts)
    return Batch(context, np.stack(targets)[:, None], context[:, 1:2])


def write(path: Path, crops: Sequence[Crop], part: str = "") -> None:
    """Write ``crops`` to ``path`` (.npz) at once: half-precision voxels, targets in their masks alone, bits for masks.
    ``part`` keeps writers of the same file apart."""
    arrays: dict[str, NDArray[Any]] = {"count": np.array(len(crops))}
    for number, crop in enumerate(crops):
        arrays |= {
            f"{number}/fill": crop.fill.astype(np.float16),
            f"{number}/mask": np.packbits(crop.mask),
            f"{number}/target": crop.target[crop.mask].astype(np.float16),
        }
        if crop.grid is not None and crop.mirrored is not None and crop.known is not None:
            arrays |= {
                f"{number}/mirrored": crop.mirrored.astype(np.float16),
                f"{number}/known": np.packbits(crop.known),
                f"{number}/matrix": crop.grid.matrix,
                f"{number}/centre": crop.grid.centre,
                f"{number}/box": np.array([[extent.start, extent.stop] for extent in crop.grid.box]),
            }
    temporary = path.with_name(f"{path.name}.{part}.part.npz")
    np.savez_compressed(temporary, allow_pickle=False, **arrays)
    temporary.replace(path)


def read(path: Path) -> list[Crop]:
    """Return the crops of a file that ``write`` made."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {key: stored[key] for key in stored.files}
    return [_crop(arrays, number) for number in range(int(arrays["count"]))]


def _crop(arrays: dict[str, NDArray[Any]], number: int) -> Crop:
    fill = arrays[f"{number}/fill"].astype(np.float32)
    mask = _bits(arrays[f"{number}/mask"], fill.shape)
    target = np.zeros(fill.shape, np.float32)
    target[mask] = arrays[f"{number}/target"]
    if f"{number}/box" not in arrays:
        return Crop(fill, target, mask)
    x, y, z = (slice(int(low), int(high)) for low, high in arrays[f"{number}/box"])
    grid = Grid(arrays[f"{number}/matrix"], arrays[f"{number}/centre"], (x, y, z))
    mirrored = arrays[f"{number}/mirrored"].astype(np.float32)
    return Crop(fill, target, mask, mirrored, _bits(arrays[f"{number}/known"], fill.shape), grid)


def _bits(packed: NDArray[np.uint8], shape: tuple[int, ...]) -> Bool:
    return np.unpackbits(packed, count=int(np.prod(shape))).reshape(shape).astype(bool)
