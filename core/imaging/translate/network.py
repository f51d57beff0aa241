"""A missing contrast from those at hand: our network, a residual to the regression on voxels, told what trees say."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.contrasts import CONTRASTS, USUAL
from core.diffusion.sampler import Walk
from core.events import Progress
from core.imaging.brain_position import places, reversed_left_right
from core.imaging.formulation import Setting
from core.imaging.options import Options
from core.imaging.picture import preview
from core.imaging.problem import Estimate, Sources
from core.imaging.tiles import Tiling
from core.imaging.translate import trees
from core.imaging.translate.regression import Start, start
from core.imaging.volume_sampler import View, direct, doubt_of
from core.weights import calibration, load

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

WEIGHTS = "translate-volume"
# A brain fits into one tile; larger ones would cost up to 0.04 dB (tiles of 112 on the held-out tumour). In bfloat16
# the PSNR differs by 0.002 dB or less.
TILING = Tiling(side=192, overlap=32, half=True)
# the channel that says how far to the right a voxel lies
PLACE_X = 5


def prepare(
    images: Mapping[str, Float], brain: Bool, target: str, place: Float, base: Float, grown: Float | None = None
) -> tuple[Float, Float]:
    """Return context (9 or 10, X, Y, Z) and facts (8,) float32 of ``scaled`` sources.

    Channels: the four contrasts (0 where one is absent), the brain, ``place`` (3, X, Y, Z) from ``places``, ``base``,
    what boosted trees say (``grown``), which the papers' networks are not told.
    Facts: which contrasts are there, which one is asked for.
    """
    channels = [images[name] if name in images else np.zeros(brain.shape, np.float32) for name in CONTRASTS]
    last = [base] if grown is None else [base, grown]
    context = np.concatenate([np.stack([*channels, brain.astype(np.float32)]), place, np.stack(last)])
    facts = [float(name in images) for name in CONTRASTS] + [float(name == target) for name in CONTRASTS]
    return context.astype(np.float32), np.array(facts, np.float32)


def setting(sources: Sources, options: Options, multiple: int) -> Setting:
    """Return ``sources`` as networks see them whose sides must be multiples of ``multiple``."""
    return begun_setting(start(sources, options.device), sources, multiple)


def begun_setting(
    begun: Start,
    sources: Sources,
    multiple: int,
    told: Collection[str] = CONTRASTS,
    grown: Float | None = None,
) -> Setting:
    """Return ``setting`` from what was ``begun``; told: the contrasts that the network gets to see, the base comes from
    all; grown: what the trees say, for a network that is told."""
    brain = begun.brain
    images = {name: image for name, image in begun.images.items() if name in told}
    context, facts = prepare(images, brain, sources.target, places(brain), begun.base, grown)
    pad = [(0, -side % multiple) for side in brain.shape]

    def view(index: int) -> View:
        mirrored = (0,) if index % 2 else ()
        seen = reversed_left_right(context, PLACE_X) if mirrored else context
        region = np.pad(np.flip(brain, mirrored).astype(np.float32), pad)
        return View(np.pad(seen, [(0, 0), *pad]), region, brain.shape, facts, mirrored=mirrored)

    def picture(residual: Float) -> bytes:
        values = begun.in_units(sources.target, begun.base + residual)
        return preview(values, (1.0, 1.0, 1.0), [side // 2 for side in brain.shape], 0.0, 1.0)

    def finished(residual: Float, deviation: Float) -> Estimate:
        spread = np.zeros(sources.brain.shape, np.float32)
        spread[begun.box] = np.where(brain, USUAL[sources.target][1] * deviation, 0)
        return Estimate(begun.finished(sources, begun.base + residual), spread)

    return Setting(view, finished, picture, (2, 1, 0), TILING)


def volume(sources: Sources, options: Options) -> Generator[Progress, None, Estimate]:
    """Translate with the network ``WEIGHTS``; values are in units of the target's 99.5th percentile in the brain."""
    yield Progress(0.0, 0, 1, "Scaling the sources")
    network = load(WEIGHTS, options.device)
    begun = start(sources, options.device)
    multiple = int(getattr(network, "multiple", 8))
    yield Progress(0.0, 0, 1, "Asking the boosted trees")
    seen = begun_setting(begun, sources, multiple, grown=trees.said(begun.images, begun.brain, sources.target))
    sampling = direct(network, options, seen.tiling, Walk(doubt=doubt_of(WEIGHTS)))
    made = yield from seen.solved(sampling, options, calibration(WEIGHTS))
    return replace(made, calls=options.steps * options.samples)
