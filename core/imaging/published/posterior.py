"""Solvers without training: the plane network as a prior, held to whatever was measured.

projection: every clean estimate is replaced by the nearest one that was measured as the scan, and noise lives in what
was not (Wang et al. 2023, DDNM, eq. 8 and 13); no gradients. dps: each state moves down the gradient of
|y - A x0(x_t)|^2 through the network (Chung et al. 2023, eq. 16). mcg: both (Chung et al. 2022, eq. 14).
chain: each sample starts from the last, noised to an eighth-grid time (after Chung et al. 2022, come-closer).
What was measured: the thick slices, less those that are spoilt; around a mask, a ring of known tissue that the
network predicts as well.
Network calls: steps x samples x the slices of three planes; dps and mcg run each twice, once with gradients.
Ours: a Gauss-Newton step no larger than half the noise at hand in place of their constant, for a few steps.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from core.diffusion.measurement import Measurement
from core.diffusion.sampler import Sample, SamplerOptions, Step, sample
from core.events import Progress
from core.imaging.formulation import Setting
from core.imaging.inpaint import network as inpainting
from core.imaging.inpaint.classical import interpolate
from core.imaging.options import Options
from core.imaging.problem import Estimate, Problem, ThickScan
from core.imaging.published.planes import WEIGHTS, Planes, estimated
from core.imaging.superres import network as super_resolution
from core.imaging.volume_sampler import View, region_of
from core.weights import calibration, load

# known tissue around the mask that counts as measured, voxels of 1 mm
RING = 3
# a step down the gradient is no longer than this share of the noise
LONGEST = 0.5
# from where each sample of a chain goes on
CHAINED = 0.375


def inpaint(problem: Problem, options: Options) -> Generator[Progress, None, Estimate]:
    """Fill the masked region, held to a ring of known tissue around it: (X, Y, Z), 0 outside the mask."""
    network = load(WEIGHTS["inpaint"], options.device)
    seen = inpainting.setting(problem, int(getattr(network, "multiple", 8)), RING)
    return _solved(Planes(network, seen, options), "inpaint")


def superres(scan: ThickScan, options: Options) -> Generator[Progress, None, Estimate]:
    """Super-resolve the scan, held to the slices that are not spoilt: the estimate (X, Y, Z) on the fine grid.

    Slices that are spoilt come from their surroundings.
    """
    network = load(WEIGHTS["superres"], options.device)
    sampled = options
    if scan.spoilt is not None:
        whole = np.where(scan.spoilt, interpolate(scan.image, scan.spoilt, order=2), scan.image)
        scan = replace(scan, image=whole.astype(np.float32))
        # the solver alone keeps to what was measured: the whole grid was not
        sampled = replace(options, consistent=False)
    seen = super_resolution.setting(scan, sampled, int(getattr(network, "multiple", 8)))
    return _solved(Planes(network, seen, options), "superres")


def _solved(planes: Planes, task: str) -> Generator[Progress, None, Estimate]:
    yield Progress(0.0, 0, 1, "Preparing the slices")
    measured = _measured(planes.setting, planes.options)
    last: list[Tensor] = []

    def recipe(planes: Planes, view: View, generator: torch.Generator) -> Generator[Step, None, Sample]:
        options = planes.options
        sampler = SamplerOptions()
        if last and options.published.chain:
            sampler = replace(sampler, start=last[-1], time=CHAINED)
        if options.published.solver != "projection":
            sampler = replace(sampler, guide=_Gradient(planes, view, measured))
        if options.published.solver != "dps":
            sampler = replace(sampler, projection=measured.project)
        keep = measured.free if options.published.solver == "projection" else None
        denoiser = planes.mean(view, planes.order)
        made = yield from sample(denoiser, region_of(view, options), options.steps, generator, keep, sampler)
        last[:] = [made.residual]
        return made

    made = yield from estimated(planes, planes.options, recipe, calibration(WEIGHTS[task]))
    return made


def _measured(setting: Setting, options: Options) -> Measurement:
    if setting.measured is None:
        raise ValueError("nothing was measured of what is to be made")
    return setting.measured(options.device)


class _Gradient:
    """How far a state is to move so that the residual predicted from it is measured as the scan."""

    def __init__(self, planes: Planes, view: View, measured: Measurement) -> None:
        self._planes, self._view, self._measured = planes, view, measured

    def __call__(self, noisy: Tensor, log_snr: Tensor, clean: Tensor) -> Tensor:
        misfit = self._measured.misfit(clean)
        down = self._through(noisy, log_snr, self._measured.adjoint(misfit))
        size = float((down * down).sum())
        if size == 0:
            return torch.zeros_like(noisy)
        step = down * (float((misfit * misfit).sum()) / size)
        where = region_of(self._view, self._planes.options) > 0
        root = float(step[where].square().mean().sqrt())
        noise = math.sqrt(float(torch.sigmoid(-log_snr)))
        return step * min(1.0, LONGEST * noise / max(root, 1e-12))

    def _through(self, noisy: Tensor, log_snr: Tensor, down: Tensor) -> Tensor:
        """Return the transposed derivative of the mean over the planes, applied to ``down``; batch by batch."""
        planes, total = self._planes, torch.zeros_like(noisy)
        for plane in planes.order:
            for chunk in planes.chunks(self._view, plane):
                here = (*[slice(None)] * (2 + plane), chunk)
                with torch.inference_mode(False), torch.enable_grad():
                    state = noisy.clone().requires_grad_(True)
                    residual, _ = planes.predict_slices(self._view, plane, chunk, state, log_snr.clone())
                    (gradient,) = torch.autograd.grad(residual, state, down[here].clone())
                total += gradient / len(planes.order)
                planes.calls += chunk.stop - chunk.start
        return total
