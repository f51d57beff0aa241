"""What the failure lab calls its parts on the page; the lab's own titles load torch, which a page does not need."""

from __future__ import annotations

TISSUES = {
    "density": "Density differs between the classes",
    "strong": "Density, strong: nearly enough alone",
    "weak": "Density, weak: a poor guide",
    "band": "Lipid differs between the classes",
    "lipid": "Lipid, strong: nearly enough alone",
    "noise-floor": "Noise alone tells the classes",
    "none": "No shortcut: only form tells",
    "hard": "Density, and forms hard to tell apart",
}
REMEDIES = {
    "erm": "Plain training",
    "decay": "Weight decay",
    "dropout": "Dropout",
    "mixup": "Mixup",
    "sam": "Sharpness-aware",
    "decoupling": "Spectral decoupling",
    "groupdro": "GroupDRO",
    "irm": "Invariant risk",
    "vrex": "V-REx",
    "jtt": "Just train twice",
    "dfr": "Last layer anew",
    "banddrop": "Band dropout",
    "channels": "Channel sampling",
    "diverse": "Diverse ensemble",
    "orthogonal": "Orthogonal projection",
    "whiten": "Whitening",
    "derivative": "Second derivative",
    "snv": "SNV",
    "amide": "Amide I norm",
    "centre": "Patch centring",
    "instance": "Instance norm",
    "thickness": "Thickness, naive",
    "thickness-equal": "Thickness, equal noise",
    "swap": "Swapped scores",
    "instance-swap": "Instance norm, swapped scores",
    "full": "Instance norm + thickness, equal noise",
}
NETWORKS = {
    "cnn": "Convolutional",
    "pixel": "Pixel by pixel",
    "linear": "Linear on the mean spectrum",
    "vit": "Transformer over bands",
    "bottleneck-1": "Bottleneck, 1 feature",
    "bottleneck-2": "Bottleneck, 2",
    "bottleneck-4": "Bottleneck, 4",
    "bottleneck-8": "Bottleneck, 8",
    "bottleneck-16": "Bottleneck, 16",
}
SIDES = {"rgb": "RGB, stained", "ir": "IR, spectral"}
DEPTHS = {"quick": "Quick", "whole": "Whole"}
SETS = {
    "id": "In distribution",
    "external": "External slides",
    "conflict": "Shortcut at random",
}
CHOICES = {
    "tissue": TISSUES,
    "modalities": SIDES,
    "remedies": REMEDIES,
    "networks": NETWORKS,
    "depth": DEPTHS,
}
"""Parameter of the task -> choice -> plain words."""


def set_title(name: str) -> str:
    """Return what a set of patches is called."""
    return SETS.get(name, name)
