"""Single slices of stored volumes as pictures, for browsers that cannot draw volumes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import UserError
from core.files.nifti import read_own
from core.imaging.picture import DIVERGING, INFERNO, coloured, grey, outlined, png
from core.volume import Volume

Plane = NDArray[np.float32]
Kind = Literal["mask", "signed", "uncertainty"]

KEPT_BYTES = 384 << 20
# what is under the lowest and over the highest of so many percent of the scan is black or white
WINDOW = (2.0, 99.5)
# voxels that decide a window
ENOUGH = 500_000
# a map's colours end at this percentile of what is not 0, and begin at this share of that
REACH, LEAST = 99.9, 0.02
LONGEST = 512


@dataclass(frozen=True, eq=False)
class _Shown:
    """A volume with the window of its greys and the reach of its values."""

    volume: Volume
    window: tuple[float, float]
    reach: float


class SlicePictures:
    """Pictures of slices; the volumes used last stay in memory, up to ``most`` bytes. Safe in several threads."""

    def __init__(self, most: int = KEPT_BYTES) -> None:
        self._most = most
        self._kept: OrderedDict[Path, _Shown] = OrderedDict()
        self._lock = Lock()
        # volumes are read one after the other: many requests for one take its memory once
        self._reading = Lock()

    def picture(
        self,
        path: Path,
        axis: int,
        share: float,
        over: Path | None = None,
        kind: Kind = "mask",
        minus: Path | None = None,
    ) -> bytes:
        """Return one slice of the volume at ``path`` as a PNG, the patient's left on the left, pixels square in mm.

        axis: 0 sagittal, 1 coronal, 2 axial. share: 0 to 1 along it. over: a volume on the same grid that is drawn
        over it, less ``minus`` where that is given. Raises UserError wrong_input where two grids differ.
        """
        base = self._read(path)
        index = _index(base.volume.data.shape[axis], share)
        low, high = base.window
        pixels = np.repeat(grey(_cut(base.volume.data, axis, index), low, high)[:, :, None], 3, axis=2)
        if over is not None:
            top = self._read(over)
            below = self._read(minus) if minus else None
            for other in (top, below):
                if other and other.volume.data.shape != base.volume.data.shape:
                    raise UserError("wrong_input", "The two volumes lie on different grids.", "Look at each alone.")
            values = _cut(top.volume.data, axis, index)
            if below:
                values = values - _cut(below.volume.data, axis, index)
            pixels = _laid_over(pixels, values, kind, top.reach if not below else (high - low) / 2)
        return png(_sized(pixels, axis, base.volume.spacing))

    def _read(self, path: Path) -> _Shown:
        found = self._found(path)
        if found is None:
            with self._reading:
                # another request may have read it meanwhile
                found = self._found(path) or self._keep(path)
        return found

    def _found(self, path: Path) -> _Shown | None:
        with self._lock:
            if path in self._kept:
                self._kept.move_to_end(path)
            return self._kept.get(path)

    def _keep(self, path: Path) -> _Shown:
        volume = read_own(path).to_volume()
        some = volume.data.ravel()[:: max(1, volume.data.size // ENOUGH)]
        some = some[np.isfinite(some)]
        inside = some[some > some.min()] if some.size else some
        low, high = np.percentile(inside, WINDOW) if inside.size else (0.0, 1.0)
        changed = np.abs(some[some != 0])
        shown = _Shown(volume, (float(low), float(high)), float(np.percentile(changed, REACH)) if changed.size else 1.0)
        with self._lock:
            self._kept[path] = shown
            while len(self._kept) > 1 and sum(one.volume.data.nbytes for one in self._kept.values()) > self._most:
                self._kept.popitem(last=False)
        return shown


def _index(count: int, share: float) -> int:
    return min(count - 1, max(0, round(share * (count - 1))))


def _cut(data: NDArray[np.float32], axis: int, index: int) -> Plane:
    """Return a slice as (height, width), what is up in the patient up in the picture."""
    plane: Plane = np.nan_to_num(np.take(data, index, axis=axis).T[::-1])
    return plane


def _laid_over(pixels: NDArray[np.uint8], values: Plane, kind: Kind, reach: float) -> NDArray[np.uint8]:
    """Return ``pixels`` (height, width, 3) with a mask's outline, or a map's colours where it is not small."""
    if kind == "mask":
        return outlined(pixels[:, :, 0], values > 0)
    low, colours = (-reach, DIVERGING) if kind == "signed" else (0.0, INFERNO)
    painted = coloured(values, low, reach, colours, beyond=0.0)
    weight = np.clip(np.abs(values) / max(reach, 1e-12) / LEAST - 1, 0, 0.8)[:, :, None]
    return np.asarray(pixels * (1 - weight) + painted * weight + 0.5, np.uint8)


def _sized(pixels: NDArray[np.uint8], axis: int, spacing: tuple[float, float, float]) -> Image.Image:
    """Return the picture with square pixels, its longer side LONGEST."""
    across, up = [(1, 2), (0, 2), (0, 1)][axis]
    height, width = pixels.shape[0] * spacing[up], pixels.shape[1] * spacing[across]
    scale = LONGEST / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST)
