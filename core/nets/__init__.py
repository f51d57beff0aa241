"""Networks by name; no files are read or written here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from core.nets.boosted_trees import BoostedTrees
from core.nets.fusion_net import FusionNet
from core.nets.link_net import LinkNet
from core.nets.piecewise_linear import PatchRegression
from core.nets.plane_net import PlaneNet
from core.nets.segment_net import SegmentNet
from core.nets.volume_net import VolumeNet

ARCHITECTURES: Mapping[str, type[nn.Module]] = {
    "fusion_net": FusionNet,
    "plane_net": PlaneNet,
    "volume_net": VolumeNet,
    "patch_regression": PatchRegression,
    "boosted_trees": BoostedTrees,
    "segment_net": SegmentNet,
    "link_net": LinkNet,
}


def build(architecture: str, config: Mapping[str, Any]) -> nn.Module:
    """Return an untrained network from its architecture and arguments as weight files have them.

    ``KeyError`` for an unknown architecture, ``TypeError`` for an unknown argument.
    """
    return ARCHITECTURES[architecture](**config)
