"""What can be trained: name, network, data and optimiser settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preset:
    """One trainable network: ``weights`` is its name in the manifest, ``source`` the task its batches are for.

    from_noise: share of crops that start from noise alone, the one call of the Faithful mode.
    smallest: added to a crop's own residual variance before errors are divided by it.
    average: how much of the running average stays at each step.
    coarse: share of steps at which a plane network is given its own prediction in another plane.
    drift: whether crops are sampled from noise down, their smooth part being the network's own last prediction;
    each time counts alike then.
    """

    name: str
    weights: str
    source: str
    architecture: str
    config: Mapping[str, Any]
    learning_rate: float = 1e-3
    warm_up: int = 60
    average: float = 0.995
    from_noise: float = 0.25
    smallest: float = 0.2
    coarse: float = 0.0
    drift: bool = False


# Inpainting sees one crop around a hole, so its norms can be over the crop: they leave noise and tissue apart. The
# slices of translation take them too.
OF_THE_CROP: Mapping[str, Any] = {"context": 7, "norm": "group"}
PLANE: Mapping[str, Any] = {"widths": [32, 64, 128], "blocks": [1, 2, 2], "stream": True}
HEAD: Mapping[str, Any] = {"widths": [16, 32, 48], "blocks": [1, 1, 1]}
WIDE: Mapping[str, Any] = {"widths": [48, 96, 128], "blocks": [1, 2, 2], "norm": "channel"}
# a skip had to copy the noise of residuals much smaller than it: error at half the noise 0.82 of the residual
ITSELF: Mapping[str, Any] = {"skip": False, "scaled": True, "fused": True}

PRESETS: tuple[Preset, ...] = (
    Preset(
        "volume_net",
        "inpaint-volume",
        "inpaint",
        "volume_net",
        {**WIDE, **OF_THE_CROP, **ITSELF},
        from_noise=0.35,
        smallest=0.05,
    ),
    Preset(
        "superres_net",
        "superres-volume",
        "superres",
        "volume_net",
        {**WIDE, "skip": True, "context": 11, "conditioning": 9},
        from_noise=0.75,
        smallest=0.05,
    ),
    Preset(
        "translate_net",
        "translate-volume",
        "translate",
        "volume_net",
        {**WIDE, **ITSELF, "context": 10, "conditioning": 8, "heads": 4, "direct": True},
        learning_rate=6e-4,
        from_noise=0.75,
        smallest=0.05,
    ),
    Preset(
        "plane_inpaint",
        "inpaint-plane",
        "inpaint",
        "plane_net",
        {**PLANE, **OF_THE_CROP, "slab": 2},
        smallest=0.05,
        coarse=0.4,
    ),
    Preset(
        "plane_superres",
        "superres-plane",
        "superres",
        "plane_net",
        {**PLANE, "context": 11, "slab": 2, "conditioning": 9},
        from_noise=0.35,
        smallest=0.05,
    ),
    Preset(
        "plane_translate",
        "translate-plane",
        "translate",
        "plane_net",
        {**PLANE, "context": 9, "norm": "group", "slab": 4, "conditioning": 8, "heads": 4, "direct": True},
        learning_rate=6e-4,
        from_noise=0.35,
        smallest=0.05,
    ),
    Preset(
        "fusion_inpaint",
        "inpaint-fusion",
        "inpaint",
        "fusion_net",
        {**HEAD, "context": 7, "experts": 4},
        smallest=0.05,
        drift=True,
    ),
    Preset(
        "fusion_superres",
        "superres-fusion",
        "superres",
        "fusion_net",
        {**HEAD, "context": 11, "experts": 4, "conditioning": 9},
        from_noise=0.35,
        smallest=0.05,
    ),
    Preset(
        "fusion_translate",
        "translate-fusion",
        "translate",
        "fusion_net",
        {**HEAD, "context": 9, "experts": 8, "conditioning": 8},
        smallest=0.05,
        drift=True,
    ),
    Preset("tissues", "tissues", "tissues", "segment_net", {"widths": [32, 48, 64], "blocks": [1, 1, 1]}, 2e-3),
)


def find(name: str) -> Preset:
    """Return the preset called ``name``, or that of the weights called so; ``KeyError`` if there is none."""
    named = {preset.name: preset for preset in PRESETS}
    return ({preset.weights: preset for preset in PRESETS} | named)[name]
