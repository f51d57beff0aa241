"""Remedies against shortcuts, each a change of the plain training recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Way = Literal["once", "twice", "refit", "diverse", "apart"]


@dataclass(frozen=True)
class Remedy:
    """One recipe.

    steps: of ``preprocessing``. augment: of ``augmentation``. loss: of ``losses``, with its ``strength``. epochs: times
    those of the plain recipe. members: networks whose logits are averaged. way: once; twice (errors of an early network
    count more); refit (last layer anew); diverse (members trained together to differ); apart (each member without the
    scores of those before). images, groups, balanced: whether it needs patches larger than a pixel, slides, a set
    without the shortcut.
    """

    name: str
    title: str
    help: str
    steps: tuple[str, ...] = ()
    augment: str = ""
    loss: str = "plain"
    strength: float = 0.0
    epochs: float = 1.0
    weight_decay: float = 1e-4
    dropout: float = 0.0
    members: int = 1
    way: Way = "once"
    images: bool = False
    groups: bool = False
    balanced: bool = False


# strengths are those of the comparison in docs/failure-lab.md; where it has none, the defaults of DomainBed
ALL = (
    Remedy("erm", "Plain training", "Cross-entropy, nothing else: the recipe that the others change."),
    Remedy("decay", "Weight decay", "Weight decay 0.05.", weight_decay=0.05),
    Remedy("dropout", "Dropout", "Half of the features are dropped before the last layer.", dropout=0.5),
    Remedy("mixup", "Mixup", "Patches and labels are mixed, Beta(0.4, 0.4).", loss="mixup", strength=0.4),
    Remedy("sam", "Sharpness-aware", "Gradient where the loss is highest within 0.05.", loss="sam", strength=0.05),
    Remedy("decoupling", "Spectral decoupling", "Adds 0.05 mean(logit^2).", loss="decoupling", strength=0.05),
    Remedy("groupdro", "GroupDRO", "The worst slides count more.", loss="groupdro", strength=1e-2, groups=True),
    Remedy("irm", "Invariant risk", "One head must suit every slide.", loss="irm", strength=1e2, groups=True),
    Remedy("vrex", "V-REx", "Adds the variance of the loss between slides.", loss="vrex", strength=10.0, groups=True),
    Remedy("jtt", "Just train twice", "What an early network gets wrong counts five times.", way="twice"),
    Remedy(
        "dfr",
        "Last layer anew",
        "Refits the last layer on 200 patches without the shortcut.",
        way="refit",
        balanced=True,
    ),
    Remedy("banddrop", "Band dropout", "Bands are set to their mean, 30 % at random.", loss="banddrop", strength=0.3),
    Remedy("channels", "Channel sampling", "A random number of bands is kept in each step.", loss="channels"),
    Remedy(
        "diverse",
        "Diverse ensemble",
        "Three networks whose gradients must differ.",
        members=3,
        way="diverse",
        strength=1.0,
    ),
    Remedy(
        "orthogonal",
        "Orthogonal projection",
        "Three networks, each blind to the scores of those before.",
        members=3,
        way="apart",
    ),
    Remedy("whiten", "Whitening", "Principal components of the pixels, all of one size.", steps=("whiten",)),
    Remedy("derivative", "Second derivative", "Second differences of each spectrum.", steps=("derivative",)),
    Remedy("emsc", "EMSC", "Each pixel to the mean spectrum, without baseline and thickness.", steps=("emsc",)),
    Remedy("snv", "SNV", "Each pixel's spectrum to mean 0 and deviation 1.", steps=("snv",)),
    Remedy("amide", "Amide I norm", "Each patch divided by its amide I.", steps=("amide",)),
    Remedy("centre", "Patch centring", "Each patch without its mean spectrum.", steps=("centre",), images=True),
    Remedy(
        "instance",
        "Instance norm",
        "Each band of each patch to mean 0 and deviation 1.",
        steps=("instance",),
        images=True,
    ),
    Remedy(
        "thickness",
        "Thickness, naive",
        "Training patches scaled at random, their noise with them.",
        augment="thickness",
        epochs=2.0,
    ),
    Remedy(
        "thickness-equal",
        "Thickness, equal noise",
        "Training patches scaled at random, noise the same in all.",
        augment="thickness_equal",
        epochs=2.0,
    ),
    Remedy("swap", "Swapped scores", "Training patches exchange their one-dimensional score.", augment="swap"),
    Remedy("instance-swap", "Instance norm, swapped scores", "Both.", steps=("instance",), augment="swap", images=True),
    Remedy(
        "full",
        "Instance norm + thickness, equal noise",
        "Both leaks closed: no mean, no scale, and no noise that tells the scale.",
        steps=("instance",),
        augment="thickness_equal",
        epochs=2.0,
        images=True,
    ),
)

REMEDIES: Mapping[str, Remedy] = MappingProxyType({each.name: each for each in ALL})

MATCHED = Remedy(
    "matched",
    "Plain training, blurred to the IR",
    "The picture at the resolution of the infrared.",
    steps=("blur",),
    images=True,
)
"""Not a remedy: the stained picture seen as sharply as the infrared image (D15)."""
