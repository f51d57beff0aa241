"""What can be trained: name, network and optimiser settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preset:
    """One trainable network: ``weights`` is its name in the manifest."""

    name: str
    weights: str
    architecture: str
    config: Mapping[str, Any]
    learning_rate: float = 1e-3
    warm_up: int = 60
    average: float = 0.995


PRESETS: tuple[Preset, ...] = (
    Preset(
        "volume_net",
        "inpaint-volume",
        "volume_net",
        {"context": 2, "widths": [24, 64, 128], "blocks": [1, 2, 2]},
    ),
)


def find(name: str) -> Preset:
    """Return the preset called ``name``; ``KeyError`` if there is none."""
    return {preset.name: preset for preset in PRESETS}[name]
