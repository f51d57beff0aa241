"""Our network for thick slices: a residual to the consistent cubic spline, on the part that was not measured."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from core.acquisition import Acquisition, Axis, measuring, spreading, whole
from core.anatomy.intensity import background_level, tissue_level
from core.diffusion.constraints import null_space
from core.diffusion.measurement import Measurement
from core.diffusion.sampler import Projection, SamplerOptions
from core.events import Progress
from core.imaging.formulation import Setting
from core.imaging.options import Options
from core.imaging.picture import preview
from core.imaging.preview import Picture
from core.imaging.problem import Estimate, ThickScan
from core.imaging.superres.binning import TILING, binned, unbinned
from core.imaging.superres.guided_detail import guided
from core.imaging.superres.nonnegative import within_range
from core.imaging.volume_sampler import View, direct, error_spectrum_of
from core.volume import Box
from core.weights import calibration, load

Float = NDArray[np.float32]

WEIGHTS = "superres-volume"
# the network's residual of 1 is this share of the tissue level: the error of a consistent spline at four-fold slices
RESIDUAL = 0.06
CENTRE, SPREAD = 0.5, 0.3
# detail is what a Gaussian of this many voxels takes away
DETAIL = 1.5
# the voxel size that the network learnt
WORK_MM = 1.0
# axes along which the volume is reversed for one sample after another
MIRRORED: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (2,))


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


def setting(scan: ThickScan, options: Options, multiple: int) -> Setting:
    """Return ``scan`` as networks see it whose sides must be multiples of ``multiple``.

    ``consistent`` keeps exactly to what was measured and to its range. A guide adds what it shows between the slices;
    the deviation stays that of the network alone.
    """
    level, ground = tissue_level(scan.image), np.float32(background_level(scan.image))
    above = replace(scan, image=scan.image - ground) if ground else scan
    factors = blocks(above)
    unit = np.float32(RESIDUAL * level)

    def finished(residual: Float, deviation: Float) -> Estimate:
        fine = above.acquisition.fine
        values = above.acquisition.interpolate(above.image)
        values += unit * unbinned(residual, factors, fine)
        if options.consistent:
            values = above.acquisition.project(values, above.image)
        if above.guide is not None:
            values = guided(values, above.image, above.acquisition, above.guide, level, above.spacing)
        if options.consistent:
            values = within_range(values, above)
        return Estimate(values + ground, unit * unbinned(deviation, factors, fine))

    seen = _in_blocks(above, factors)
    views, picture = _views(seen, level, options, multiple), _picture(seen, level)
    return Setting(
        views, finished, picture, _planes(seen.acquisition), TILING, measured=partial(_measured, seen, multiple)
    )


def volume(scan: ThickScan, options: Options) -> Generator[Progress, None, Estimate]:
    """Super-resolve with the network ``WEIGHTS``: the estimate (X, Y, Z) float32 on the fine grid, in the scan's units.

    UserError weights_missing or weights_damaged.
    """
    yield Progress(0.0, 0, 1, "Spline through the slices")
    network = load(WEIGHTS, options.device)
    seen = setting(scan, options, int(getattr(network, "multiple", 8)))
    sampling = direct(network, options, seen.tiling, SamplerOptions(errors=error_spectrum_of(WEIGHTS)))
    made = yield from seen.solved(sampling, options, calibration(WEIGHTS))
    return replace(made, calls=options.steps * options.samples)


def blocks(scan: ThickScan) -> tuple[int, int, int]:
    """Return how many voxels of each axis the network sees as one: about 1 mm of an axis measured finer than that.

    With voxels of 0.5 mm in the slices, 4 or 5 mm apart, it gains 0.5 dB over seeing each (OASIS 1001).
    """
    x, y, z = (
        max(1, round(WORK_MM / size)) if axis.untouched else 1
        for axis, size in zip(scan.acquisition.axes, scan.spacing, strict=True)
    )
    return x, y, z


def _in_blocks(scan: ThickScan, factors: tuple[int, int, int]) -> ThickScan:
    x, y, z = (
        whole(ceil(axis.fine / factor)) if factor > 1 else axis
        for axis, factor in zip(scan.acquisition.axes, factors, strict=True)
    )
    spacing = tuple(size * factor for size, factor in zip(scan.spacing, factors, strict=True))
    wide = (spacing[0], spacing[1], spacing[2])
    spoilt = None if scan.spoilt is None else binned(scan.spoilt.astype(np.float32), factors) > 0
    return ThickScan(binned(scan.image, factors), Acquisition((x, y, z)), spacing=wide, spoilt=spoilt)


def _views(scan: ThickScan, level: float, options: Options, multiple: int) -> Callable[[int], View]:
    fine = scan.acquisition.fine

    def view(index: int) -> View:
        mirrored = MIRRORED[index % len(MIRRORED)]
        acquisition = Acquisition(_mirror(scan.acquisition, mirrored))
        prepared = prepare(np.flip(scan.image, mirrored), acquisition, level).padded(multiple)
        region = np.zeros(prepared.base.shape, np.float32)
        region[tuple(slice(side) for side in fine)] = 1
        project = _projection(acquisition, options) if options.consistent else None
        return View(prepared.part, region, fine, prepared.conditioning, project, mirrored)

    return view


def _measured(scan: ThickScan, multiple: int, device: str) -> Measurement:
    """Return what was measured of the residual to the spline, which agrees with every voxel: nothing is left of it."""
    matrices: list[Tensor | None] = []
    for axis in scan.acquisition.axes:
        side = axis.fine + -axis.fine % multiple
        whole = np.eye(axis.fine) if axis.untouched else measuring(axis)
        wide = np.pad(whole, [(0, 0), (0, side - axis.fine)]).astype(np.float32)
        matrices.append(None if axis.untouched and side == axis.fine else torch.from_numpy(wide).to(device))
    counts = np.ones(scan.acquisition.coarse, np.float32) if scan.spoilt is None else (~scan.spoilt).astype(np.float32)
    there = torch.from_numpy(counts)[None, None].to(device)
    return Measurement((matrices[0], matrices[1], matrices[2]), there, torch.zeros_like(there))


def _picture(scan: ThickScan, level: float) -> Picture:
    @cache
    def base() -> Float:
        return scan.acquisition.interpolate(scan.image)

    def picture(residual: Float) -> bytes:
        values = base() + np.float32(RESIDUAL * level) * residual
        x, y, z = (side // 2 for side in scan.acquisition.fine)
        return preview(values, scan.spacing, (x, y, z), 0.0, level)

    return picture


def _planes(acquisition: Acquisition) -> tuple[int, int, int]:
    """Return the axes across slices, those along which every voxel was measured first: a slice across the thick axis
    does not show what is missing."""
    x, y, z = sorted((1, 2, 0), key=lambda axis: not acquisition.axes[axis].untouched)
    return x, y, z


def _mirror(acquisition: Acquisition, axes: tuple[int, ...]) -> tuple[Axis, Axis, Axis]:
    """Return how the volume reversed along ``axes`` was sampled."""
    x, y, z = (
        replace(axis, first=axis.fine - 1 - float(axis.centres[-1])) if number in axes else axis
        for number, axis in enumerate(acquisition.axes)
    )
    return x, y, z


def _waves(axis: Axis) -> Float | None:
    if axis.untouched:
        return None
    phase = 2 * np.pi * (np.arange(axis.fine) - axis.first) / axis.step
    return np.stack([np.cos(phase), np.sin(phase), np.cos(2 * phase)]).astype(np.float32)


def _conditioning(axis: Axis) -> tuple[float, float, float]:
    if axis.untouched:
        return 0.0, 0.0, 0.0
    return float(np.log2(axis.step)), axis.thickness / axis.step, float(axis.profile == "gaussian")


def _projection(acquisition: Acquisition, options: Options) -> Projection:
    matrices = [torch.from_numpy(measured_part(axis))[None].to(options.device) for axis in acquisition.axes]
    x, y, z = acquisition.fine

    def project(values: Tensor) -> Tensor:
        out = torch.zeros_like(values)
        out[:, :, :x, :y, :z] = null_space(values[:, :, :x, :y, :z], matrices)
        return out

    return project
