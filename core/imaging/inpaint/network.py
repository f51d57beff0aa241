"""Our 3D network for inpainting: a residual to the biharmonic fill, on the crop around the mask."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import nn

from core.diffusion.measurement import Measurement
from core.diffusion.sampler import SamplerOptions
from core.events import Progress
from core.imaging.brain_position import Place, brain_box, place_of, reversed_left_right
from core.imaging.formulation import Setting
from core.imaging.inpaint.borrowed import borrow
from core.imaging.inpaint.classical import interpolate, smooth
from core.imaging.inpaint.realistic import continued, grafted
from core.imaging.inpaint.through_plane import details, trust
from core.imaging.options import Options
from core.imaging.picture import preview
from core.imaging.problem import Estimate, Problem
from core.imaging.volume_sampler import View, direct, draw, error_spectrum_of
from core.volume import Box, bounding_box
from core.weights import calibration, load, thick_slices

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

WEIGHTS = "inpaint-volume"
# known tissue around the mask that the network sees
MARGIN_MM = 16.0
# the network's residual of 1 is this share of the tissue level: about the spread of healthy tissue around the fill
RESIDUAL = 0.15
CENTRE, SPREAD = 0.6, 0.3
# the channel that holds how far to the right a voxel lies
PLACE_X = 2


@dataclass(frozen=True, eq=False)
class Prepared:
    """The input of the network: context (7, X, Y, Z) float32, the fill (X, Y, Z) and the tissue level.

    Channels: scaled fill, mask, position along X, Y and Z, the scaled scan across the midline, where that is known.
    """

    context: Float
    fill: Float
    level: float


def prepare(image: Float, mask: Bool, head: Bool, place: Place | None, smoothed: Float | None = None) -> Prepared:
    """Return the network's view of a voided 1 mm crop ``image`` (X, Y, Z): the same in training and in use.

    The tissue level is the 95th percentile of the known head voxels; intensities scale with it. Without a ``place``
    its channels are 0. smoothed: (X, Y, Z), the biharmonic fill where it has been solved already.
    """
    known = image[head & ~mask] if (head & ~mask).any() else image[~mask]
    level = max(float(np.percentile(known, 95)), 1e-6)
    fill = np.where(mask, interpolate(image, mask, order=2) if smoothed is None else smoothed, image)
    fill = np.clip(fill, image[~mask].min(), image[~mask].max()).astype(np.float32)
    context = np.zeros((7, *image.shape), np.float32)
    context[0], context[1] = (fill / level - CENTRE) / SPREAD, mask
    if place is not None:
        context[2:5] = place.position
        context[5] = np.where(place.known, (place.mirrored / level - CENTRE) / SPREAD, 0)
        context[6] = place.known
    return Prepared(context, fill, level)


def setting(problem: Problem, multiple: int, ring: int = 0) -> Setting:
    """Return ``problem`` as networks see it whose sides must be multiples of ``multiple``.

    ring: voxels of known tissue around the mask that they are to make as well, so that solvers can hold them to it.
    """
    return _seen(_Crop(problem, multiple), ring)


def _seen(crop: _Crop, ring: int = 0) -> Setting:
    to_make = crop.mask | ndimage.binary_dilation(crop.mask, iterations=ring) & crop.head if ring else crop.mask
    prepared = prepare(crop.image, crop.mask, crop.head, crop.place, crop.smoothed())
    # the fill goes through the ring as it was measured: one that starts further out is 1.7 dB worse
    prepared.context[1] = to_make

    def view(index: int) -> View:
        mirrored = (0,) if index % 2 else ()
        context = reversed_left_right(prepared.context, PLACE_X) if mirrored else prepared.context
        region = np.ascontiguousarray(np.flip(to_make, mirrored), np.float32)
        return View(context, region, crop.image.shape, mirrored=mirrored)

    scale, least = RESIDUAL * prepared.level, min(0.0, float(crop.image.min()))

    def filled(residual: Float) -> Float:
        return np.where(crop.mask, np.maximum(prepared.fill + scale * residual, least), crop.image)

    def picture(residual: Float) -> bytes:
        return preview(crop.inner(filled(residual)), crop.spacing, crop.centre, least, 1.1 * prepared.level)

    def restored(residual: Float, deviation: Float) -> tuple[Float, Float]:
        return crop.restore(filled(residual)), crop.restore(np.where(crop.mask, scale * deviation, 0))

    def finished(residual: Float, deviation: Float) -> Estimate:
        return Estimate(*restored(residual, deviation))

    def unnatural(residual: Float, axis: int) -> float:
        return _unnatural(filled(residual), crop.mask, crop.head, axis)

    def measured(device: str) -> Measurement:
        there = torch.from_numpy((to_make & ~crop.mask).astype(np.float32))[None, None].to(device)
        # the fill agrees with all that is known: nothing is left of it
        return Measurement((None, None, None), there, torch.zeros_like(there))

    def borrowed(residual: Float, deviation: Float, opposite: bool) -> tuple[Float, Bool, float]:
        found = borrow(crop.problem, *restored(residual, deviation), opposite)
        values, share = (crop.bring(part.astype(np.float32)) for part in (found.values, found.known))
        # unknown zeros must not bleed into known tissue
        shown, known = continued((values / np.maximum(share, 0.5)).astype(np.float32), share > 0.5)
        known &= crop.mask
        return np.where(known, (shown - prepared.fill) / np.float32(scale), 0).astype(np.float32), known, found.across

    return Setting(view, finished, picture, (2, 1, 0), unnatural=unnatural, measured=measured, borrowed=borrowed)


def volume(problem: Problem, options: Options) -> Generator[Progress, None, Estimate]:
    """Fill with the network ``WEIGHTS``: the estimate (X, Y, Z) float32 in the scan's units, 0 outside the mask.

    Realistic takes the folds from elsewhere in the head (``grafted``). UserError weights_missing or weights_damaged.
    """
    thick = thick_slices(WEIGHTS)
    if options.mode == "faithful":
        return (yield from faithful(problem, options)).counted(thick)
    network, crop = yield from _begun(problem, options)
    trusted = trust(crop.details(), crop.head, thick)
    return (yield from grafted(network, _seen(crop), options, calibration(WEIGHTS), trusted))


@dataclass(frozen=True, eq=False)
class Faithful:
    """Residual and deviation (X, Y, Z) of a crop, before it is known how much of them counts."""

    crop: _Crop
    seen: Setting
    residual: Float
    deviation: Float
    calls: int

    def counted(self, thick: tuple[float, float]) -> Estimate:
        """Return the estimate with as much of the residual as counts; ``thick`` as ``trust`` takes it."""
        trusted = trust(self.crop.details(), self.crop.head, thick)
        parts = trusted.of(self.residual, self.deviation) if trusted else (self.residual, self.deviation)
        notice = trusted.notice if trusted else ""
        return replace(self.seen.finished(*parts), calls=self.calls, notice=notice)


def faithful(problem: Problem, options: Options) -> Generator[Progress, None, Faithful]:
    """Return what the network makes of ``problem`` in the Faithful mode, as ``volume`` does."""
    network, crop = yield from _begun(problem, options)
    seen = _seen(crop)
    sampling = direct(network, options, sampler=SamplerOptions(errors=error_spectrum_of(WEIGHTS)))
    residual, deviation = yield from draw(sampling, seen.views, options, seen.picture)
    factor = np.float32(calibration(WEIGHTS))
    return Faithful(crop, seen, residual, factor * deviation, options.steps * options.samples)


def _begun(problem: Problem, options: Options) -> Generator[Progress, None, tuple[nn.Module, _Crop]]:
    yield Progress(0.0, 0, 1, "Smooth fill of the crop")
    network = load(WEIGHTS, options.device)
    return network, _Crop(problem, int(getattr(network, "multiple", 8)))


def _unnatural(image: Float, mask: Bool, head: Bool, axis: int) -> float:
    """Return the mean step along ``axis`` within ``mask`` and that across its border, both beside known tissue."""
    within, across, known = [], [], []
    for along in range(3):
        step = np.abs(np.diff(image, axis=along))
        low, high = (np.take(mask, range(start, mask.shape[along] - 1 + start), axis=along) for start in (0, 1))
        both = (np.take(head, range(start, mask.shape[along] - 1 + start), axis=along) for start in (0, 1))
        tissue = np.logical_and(*both)
        across.append(step[(low != high) & tissue])
        if along == axis:
            within.append(step[low & high & tissue])
            known.append(step[~low & ~high & tissue])
    natural = _mean(known)
    return 0.5 * (_mean(within) + _mean(across)) / natural if natural > 0 else 1.0


def _mean(parts: list[Float]) -> float:
    values = np.concatenate(parts)
    return float(values.mean()) if values.size else 0.0


class _Crop:
    """The neighbourhood of the mask on a 1 mm grid whose sides are multiples of ``multiple``, and the way back."""

    def __init__(self, problem: Problem, multiple: int) -> None:
        self.problem = problem
        margin = [int(np.ceil(MARGIN_MM / size)) for size in problem.spacing]
        self._box: Box = bounding_box(problem.mask, (margin[0], margin[1], margin[2]))
        image, mask, head = problem.image[self._box], problem.mask[self._box], problem.head[self._box]
        self._native = image.shape
        # a scan within 5 % of 1 mm is taken as it is
        self._resampled = any(abs(size - 1) > 0.05 for size in problem.spacing)
        if self._resampled:
            image, mask, head = self._to_millimetres(image, mask, head)
        self._inner = image.shape
        self.spacing = (1.0, 1.0, 1.0) if self._resampled else problem.spacing
        middle = [(part.start + part.stop) // 2 for part in bounding_box(mask)]
        self.centre = (middle[0], middle[1], middle[2])
        pad = [(0, -side % multiple) for side in image.shape]
        self.image: Float = np.pad(image, pad, mode="edge").astype(np.float32)
        self.mask: Bool = np.pad(mask, pad)
        self.head: Bool = np.pad(head, pad, mode="edge")
        self.image[self.mask] = 0
        self.place = self._place(pad)

    def _place(self, pad: list[tuple[int, int]]) -> Place | None:
        problem = self.problem
        box = brain_box(problem.head, float(np.prod(problem.spacing)) / 1000)
        if box is None:
            return None
        found = place_of(problem.image, problem.mask, box, self._box)
        position, mirrored, known = found.position, found.mirrored, found.known.astype(np.float32)
        if self._resampled:
            position = np.stack([_to_shape(part, self._inner, order=1) for part in position])
            # unknown zeros must not bleed into known tissue
            known = _to_shape(known, self._inner, order=1)
            shares = np.maximum(known, 1e-3)
            mirrored = (_to_shape(mirrored, self._inner, order=1) / shares).astype(np.float32)
        inside = np.pad(known > 0.5, pad)
        wide = np.pad(position, [(0, 0), *pad], mode="edge")
        return Place(wide, np.where(inside, np.pad(mirrored, pad), 0).astype(np.float32), inside)

    def inner(self, crop: NDArray[np.floating]) -> Float:
        """Return ``crop`` without its padding."""
        return crop[tuple(slice(side) for side in self._inner)].astype(np.float32, copy=False)

    def smoothed(self) -> Float | None:
        """Return the biharmonic fill of the scan, where the crop has its voxels."""
        return None if self._resampled else self.bring(smooth(self.problem, order=2))

    def details(self) -> tuple[float, float, float] | None:
        """Return the detail of the known tissue along each axis."""
        return details(self.inner(self.image), self.inner((self.head & ~self.mask).astype(np.float32)) > 0)

    def bring(self, values: Float) -> Float:
        """Return ``values`` of the scan's grid on that of the crop."""
        inside = values[self._box]
        inside = _to_shape(inside, self._inner, order=1) if self._resampled else inside
        return np.pad(inside, [(0, side - own) for side, own in zip(self.image.shape, inside.shape, strict=True)])

    def restore(self, crop: NDArray[np.floating]) -> Float:
        """Return ``crop`` on the scan's grid, 0 outside the mask."""
        values = self.inner(crop)
        if self._resampled:
            values = _to_shape(values, self._native, order=1)
        whole = np.zeros(self.problem.mask.shape, np.float32)
        whole[self._box] = values
        return np.where(self.problem.mask, whole, 0).astype(np.float32)

    def _to_millimetres(self, image: Float, mask: Bool, head: Bool) -> tuple[Float, Bool, Bool]:
        shape = tuple(max(8, round(n * s)) for n, s in zip(image.shape, self.problem.spacing, strict=True))
        # voided zeros must not bleed into known tissue: fill first, then resample
        smooth = np.where(mask, interpolate(image, mask, order=1), image)
        share = _to_shape(mask.astype(np.float32), shape, order=1)
        return _to_shape(smooth, shape, order=1), share > 1e-3, _to_shape(head.astype(np.float32), shape, order=1) > 0.5


def _to_shape(array: NDArray[np.floating], shape: tuple[int, ...], order: int) -> Float:
    factors = [new / old for new, old in zip(shape, array.shape, strict=True)]
    resized = ndimage.zoom(array, factors, order=order, grid_mode=True, mode="nearest")
    return np.asarray(resized, np.float32)
