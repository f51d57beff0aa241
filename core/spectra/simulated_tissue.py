"""Simulated tissue: an infrared cube and a stained picture of one section, with a shortcut of chosen strength."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from core.spectra.microscope import absorbance, blur, detector, diffraction, scattering, stained
from core.spectra.patches import PatchSet
from core.spectra.tissue_structure import Maps, concentrations, fibres, nuclei, stream

Shift = Literal["id", "external", "conflict"]
Cue = Literal["density", "lipid", "noise", "none"]
SHIFTS: tuple[Shift, ...] = ("id", "external", "conflict")

CLASSES = (
    "small nuclei, collagen in bundles",
    "small nuclei, collagen without direction",
    "large nuclei, collagen in bundles",
    "large nuclei, collagen without direction",
)
# mean of the shortcut in each class; in this order neither nuclei nor collagen alone correlate with it
LADDER = np.array([0.0, 2.0, 3.0, 1.0]) / 3 - 0.5
CUE_RANGE = 0.40
# 30 bands of the fingerprint region and the two CH2 stretches
WAVENUMBERS: NDArray[np.float64] = np.append(np.linspace(912, 1782, 30), (2852, 2924))


@dataclass(frozen=True)
class Slides:
    """Number of slides of a set, and mean and spread of their thickness and noise (1: nominal)."""

    number: int
    thickness: float = 1.0
    thickness_spread: float = 0.03
    noise: float = 1.0
    noise_spread: float = 0.0


@dataclass(frozen=True)
class Tissue:
    """One kind of simulated tissue.

    cue: the quantity that the shortcut multiplies by e^(cue_gain s), s = 0.40 ladder + N(0, cue_noise): "density", all
    concentrations; "lipid", that of lipid; "noise", the detector's noise. radii (pixels), numbers: of small and of
    large nuclei. texture: contrast of the collagen. size: side of a patch in pixels. noise: of the infrared absorbance.
    baseline: spread of offset and slope between slides, absorbance. mie: scattering, absorbance. stain: spread of the
    logarithm of the stain between slides. home, away: slides of the training laboratory and of another.
    """

    title: str
    cue: Cue = "density"
    cue_gain: float = 1.0
    cue_noise: float = 0.05
    radii: tuple[float, float] = (1.5, 2.3)
    numbers: tuple[int, int] = (18, 8)
    texture: float = 0.8
    size: int = 24
    noise: float = 0.01
    baseline: float = 0.01
    mie: float = 0.02
    stain: float = 0.35
    home: Slides = field(default=Slides(10))
    away: Slides = field(default=Slides(20, thickness=1.10, thickness_spread=0.12))


PRESETS: Mapping[str, Tissue] = MappingProxyType(
    {
        "density": Tissue("Density: classes differ in how dense the section is"),
        "strong": Tissue("Density, strong: density alone is nearly enough", cue_noise=0.02),
        "weak": Tissue("Density, weak: density is a poor guide", cue_noise=0.20),
        "band": Tissue("Lipid: classes differ in one component", cue="lipid", cue_gain=1.8),
        "lipid": Tissue("Lipid, strong: one component is nearly enough", cue="lipid", cue_gain=1.8, cue_noise=0.02),
        "noise-floor": Tissue(
            "Noise floor: classes differ in the noise of the detector",
            cue="noise",
            cue_gain=1.8,
            away=Slides(20, thickness=1.10, thickness_spread=0.12, noise=1.25, noise_spread=0.25),
        ),
        "none": Tissue("No shortcut: only form tells the classes apart", cue="none"),
        "hard": Tissue("Density, with forms that are hard to tell apart", radii=(1.75, 2.15), texture=0.45),
    }
)


def simulate(preset: str | Tissue, count: int, seed: int, shift: Shift = "id") -> PatchSet:
    """Return ``count`` patches of 24 x 24 pixels and 32 bands (912 to 1782, 2852, 2924 cm^-1), with stained pictures.

    Slides are the groups; ``cue`` is s. preset: one of ``PRESETS`` or a ``Tissue``. shift: "id", the laboratory of the
    training set; "external", new slides of another, whose sections vary in thickness; "conflict", the first with the
    shortcut drawn at random, independent of the class. The same arguments give the same patches, other seeds and
    shifts other slides: train and test on two seeds. ValueError for an unknown preset or shift.
    """
    tissue = _preset(preset)
    if shift not in SHIFTS:
        raise ValueError(f"shift must be one of {', '.join(SHIFTS)}, not {shift!r}")
    base = len(SHIFTS) * seed + SHIFTS.index(shift)
    slides = tissue.away if shift == "external" else tissue.home
    rng = stream(base, "design")
    labels, slide = rng.permutation(np.arange(count) % len(CLASSES)), rng.permutation(np.arange(count) % slides.number)
    shown = rng.integers(len(CLASSES), size=count) if shift == "conflict" else labels
    cue = CUE_RANGE * LADDER[shown] + tissue.cue_noise * rng.standard_normal(count)
    factor = np.exp(tissue.cue_gain * cue)
    parts = _parts(tissue, labels, stream(base, "form"))
    density = factor if tissue.cue == "density" else np.ones(count)
    if tissue.cue == "lipid":
        parts["lipid"] = parts["lipid"] * factor[:, None, None].astype(np.float32)
    noise = tissue.noise * (factor if tissue.cue == "noise" else np.ones(count))
    section = _Section(parts, density, noise, slide)
    ir, rgb = _measure(tissue, slides, section, base)
    return PatchSet(
        ir, WAVENUMBERS.copy(), labels.astype(np.int64), CLASSES, 1000 * base + slide, rgb, cue.astype(np.float32)
    )


def _preset(preset: str | Tissue) -> Tissue:
    if isinstance(preset, Tissue):
        return preset
    if preset not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, not {preset!r}")
    return PRESETS[preset]


def _parts(tissue: Tissue, labels: NDArray[np.int64], rng: np.random.Generator) -> dict[str, Maps]:
    large, isotropic = labels // 2, labels % 2 == 1
    numbers = np.array(tissue.numbers)[large] + rng.integers(-1, 2, len(labels))
    disks = nuclei(np.array(tissue.radii)[large], numbers, tissue.size, rng)
    return concentrations(disks, fibres(isotropic, tissue.size, rng), tissue.texture, rng)


@dataclass(frozen=True, eq=False)
class _Section:
    """parts: concentrations, (N, H, W) each. density, noise (absorbance), slide (its number): (N,)."""

    parts: dict[str, Maps]
    density: NDArray[np.float64]
    noise: NDArray[np.float64]
    slide: NDArray[np.int64]


def _measure(tissue: Tissue, slides: Slides, section: _Section, base: int) -> tuple[Maps, Maps]:
    """Return the images of ``section``: infrared (N, B, H, W) in absorbance, stained (N, 3, H, W)."""
    rng = stream(base, "slides")
    thickness = (slides.thickness + slides.thickness_spread * _even(slides.number, rng))[section.slide]
    noisy = slides.noise * np.exp(slides.noise_spread * _even(slides.number, rng))[section.slide]
    offset, slope = tissue.baseline * rng.standard_normal((2, slides.number))[:, section.slide]
    stain = np.exp(tissue.stain * rng.standard_normal((slides.number, 2)))[section.slide]
    return (
        _infrared(tissue, section, thickness, noisy, (offset, slope), stream(base, "infrared")),
        stained(section.parts, thickness * section.density, stain, stream(base, "stained")),
    )


def _even(number: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return ``number`` quantiles of the normal distribution, shuffled, of mean 0 and variance 1.

    Drawn so, two sets of slides differ as little as possible, and a shift has one size for all seeds.
    """
    quantiles = ndtri((np.arange(number) + 0.5) / number)
    return rng.permutation(quantiles / max(quantiles.std(), 1e-9))


def _infrared(
    tissue: Tissue,
    section: _Section,
    thickness: NDArray[np.float64],
    noisy: NDArray[np.float64],
    baseline: tuple[NDArray[np.float64], NDArray[np.float64]],
    rng: np.random.Generator,
) -> Maps:
    count = len(thickness)
    cube = absorbance(section.parts, WAVENUMBERS, thickness * section.density)
    cube += scattering(section.parts["protein"], WAVENUMBERS, tissue.mie * np.abs(rng.standard_normal(count)))
    cube = blur(cube, diffraction(WAVENUMBERS))
    # the slope runs over the fingerprint region
    along = (WAVENUMBERS - WAVENUMBERS[:30].mean()) / np.ptp(WAVENUMBERS[:30])
    line = baseline[0][:, None] + baseline[1][:, None] * along
    spread = (section.noise * noisy)[:, None] * detector(len(WAVENUMBERS))
    cube += line[:, :, None, None].astype(np.float32)
    cube += spread[:, :, None, None].astype(np.float32) * rng.standard_normal(cube.shape, np.float32)
    return cube
