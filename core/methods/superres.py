"""Thick slices made thin: splines with back-projection, and our network on the part that was not measured."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from core.acquisition import Acquisition, Axis, measuring, spreading
from core.diffusion.constraints import null_space
from core.diffusion.sampler import Projection
from core.events import Progress
from core.methods.base import Estimate, Options
from core.methods.volume import View, draw
from core.weights import calibration, load

Float = NDArray[np.float32]

WEIGHTS = "superres-volume"
# the network's residual of 1 is this share of the tissue level: the error of a consistent spline at four-fold slices
RESIDUAL = 0.06
CENTRE, SPREAD = 0.5, 0.3
# detail is what a Gaussian of this many voxels takes away
DETAIL = 1.5
BACK_PROJECTIONS = 10
# axes along which the volume is reversed for one sample after another
MIRRORED: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (2,))


@dataclass(frozen=True, eq=False)
class ThickScan:
    """image: (x, y, z) float32, RAS+, as measured, any units; acquisition: how it samples the fine grid."""

    image: Float
    acquisition: Acquisition


@dataclass(frozen=True, eq=False)
class Prepared:
    """context (11, X, Y, Z) float32 = scaled base, its detail, its detail times three waves along x, y and z whose
    period is the distance of slices; base (X, Y, Z) in the scan's units; facts (9,) float32."""

    context: Float
    base: Float
    facts: Float


def prepare(measured: Float, acquisition: Acquisition, level: float) -> Prepared:
    """Return the network's view of a scan ``measured`` (x, y, z) whose bright tissue is ``level``.

    The base is the cubic spline that measures exactly as the scan: where ten back-projections lead. What is right
    between slices depends on how far the next one is: with waves times detail, that is a linear function of the
    channels (a phase alone was not learnt in hundreds of steps).
    """
    base = acquisition.interpolate(measured)
    detail = (base - ndimage.gaussian_filter(base, DETAIL, mode="nearest")) / (RESIDUAL * level)
    channels = [(base / level - CENTRE) / SPREAD, detail]
    for axis, sampled in enumerate(acquisition.axes):
        phase = 2 * np.pi * (np.arange(sampled.fine) - sampled.first) / sampled.step
        phase = phase.reshape([-1 if other == axis else 1 for other in range(3)])
        waves = (np.cos(phase), np.sin(phase), np.cos(2 * phase))
        channels += [np.zeros_like(detail) if sampled.untouched else detail * wave for wave in waves]
    context = np.stack(channels)
    facts = [number for sampled in acquisition.axes for number in _facts(sampled)]
    return Prepared(context.astype(np.float32), base, np.array(facts, np.float32))


def measured_part(axis: Axis) -> NDArray[np.float32]:
    """Return A+ A of one axis, (fine, fine): the identity where every voxel was measured."""
    if axis.untouched:
        return np.eye(axis.fine, dtype=np.float32)
    return np.asarray(spreading(axis) @ measuring(axis), np.float32)


def level_of(image: Float) -> float:
    """Return the 99.5th percentile of what is not background in ``image``: the unit of the network."""
    inside = image[image > 0.05 * float(image.max())]
    return max(float(np.percentile(inside, 99.5)) if inside.size else 0.0, 1e-6)


def volume(scan: ThickScan, options: Options) -> Generator[Progress, None, Estimate]:
    """Sharpen with the network ``WEIGHTS``; ``consistent`` keeps exactly to what was measured."""
    yield Progress(0.0, 0, 1, "Spline through the slices")
    network = load(WEIGHTS, options.device)
    multiple = int(getattr(network, "multiple", 8))
    level = level_of(scan.image)
    fine = scan.acquisition.fine
    pad = [(0, -side % multiple) for side in fine]

    def view(index: int) -> View:
        mirrored = MIRRORED[index % len(MIRRORED)]
        acquisition = Acquisition(_mirror(scan.acquisition, mirrored))
        prepared = prepare(np.flip(scan.image, mirrored), acquisition, level)
        context = np.pad(prepared.context, [(0, 0), *pad], mode="edge")
        project = _projection(acquisition, options) if options.consistent else None
        return View(context, np.pad(np.ones(fine, np.float32), pad), fine, prepared.facts, project, mirrored)

    residual, deviation = yield from draw(network, view, options)
    values = scan.acquisition.interpolate(scan.image) + RESIDUAL * level * residual
    if options.consistent:
        values = scan.acquisition.project(values, scan.image)
    spread = calibration(WEIGHTS) * RESIDUAL * level * deviation
    return Estimate(values.astype(np.float32), spread.astype(np.float32), options.steps * options.samples)


def nearest(scan: ThickScan, options: Options) -> Generator[Progress, None, Estimate]:
    """Repeat the nearest slice."""
    return _spline(scan, options, 0)


def linear(scan: ThickScan, options: Options) -> Generator[Progress, None, Estimate]:
    """Interpolate linearly between slices."""
    return _spline(scan, options, 1)


def cubic(scan: ThickScan, options: Options) -> Generator[Progress, None, Estimate]:
    """Interpolate with cubic splines."""
    return _spline(scan, options, 3)


def spline5(scan: ThickScan, options: Options) -> Generator[Progress, None, Estimate]:
    """Interpolate with splines of order 5."""
    return _spline(scan, options, 5)


def _spline(scan: ThickScan, options: Options, order: int) -> Generator[Progress, None, Estimate]:
    yield Progress(0.0, 0, 1, "Interpolating")
    values = scan.acquisition.enlarge(scan.image, order)
    if options.consistent:
        values = scan.acquisition.back_project(values, scan.image, BACK_PROJECTIONS)
    return Estimate(values)


def _mirror(acquisition: Acquisition, axes: tuple[int, ...]) -> tuple[Axis, Axis, Axis]:
    """Return how the volume reversed along ``axes`` was sampled."""
    x, y, z = (
        replace(axis, first=axis.fine - 1 - float(axis.centres[-1])) if number in axes else axis
        for number, axis in enumerate(acquisition.axes)
    )
    return x, y, z


def _facts(axis: Axis) -> tuple[float, float, float]:
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
