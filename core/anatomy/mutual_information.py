"""Mattes' mutual information of two scans (Mattes et al., IEEE Trans Med Imaging 22:120, 2003), and its gradient."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from core.volume import Volume

Float = NDArray[np.float32]
Real = NDArray[np.float64]
Index = NDArray[np.intp]

# bins at either end into which no value falls, but the window of one
BESIDE = 2


class MutualInformation:
    """Mutual information of values of a fixed scan and of what a ``moving`` one shows at the same points.

    fixed: (N,) float32; bins: how many each of the two has. The joint histogram counts the fixed values whole and
    spreads the moving ones by cubic B-splines, as ITK does.
    """

    def __init__(self, fixed: Float, moving: Volume, bins: int) -> None:
        self._bins = bins
        self._into = np.linalg.inv(moving.affine)
        # half a voxel beyond the outermost ones counts as seen
        self._data = np.pad(moving.data, 1, mode="edge")
        self._low, self._size = self._range(moving.data)
        low, size = self._range(fixed)
        self._rows = self._bin((fixed - low) / size + BESIDE) * bins

    def _range(self, values: Float) -> tuple[np.float32, np.float32]:
        """Return the least value and the size of a bin."""
        low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
        return np.float32(low), np.float32(max((high - low) / (self._bins - 2 * BESIDE), 1e-12))

    def _bin(self, place: Float) -> Index:
        return np.floor(place).astype(np.intp).clip(BESIDE, self._bins - BESIDE - 1)

    def at(self, points: Float) -> tuple[float, Float] | None:
        """Return the information in nats where the fixed values lie at ``points`` (3, N) float32 mm of the moving scan,
        and its derivatives by their coordinates, (3, N); None where all lie outside."""
        index = self._into[:3, :3].astype(np.float32) @ points + (self._into[:3, 3:] + 1).astype(np.float32)
        ends = np.array(self._data.shape, np.float32)[:, None] - np.float32(1.5)
        seen = ((index >= np.float32(0.5)) & (index < ends)).all(axis=0)
        count = int(seen.sum())
        if not count:
            return None
        index = index if count == seen.size else np.where(seen, index, np.float32(1))
        value, slopes = self._interpolated(index)
        place = (value - self._low) / self._size + np.float32(BESIDE)
        first = self._bin(place)
        cells, size = self._rows + (first - 1), self._bins**2
        weights, turns = _splines(place - first)
        counts = [np.bincount(cells + step, each * seen, size)[:size] for step, each in enumerate(weights)]
        joint = np.sum(counts, axis=0).reshape(self._bins, self._bins) / count
        apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
        full = joint > np.finfo(np.float64).tiny
        gain = np.log(np.divide(joint, apart, out=np.ones_like(joint), where=full))
        table = gain.astype(np.float32).ravel()
        pull = sum(turn * table.take(cells + step) for step, turn in enumerate(turns))
        pull *= seen / np.float32(self._size * count)
        return float((joint * gain).sum()), self._into[:3, :3].T.astype(np.float32) @ (slopes * pull)

    def _interpolated(self, index: Float) -> tuple[Float, Float]:
        """Return the moving scan at voxel coordinates ``index`` (3, N), linear between voxels, and its slopes."""
        base = np.floor(index)
        x, y, z = index - base
        steps = np.array(self._data.strides) // self._data.itemsize
        first = (steps @ base.astype(np.intp)).astype(np.intp)
        flat = self._data.ravel()
        near, far = (
            [flat.take(first + i * steps[0] + j * steps[1] + k) for i, j in product((0, 1), repeat=2)] for k in (0, 1)
        )
        rises = [b - a for a, b in zip(near, far, strict=True)]
        lines = [a + z * rise for a, rise in zip(near, rises, strict=True)]
        across = lines[1] - lines[0], lines[3] - lines[2]
        left = lines[0] + y * across[0]
        along_x = lines[2] + y * across[1] - left
        behind, before = (rises[n] + y * (rises[n + 1] - rises[n]) for n in (0, 2))
        slopes = along_x, across[0] + x * (across[1] - across[0]), behind + x * (before - behind)
        return left + x * along_x, np.stack(slopes)


def _splines(u: Float) -> tuple[list[Float], list[Float]]:
    """Return the weights of the four bins around a value that lies ``u`` beyond the second, and their derivatives."""
    v, square = 1 - u, u * u
    cube, sixth = square * u, np.float32(1 / 6)
    weights = [v * v * v * sixth, (3 * cube - 6 * square + 4) * sixth, (3 * (square + u - cube) + 1) * sixth]
    turns = [v * v * np.float32(-0.5), 1.5 * square - 2 * u, 0.5 + u - 1.5 * square]
    return [*weights, cube * sixth], [*turns, square * np.float32(0.5)]
