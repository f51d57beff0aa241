"""Our network for thick slices: a residual to the consistent cubic spline, on the part that was not measured."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import cache, partial
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.acquisition import Acquisition, Axis, measuring, whole
from core.anatomy.intensity import background_level, tissue_level
from core.diffusion.constraints import null_space
from core.diffusion.measurement import Measurement
from core.diffusion.sampler import Projection, SamplerOptions
from core.events import Progress, changed
from core.imaging.formulation import Setting
from core.imaging.options import Options
from core.imaging.picture import preview
from core.imaging.preview import Picture
from core.imaging.problem import Estimate, ThickScan
from core.imaging.superres.adaptation import Adapted, adapted
from core.imaging.superres.adaptation_cost import adaptation_voxels
from core.imaging.superres.binning import TILING, binned, unbinned
from core.imaging.superres.guided_detail import guided
from core.imaging.superres.nonnegative import within_range
from core.imaging.superres.own_patches import OwnPatches
from core.imaging.superres.prepared import RESIDUAL, measured_part, prepare
from core.imaging.volume_sampler import View, direct, draw, error_spectrum_of
from core.weights import calibration, load

Float = NDArray[np.float32]

WEIGHTS = "superres-volume"
# the voxel size that the network learnt
WORK_MM = 1.0
# axes along which the volume is reversed for one sample after another
MIRRORED: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (2,))


@dataclass(frozen=True, eq=False)
class _Working:
    """A scan as the network sees it. above: without its ``ground``; seen: in blocks of ``factors`` voxels;
    level: bright tissue."""

    above: ThickScan
    ground: np.float32
    factors: tuple[int, int, int]
    seen: ThickScan
    level: float


def setting(scan: ThickScan, options: Options, multiple: int) -> Setting:
    """Return ``scan`` as networks see it whose sides must be multiples of ``multiple``.

    ``consistent`` keeps exactly to what was measured and to its range. A guide adds what it shows between the slices;
    the deviation stays that of the network alone.
    """
    work = _working(scan)
    above, factors, seen, level = work.above, work.factors, work.seen, work.level
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
        return Estimate(values + work.ground, unit * unbinned(deviation, factors, fine))

    views, picture = _views(seen, level, options, multiple), _picture(seen, level)
    return Setting(
        views, finished, picture, _planes(seen.acquisition), TILING, measured=partial(_measured, seen, multiple)
    )


def volume(scan: ThickScan, options: Options) -> Generator[Progress, None, Estimate]:
    """Super-resolve with the network ``WEIGHTS``: the estimate (X, Y, Z) float32 on the fine grid, in the scan's units.

    ``options.adapt``: steps by which it learns from the scan's own slices first (``adaptation.py``).
    UserError weights_missing or weights_damaged.
    """
    yield Progress(0.0, 0, 1, "Spline through the slices")
    network = load(WEIGHTS, options.device)
    seen = setting(scan, options, int(getattr(network, "multiple", 8)))
    sampler = SamplerOptions(errors=error_spectrum_of(WEIGHTS))
    calls, factor = options.steps * options.samples, calibration(WEIGHTS)
    if not options.adapt:
        made = yield from seen.solved(direct(network, options, seen.tiling, sampler), options, factor)
        return replace(made, calls=calls)
    share = _adapting(scan, options)
    learnt = yield from changed(_adapted(network, scan, options), lambda event: _within(event, 0.0, share))
    if learnt is None:
        learnt, remark = Adapted(network, 1.0, 1.0), "The scan is too small for the network to be adapted to it."
    else:
        calls, remark = calls + 1, _remark(learnt, options)
    sampling = direct(learnt.network, options, seen.tiling, sampler)
    solving = seen.solved(sampling, options, factor * learnt.factor)
    made = yield from changed(solving, lambda event: _within(event, share, 1.0))
    return replace(made, calls=calls, remark=remark)


def _adapting(scan: ThickScan, options: Options) -> float:
    """Return how much of the work of a job is the adaptation, by voxels."""
    voxels = int(np.prod([ceil(n / factor) for n, factor in zip(scan.acquisition.fine, blocks(scan), strict=True)]))
    first = voxels + adaptation_voxels(options.adapt)
    return first / (first + voxels * options.steps * options.samples)


def _within(event: Progress, low: float, high: float) -> Progress:
    return replace(event, fraction=low + (high - low) * event.fraction)


def _adapted(network: nn.Module, scan: ThickScan, options: Options) -> Generator[Progress, None, Adapted | None]:
    """Return ``network`` adapted to ``scan``; None for one that is too small."""
    multiple, work = int(getattr(network, "multiple", 8)), _working(scan)
    across = max(range(3), key=lambda axis: work.seen.acquisition.axes[axis].step)
    once = replace(options, mode="faithful", steps=1, samples=1, consistent=True)
    views = _views(work.seen, work.level, once, multiple)
    voxels = int(np.prod(work.seen.acquisition.fine))
    share = voxels / (voxels + adaptation_voxels(options.adapt))
    drawing = draw(direct(network, once, TILING), views, once)
    residual, _ = yield from changed(drawing, lambda event: _within(event, 0.0, share))
    first = work.seen.acquisition.interpolate(work.seen.image) / np.float32(work.level)
    patches = OwnPatches(first + np.float32(RESIDUAL) * residual, work.seen.acquisition, across, multiple)
    if not patches.enough:
        return None
    return (yield from changed(adapted(network, patches, options), lambda event: _within(event, share, 1.0)))


def _remark(learnt: Adapted, options: Options) -> str:
    if learnt.left == 1:
        return (
            f"{options.adapt} steps of learning from the scan's own slices made nothing better in a part of it that "
            "was held back: the network is as shipped."
        )
    return (
        f"The network learnt from the scan's own slices in {options.adapt} steps: in a part of it that was held back "
        f"its squared error between slices is {100 * (1 - learnt.left):.1f}% less."
    )


def _working(scan: ThickScan) -> _Working:
    level, ground = tissue_level(scan.image), np.float32(background_level(scan.image))
    above = replace(scan, image=scan.image - ground) if ground else scan
    factors = blocks(above)
    return _Working(above, ground, factors, _in_blocks(above, factors), level)


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


def _projection(acquisition: Acquisition, options: Options) -> Projection:
    matrices = [torch.from_numpy(measured_part(axis))[None].to(options.device) for axis in acquisition.axes]
    x, y, z = acquisition.fine

    def project(values: Tensor) -> Tensor:
        out = torch.zeros_like(values)
        out[:, :, :x, :y, :z] = null_space(values[:, :, :x, :y, :z], matrices)
        return out

    return project
