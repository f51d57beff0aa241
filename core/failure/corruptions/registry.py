"""Every corruption by instruments and laboratories, with its five severities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.failure.corruptions import infrared as ir
from core.failure.corruptions import raman
from core.failure.corruptions import stained as rgb

Array = NDArray[np.float32]
Floats = NDArray[np.float64]
Rng = np.random.Generator
SEVERITIES = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Corruption:
    """One corruption.

    when: the change as the end of a sentence that begins with "when". modality: ir (absorbance) or rgb (0 to 1).
    severities: what changes at severity 1 to 5, in ``unit``. physical: a change of the light or the section, rather
    than noise or missing data. spatial: needs more than one pixel, so it does not apply to a spectrum alone. only: the
    technique that it can happen to, "" for every one.
    """

    title: str
    when: str
    modality: Literal["ir", "rgb"]
    severities: tuple[float, ...]
    unit: str
    change: Callable[[Array, Floats, float, Rng], Array]
    physical: bool = False
    spatial: bool = False
    only: Literal["", "infrared", "raman"] = ""

    def apply(self, images: Array, wavenumbers: Floats, severity: int, rng: Rng) -> Array:
        """Return ``images`` (N, C, H, W) corrupted; wavenumbers: (B,) cm^-1, unused for rgb.

        One call is one instrument, whose gains, dead bands or shifted axis are the same in all patches.
        ValueError for a severity other than 1 to 5.
        """
        if severity not in SEVERITIES:
            raise ValueError(f"severity must be 1 to 5, not {severity}")
        return np.asarray(self.change(images, wavenumbers, self.severities[severity - 1], rng), np.float32)


CORRUPTIONS: Mapping[str, Corruption] = MappingProxyType(
    {
        "noise": Corruption("Noise", "noise is added", "ir", (0.005, 0.01, 0.02, 0.03, 0.05), "absorbance", ir.noise),
        "noise_floor": Corruption(
            "Same signal to noise in all patches",
            "all have the same signal to noise",
            "ir",
            (1, 1.25, 1.5, 2, 3),
            "times the worst",
            ir.noise_floor,
        ),
        "thickness_up": Corruption(
            "Thicker section",
            "the section is thicker",
            "ir",
            (1.05, 1.1, 1.15, 1.25, 1.4),
            "times",
            ir.thickness,
            physical=True,
            only="infrared",
        ),
        "thickness_down": Corruption(
            "Thinner section",
            "the section is thinner",
            "ir",
            (0.95, 0.9, 0.85, 0.75, 0.6),
            "times",
            ir.thickness,
            physical=True,
            only="infrared",
        ),
        "baseline_offset": Corruption(
            "Raised baseline",
            "the baseline is raised",
            "ir",
            (0.01, 0.02, 0.04, 0.06, 0.1),
            "absorbance",
            ir.baseline_offset,
            physical=True,
        ),
        "baseline_slope": Corruption(
            "Sloping baseline",
            "the baseline slopes",
            "ir",
            (0.01, 0.02, 0.04, 0.06, 0.1),
            "absorbance",
            ir.baseline_slope,
            physical=True,
        ),
        "mie": Corruption(
            "Scattering by cells",
            "cells scatter the light",
            "ir",
            (0.02, 0.04, 0.06, 0.1, 0.15),
            "absorbance",
            ir.scattering,
            physical=True,
            only="infrared",
        ),
        "wn_shift": Corruption(
            "Shifted wavenumbers",
            "the wavenumbers are shifted",
            "ir",
            (1, 2, 4, 6, 8),
            "1/cm",
            ir.shifted,
            physical=True,
        ),
        "band_gain": Corruption(
            "Another gain of each band",
            "each band has another gain",
            "ir",
            (0.01, 0.02, 0.04, 0.06, 0.1),
            "share",
            ir.band_gain,
            physical=True,
        ),
        "band_drop": Corruption(
            "Dead bands", "bands are dead", "ir", (1 / 32, 2 / 32, 4 / 32, 8 / 32, 16 / 32), "share", ir.band_drop
        ),
        "fringe": Corruption(
            "Interference fringes",
            "interference fringes are added",
            "ir",
            (0.01, 0.02, 0.03, 0.04, 0.05),
            "absorbance",
            ir.fringe,
            physical=True,
            only="infrared",
        ),
        "stripe": Corruption(
            "Stripes of the detector",
            "the detector has stripes",
            "ir",
            (0.01, 0.02, 0.03, 0.04, 0.05),
            "absorbance",
            ir.stripe,
            spatial=True,
        ),
        "blur": Corruption(
            "Blur",
            "the image is blurred",
            "ir",
            (0.3, 0.6, 1, 1.5, 2),
            "pixels",
            ir.blurred,
            physical=True,
            spatial=True,
        ),
        "power_up": Corruption(
            "More laser power",
            "the laser has more power",
            "ir",
            (1.05, 1.1, 1.15, 1.25, 1.4),
            "times",
            raman.power,
            physical=True,
            only="raman",
        ),
        "power_down": Corruption(
            "Less laser power",
            "the laser has less power",
            "ir",
            (0.95, 0.9, 0.85, 0.75, 0.6),
            "times",
            raman.power,
            physical=True,
            only="raman",
        ),
        "fluorescence": Corruption(
            "Fluorescence",
            "fluorescence is added",
            "ir",
            (0.05, 0.1, 0.2, 0.35, 0.5),
            "of the highest band",
            raman.fluorescence,
            physical=True,
            only="raman",
        ),
        "rgb_noise": Corruption("Noise", "noise is added", "rgb", (0.02, 0.04, 0.08, 0.12, 0.2), "of white", rgb.noise),
        "pixelate": Corruption(
            "Large pixels",
            "the pixels are large",
            "rgb",
            (0.9, 0.75, 0.6, 0.5, 0.4),
            "of the side",
            rgb.pixelate,
            spatial=True,
        ),
        "jpeg": Corruption(
            "JPEG compression",
            "the picture is compressed",
            "rgb",
            (80, 60, 40, 25, 10),
            "quality",
            rgb.jpeg,
            spatial=True,
        ),
        "defocus": Corruption(
            "Out of focus",
            "the picture is out of focus",
            "rgb",
            (0.8, 1.2, 1.6, 2.1, 2.8),
            "pixels",
            rgb.defocus,
            spatial=True,
        ),
        "motion": Corruption(
            "Motion blur",
            "the picture is blurred by motion",
            "rgb",
            (2, 3, 4, 6, 8),
            "pixels",
            rgb.motion,
            spatial=True,
        ),
        "brightness_up": Corruption(
            "Brighter",
            "the picture is brightened",
            "rgb",
            (1.05, 1.1, 1.2, 1.3, 1.4),
            "times",
            rgb.brightness,
            physical=True,
        ),
        "brightness_down": Corruption(
            "Darker",
            "the picture is darkened",
            "rgb",
            (0.95, 0.9, 0.8, 0.7, 0.6),
            "times",
            rgb.brightness,
            physical=True,
        ),
        "contrast_up": Corruption(
            "More contrast",
            "the contrast is raised",
            "rgb",
            (1.1, 1.2, 1.35, 1.5, 1.75),
            "times",
            rgb.contrast,
            physical=True,
        ),
        "contrast_down": Corruption(
            "Less contrast",
            "the contrast is lowered",
            "rgb",
            (0.9, 0.8, 0.7, 0.55, 0.4),
            "times",
            rgb.contrast,
            physical=True,
        ),
        "saturate": Corruption(
            "Stronger colours",
            "the colours are stronger",
            "rgb",
            (1.1, 1.25, 1.5, 1.75, 2),
            "times",
            rgb.saturate,
            physical=True,
        ),
        "haematoxylin_up": Corruption(
            "More haematoxylin",
            "there is more haematoxylin",
            "rgb",
            (1.05, 1.1, 1.15, 1.2, 1.25),
            "times",
            rgb.haematoxylin,
            physical=True,
        ),
        "haematoxylin_down": Corruption(
            "Less haematoxylin",
            "there is less haematoxylin",
            "rgb",
            (0.96, 0.92, 0.88, 0.84, 0.8),
            "times",
            rgb.haematoxylin,
            physical=True,
        ),
        "eosin_up": Corruption(
            "More eosin", "there is more eosin", "rgb", (1.05, 1.1, 1.15, 1.2, 1.25), "times", rgb.eosin, physical=True
        ),
        "eosin_down": Corruption(
            "Less eosin", "there is less eosin", "rgb", (0.96, 0.92, 0.88, 0.84, 0.8), "times", rgb.eosin, physical=True
        ),
        "stain_deposit": Corruption(
            "Stain deposit",
            "specks of stain lie on the section",
            "rgb",
            (1, 2, 3, 4, 6),
            "specks",
            rgb.deposit,
            spatial=True,
        ),
        "bubble": Corruption(
            "Air bubble",
            "an air bubble lies on the section",
            "rgb",
            (0.2, 0.3, 0.4, 0.5, 0.6),
            "of the side",
            rgb.bubble,
            spatial=True,
        ),
    }
)

# a change of the amount of tissue or stain moves the number that a collapsed model leans on
OF_AMOUNT = frozenset(
    {
        "thickness_up",
        "thickness_down",
        "power_up",
        "power_down",
        "haematoxylin_up",
        "haematoxylin_down",
        "eosin_up",
        "eosin_down",
    }
)


ABSOLUTE = ("absorbance", "of the highest band")
"""Units of what is added to a spectrum."""


def corruptions_of(
    modality: str, spatial: bool = True, *, of_raman: bool = False, scaled: bool = True, absolute: bool = True
) -> dict[str, Corruption]:
    """Return the corruptions of one modality (ir or rgb) by name; without ``spatial`` those of a spectrum alone,
    of_raman: those of Raman spectra instead of infrared ones. scaled: with changes of the amount of tissue, which
    normalised spectra do not have; absolute: with what is added to a spectrum, which a derivative does not have."""
    other = "infrared" if of_raman else "raman"
    return {
        name: each
        for name, each in CORRUPTIONS.items()
        if each.modality == modality
        and each.only != other
        and (spatial or not each.spatial)
        and (scaled or name not in OF_AMOUNT)
        and (absolute or each.unit not in ABSOLUTE)
    }
