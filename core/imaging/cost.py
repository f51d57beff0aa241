"""Counted work of the networks: multiply-adds and calls of a method on a volume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core import weights
from core.declaration import Method

PLANES = 3
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "volume_net": {"widths": (48, 96, 128), "blocks": (1, 2, 2)},
    "plane_net": {"widths": (32, 64, 128), "blocks": (1, 2, 2)},
    "fusion_net": {"widths": (16, 32, 48), "blocks": (1, 1, 1)},
}


@dataclass(frozen=True)
class NetworkCost:
    """work: multiply-adds for each voxel of the volume; calls: network calls, a slice or a volume each."""

    work: float
    calls: int


def network_cost(
    method: Method, params: Mapping[str, Any], side: int, sources: int = 1, draws: int | None = None
) -> NetworkCost:
    """Return what the networks of ``method`` take for a volume of ``side`` slices along each axis.

    sources: scans at hand; several have an expert each, where scores are fused. draws: calls for the whole volume, by
    default one for each step of each sample.
    For methods that decide on their way how often a step is taken, the middle between once and most often.
    """
    if draws is None:
        draws = (params["steps"] or method.steps) * params["samples"]
    names = method.networks()
    if not method.paper:
        return NetworkCost(draws * work(names[0]), draws)
    passes = draws * _passes(method.name, params)
    if method.name == "scorefusion":
        passes += draws * sources if sources > 1 else 0
        ours = draws if params["volume"] else 0
        extra = ours * work(method.expert[0])
        return NetworkCost(
            passes * work(names[1]) + draws * work(names[0]) + extra, round(passes * side) + draws + ours
        )
    # a gradient is a call and two more on the way back: with the one before it, two that cost as much as four
    dear = 2 if method.name == "posterior" and params["solver"] != "projection" else 1
    return NetworkCost(dear * passes * work(names[0]), round(passes * side))


def _passes(name: str, params: Mapping[str, Any]) -> float:
    """Return how often the slices of one plane are seen for each step of a sample."""
    if name in ("average", "scorefusion"):
        return PLANES
    if name == "posterior":
        return PLANES * (1 if params["solver"] == "projection" else 2)
    if name == "repaint":
        return float(params["resamples"])
    if name == "hierarchical":
        # of the most that a step may be taken again, a sixth was, in masked regions of five subjects
        again = 1 + (params["resamples"] - 1) / 6
        return float(again * (1 + params["start"] if params["stages"] == "both" else 1))
    return 1.0


def work(name: str) -> float:
    """Return the multiply-adds per voxel of one call of the network ``name``, of a usual one if it is not installed.

    For a network of slices: of all slices of one plane.
    """
    entry = weights.entries().get(name)
    if entry is not None:
        return multiply_adds(entry.architecture, entry.config)
    kind = {"plane": "plane_net", "fusion": "fusion_net"}.get(name.rpartition("-")[2], "volume_net")
    return multiply_adds(kind, {})


def multiply_adds(architecture: str, config: Mapping[str, Any]) -> float:
    """Return the multiply-adds per voxel of one call of a U-Net of ``architecture`` with ``config``."""
    whole = {**DEFAULTS[architecture], **config}
    dimensions = 2 if architecture == "plane_net" else 3
    widths: Sequence[int] = whole["widths"]
    blocks: Sequence[int] = whole["blocks"]
    fold, window = int(2**dimensions), int(3**dimensions)
    inputs, outputs = _channels(architecture, whole)
    total = float(window * widths[0] * fold * (inputs + outputs * (2 if whole.get("stream") else 1)))
    if whole.get("direct"):
        total += fold * inputs * fold * outputs
    previous = widths[0]
    for level, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        total += _residuals(previous, width, count, window) / fold**level
        previous = width
    for level in reversed(range(len(widths) - 1)):
        total += _residuals(previous + widths[level], widths[level], blocks[level], window) / fold**level
        previous = widths[level]
    return total / fold


def _channels(architecture: str, config: Mapping[str, Any]) -> tuple[int, int]:
    """Return the channels in and out, as the networks themselves have them."""
    context = int(config.get("context", 2))
    if architecture == "plane_net":
        return 2 + context + 4 * int(config.get("slab", 2)), 2 * int(config.get("heads", 1))
    if architecture == "fusion_net":
        experts = int(config.get("experts", PLANES))
        return 1 + context + experts, experts + 2
    return 1 + context, 2 * int(config.get("heads", 1))


def _residuals(inputs: int, outputs: int, count: int, window: int) -> float:
    shortcut = inputs * outputs if inputs != outputs else 0
    first = window * inputs * outputs + window * outputs**2 + shortcut
    return float(first + (count - 1) * 2 * window * outputs**2)
