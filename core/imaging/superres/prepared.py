"""What our network for thick slices is given of a scan: the consistent spline, its detail, the phase of the slices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.acquisition import Acquisition, Axis, measuring, spreading
from core.volume import Box

Float = NDArray[np.float32]

# the network's residual of 1 is this share of the tissue level: the error of a consistent spline at four-fold slices
RESIDUAL = 0.06
CENTRE, SPREAD = 0.5, 0.3
# detail is what a Gaussian of this many voxels takes away
DETAIL = 1.5


@dataclass(frozen=True, eq=False)
class Prepared:
    """The network's view of a scan. base: (X, Y, Z) float32 in the scan's units, level: its bright tissue.

    detail: (X, Y, Z) float32, what the base has of it. waves: (3, n) float32 for each axis, whose period is the
    distance of slices; None along an axis that was measured voxel by voxel. conditioning: (9,) float32.
    """

    base: Float
    level: float
    detail: Float
    waves: tuple[Float | None, Float | None, Float | None]
    conditioning: Float

    @cached_property
    def context(self) -> Float:
        """All of it at once: (11, X, Y, Z) float32 = scaled base, its detail, its detail times the nine waves."""
        x, y, z = (slice(0, side) for side in self.base.shape)
        return self.part((x, y, z))

    def part(self, box: Box) -> Float:
        """Return the context in ``box`` of the volume, (11, x, y, z) float32."""
        detail = self.detail[box]
        out = np.zeros((11, *detail.shape), np.float32)
        out[0] = (self.base[box] / self.level - CENTRE) / SPREAD
        out[1] = detail
        for axis, waves in enumerate(self.waves):
            if waves is not None:
                along = waves[:, box[axis]]
                out[2 + 3 * axis : 5 + 3 * axis] = detail * along.reshape(
                    [3, *(-1 if other == axis else 1 for other in range(3))]
                )
        return out

    def padded(self, multiple: int) -> Prepared:
        """Return it with sides that are multiples of ``multiple``, the last voxel repeated."""
        pad = [(0, -side % multiple) for side in self.base.shape]
        x, y, z = (
            None if waves is None else np.pad(waves, [(0, 0), extra], mode="edge")
            for waves, extra in zip(self.waves, pad, strict=True)
        )
        base, detail = (np.pad(image, pad, mode="edge") for image in (self.base, self.detail))
        return replace(self, base=base, detail=detail, waves=(x, y, z))


def prepare(measured: Float, acquisition: Acquisition, level: float) -> Prepared:
    """Return the network's view of a scan ``measured`` (x, y, z) whose bright tissue is ``level``.

    The base is the cubic spline that measures exactly as the scan: where ten back-projections lead. What is right
    between slices depends on how far the next one is: with waves times detail, that is a linear function of the
    channels (a phase alone was not learnt in hundreds of steps).
    """
    base = acquisition.interpolate(measured)
    detail = (base - ndimage.gaussian_filter(base, DETAIL, mode="nearest")) / np.float32(RESIDUAL * level)
    x, y, z = (_waves(axis) for axis in acquisition.axes)
    conditioning = [number for sampled in acquisition.axes for number in _conditioning(sampled)]
    return Prepared(base, level, detail.astype(np.float32), (x, y, z), np.array(conditioning, np.float32))


def measured_part(axis: Axis) -> NDArray[np.float32]:
    """Return A+ A of one axis, (fine, fine): the identity where every voxel was measured."""
    if axis.untouched:
        return np.eye(axis.fine, dtype=np.float32)
    return np.asarray(spreading(axis) @ measuring(axis), np.float32)


def _waves(axis: Axis) -> Float | None:
    if axis.untouched:
        return None
    phase = 2 * np.pi * (np.arange(axis.fine) - axis.first) / axis.step
    return np.stack([np.cos(phase), np.sin(phase), np.cos(2 * phase)]).astype(np.float32)


def _conditioning(axis: Axis) -> tuple[float, float, float]:
    if axis.untouched:
        return 0.0, 0.0, 0.0
    return float(np.log2(axis.step)), axis.thickness / axis.step, float(axis.profile == "gaussian")
