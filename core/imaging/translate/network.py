"""A missing contrast from those at hand: our network, a residual to the regression that also sees boosted trees."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.contrasts import CONTRASTS, USUAL
from core.diffusion.sampler import SamplerOptions
from core.events import Progress
from core.imaging.brain_position import places, reversed_left_right
from core.imaging.formulation import Setting
from core.imaging.options import Options
from core.imaging.picture import preview
from core.imaging.problem import Estimate, Sources
from core.imaging.tiles import Tiling
from core.imaging.translate import trees
from core.imaging.translate.regression import Start, start
from core.imaging.volume_sampler import View, direct, error_spectrum_of
from core.weights import calibration, load

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

WEIGHTS = "translate-volume"
# A brain fits into one tile; larger ones would cost up to 0.04 dB (tiles of 112 on the held-out tumour). In bfloat16
# the PSNR differs by 0.002 dB or less.
TILING = Tiling(side=192, overlap=32, half=True)
# the channel that holds how far to the right a voxel lies
PLACE_X = 5


def prepare(
    images: Mapping[str, Float], brain: Bool, target: str, place: Float, base: Float, by_trees: Float | None = None
) -> tuple[Float, Float]:
    """Return context (9 or 10, X, Y, Z) and conditioning (8,), float32, of ``scaled`` sources.

    Channels: the four contrasts (0 where one is absent), the brain, ``place`` (3, X, Y, Z) from ``places``, ``base``,
    the prediction of boosted trees (``by_trees``), which the papers' networks do not see.
    Conditioning: which contrasts are there, which one is to be made.
    """
    channels = [images[name] if name in images else np.zeros(brain.shape, np.float32) for name in CONTRASTS]
    last = [base] if by_trees is None else [base, by_trees]
    context = np.concatenate([np.stack([*channels, brain.astype(np.float32)]), place, np.stack(last)])
    conditioning = [float(name in images) for name in CONTRASTS] + [float(name == target) for name in CONTRASTS]
    return context.astype(np.float32), np.array(conditioning, np.float32)


def setting(sources: Sources, options: Options, multiple: int) -> Setting:
    """Return ``sources`` as networks see them whose sides must be multiples of ``multiple``."""
    return begun_setting(start(sources, options.device), sources, multiple)


def begun_setting(
    begun: Start,
    sources: Sources,
    multiple: int,
    seen: Collection[str] = CONTRASTS,
    by_trees: Float | None = None,
) -> Setting:
    """Return ``setting`` from what was ``begun``; seen: the contrasts that the network gets, while the base comes from
    all; by_trees: the prediction of the trees, for a network that takes it."""
    brain = begun.brain
    images = {name: image for name, image in begun.images.items() if name in seen}
    context, conditioning = prepare(images, brain, sources.target, places(brain), begun.base, by_trees)
    pad = [(0, -side % multiple) for side in brain.shape]

    def view(index: int) -> View:
        mirrored = (0,) if index % 2 else ()
        turned = reversed_left_right(context, PLACE_X) if mirrored else context
        region = np.pad(np.flip(brain, mirrored).astype(np.float32), pad)
        return View(np.pad(turned, [(0, 0), *pad]), region, brain.shape, conditioning, mirrored=mirrored)

    def picture(residual: Float) -> bytes:
        values = begun.in_units(sources.target, begun.base + residual)
        return preview(values, (1.0, 1.0, 1.0), [side // 2 for side in brain.shape], 0.0, 1.0)

    def finished(residual: Float, deviation: Float) -> Estimate:
        spread = np.zeros(sources.brain.shape, np.float32)
        spread[begun.box] = np.where(brain, USUAL[sources.target][1] * deviation, 0)
        return Estimate(begun.finished(sources, begun.base + residual), spread)

    return Setting(view, finished, picture, (2, 1, 0), TILING)


def volume(sources: Sources, options: Options) -> Generator[Progress, None, Estimate]:
    """Translate with the network ``WEIGHTS``: the estimate (X, Y, Z) float32 in units of the target's 99.5th percentile
    in the brain, 0 outside it.

    UserError weights_missing or weights_damaged.
    """
    yield Progress(0.0, 0, 1, "Scaling the sources")
    network = load(WEIGHTS, options.device)
    begun = start(sources, options.device)
    multiple = int(getattr(network, "multiple", 8))
    yield Progress(0.0, 0, 1, "Computing the boosted trees")
    seen = begun_setting(begun, sources, multiple, by_trees=trees.predicted(sources))
    sampling = direct(network, options, seen.tiling, SamplerOptions(errors=error_spectrum_of(WEIGHTS)))
    made = yield from seen.solved(sampling, options, calibration(WEIGHTS, sources.target))
    return replace(made, calls=options.steps * options.samples)
