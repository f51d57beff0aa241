"""A learnt fusion of frozen experts: three planes, if wished our 3D network, and one expert for each source contrast.

Zhu et al. 2025 (Score-Fusion, ICML; arXiv 2501.07430), their fusion of 2D scores by a 3D network and its form for
several conditions. At every step the head weighs the experts voxel by voxel, with weights that sum to one, and adds a
free correction; an untrained head is ``average``. Network calls: steps x samples x (the slices of three planes + one of
the head), and those of further experts.
Ours: clean residuals in place of scores (the same at fixed noise, for the weights sum to one), a start at the average
of the planes whatever other experts there are, a head of 0.4 M parameters in place of 57 M, no feature maps.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.contrasts import CONTRASTS
from core.diffusion.sampler import Denoiser, Sample, SamplerOptions, Step
from core.events import Progress
from core.imaging.inpaint import network as inpainting
from core.imaging.options import Options
from core.imaging.problem import Estimate, Problem, Sources, ThickScan
from core.imaging.published.planes import WEIGHTS, Planes, Prediction, estimated, part, setting_of
from core.imaging.superres import network as super_resolution
from core.imaging.tiled_network import call
from core.imaging.tiles import Tiling, layout
from core.imaging.translate import network as contrasts
from core.imaging.translate import trees
from core.imaging.translate.regression import start
from core.imaging.volume_sampler import View, conditioning_of, context_of, denoiser_of
from core.nets.plane_net import PLANES
from core.volume import Box
from core.weights import calibration, load

Float = NDArray[np.float32]

HEADS = {"inpaint": "inpaint-fusion", "superres": "superres-fusion", "translate": "translate-fusion"}
VOLUMES = {"inpaint": inpainting.WEIGHTS, "superres": super_resolution.WEIGHTS, "translate": contrasts.WEIGHTS}
# the planes come first, then our 3D network, then the source contrasts
VOLUME = PLANES
TILING = Tiling(side=128, overlap=24)
# a source contrast by itself is seen in this plane
SOURCE_PLANE = 2


class Fused(nn.Module):
    """The head as a network whose context ends with the predictions of the experts."""

    def __init__(self, head: nn.Module, present: Tensor) -> None:
        super().__init__()
        self.head, self.present = head, present

    def forward(
        self, noisy: Tensor, context: Tensor, log_snr: Tensor, conditioning: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        known = context.shape[1] - self.present.shape[1]
        predictions = context[:, known:]
        fused: tuple[Tensor, Tensor] = self.head(
            noisy, context[:, :known], log_snr, conditioning, predictions=predictions, present=self.present
        )
        return fused


def inpaint(problem: Problem, options: Options) -> Generator[Progress, None, Estimate]:
    """Fill the masked region: the estimate (X, Y, Z), 0 outside the mask.

    UserError weights_missing or weights_damaged.
    """
    return _fused("inpaint", problem, options)


def superres(scan: ThickScan, options: Options) -> Generator[Progress, None, Estimate]:
    """Super-resolve the scan: the estimate (X, Y, Z) on the fine grid. UserErrors as of ``inpaint``."""
    return _fused("superres", scan, options)


def translate(sources: Sources, options: Options) -> Generator[Progress, None, Estimate]:
    """Translate, with an expert for each source where there are several: the estimate (X, Y, Z) in units of the
    target's 99.5th percentile in the brain. UserErrors as of ``inpaint``."""
    return _fused("translate", sources, options)


def _fused(task: str, problem: Problem | ThickScan | Sources, options: Options) -> Generator[Progress, None, Estimate]:
    yield Progress(0.0, 0, 1, "Preparing the slices")
    network, head = load(WEIGHTS[task], options.device), load(HEADS[task], options.device)
    volume = load(VOLUMES[task], options.device) if options.published.volume else None
    multiple = max(int(getattr(each, "multiple", 1)) for each in (network, head, volume))
    alone: dict[int, View] = {}
    if isinstance(problem, Sources):
        begun = start(problem, options.device)
        by_trees = trees.predicted(problem) if volume is not None else None
        seen = contrasts.begun_setting(begun, problem, multiple, by_trees=by_trees)
        for name in problem.images if len(problem.images) > 1 else ():
            one = contrasts.begun_setting(begun, problem, multiple, (name,))
            alone[VOLUME + 1 + CONTRASTS.index(name)] = one.views(0)
    else:
        seen = setting_of(task, problem, options, multiple)
    planes = Planes(network, seen, options)

    def recipe(planes: Planes, view: View, generator: torch.Generator) -> Generator[Step, None, Sample]:
        denoiser = _denoiser(planes, head, volume, view, alone)
        return planes.sample(view, denoiser, generator, SamplerOptions())

    made = yield from estimated(planes, options, recipe, calibration(HEADS[task]))
    return made


def _denoiser(
    planes: Planes, head: nn.Module, volume: nn.Module | None, view: View, alone: dict[int, View]
) -> Denoiser:
    options, setting = planes.options, planes.setting
    tiles = layout(view.region.shape, int(getattr(head, "multiple", 8)), TILING)
    conditioning = conditioning_of(view, options)
    ours = denoiser_of(volume, view, options, setting.tiling) if volume is not None else None

    def denoise(noisy: Tensor, log_snr: Tensor) -> Prediction:
        pending = {plane: planes.predict(view, plane, noisy, log_snr) for plane in range(PLANES)}
        if ours is not None:
            pending[VOLUME] = ours(noisy, log_snr)
            planes.calls += 1
        pending |= {expert: planes.predict(seen, SOURCE_PLANE, noisy, log_snr) for expert, seen in alone.items()}
        predictions = np.zeros((int(getattr(head, "experts", PLANES)), *noisy.shape[2:]), np.float32)
        present = torch.zeros(1, len(predictions), device=noisy.device)
        for index, (expert, prediction) in enumerate(pending.items()):
            clean, _ = yield from part(prediction, index, len(pending) + 1)
            predictions[expert] = clean[0, 0].cpu().numpy()
            present[0, expert] = 1

        def with_predictions(box: Box) -> Float:
            known = context_of(view, box, getattr(head, "context", None))
            return np.concatenate([known, predictions[(slice(None), *box)]])

        planes.calls += 1
        fused = yield from part(
            call(Fused(head, present), noisy, with_predictions, log_snr, conditioning, tiles),
            len(pending),
            len(pending) + 1,
        )
        return fused

    return denoise
