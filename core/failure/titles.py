"""What the parts of the failure lab are called; importing it loads neither numpy nor torch."""

from __future__ import annotations

from dataclasses import dataclass

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
    "emsc": "EMSC",
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
    "resnet18": "ResNet-18",
    "bottleneck-1": "Bottleneck, 1 feature",
    "bottleneck-2": "Bottleneck, 2",
    "bottleneck-4": "Bottleneck, 4",
    "bottleneck-8": "Bottleneck, 8",
    "bottleneck-16": "Bottleneck, 16",
}
CONTAMINATION = {"aligned": "Confounder of the class", "random": "Confounder at random"}
SIDES = {"rgb": "RGB, stained", "ir": "IR, spectral"}
SETS = {
    "id": "In distribution",
    "external": "External slides",
    "conflict": "Shortcut at random",
}
FIGURES = {
    "accuracy": "accuracy",
    "chance": "commonest class",
    "participation": "participation ratio",
    "erank": "effective rank",
    "feature_pc1": "first component of the features",
    "feature_participation": "participation ratio of the features",
    "feature_erank": "effective rank of the features",
    "label": "the same of the classes",
    "excess": "over the classes",
    "within": "within a class",
    "rest": "stays",
    "else": "another class",
    "gain": "follows the mean absorbance",
    "follows": "follows",
    "changed": "changes",
    "logits": "share of the answers",
    "error_kappa": "kappa of the errors",
    "amount": "loss where the amount changes",
    "balanced_error": "mean error",
    "relative_error": "mean error over that of none",
    "pixel": "of the pixels",
    "condition": "condition",
    "all": "all bands",
    "before": "before",
    "after": "after",
    "majority": "commonest class",
    "by_spectrum": "split at random",
    "by_group": "by patient or slide",
    "drop": "loss",
    "one": "one number",
    "two": "two numbers",
    "three": "three numbers",
    "swap_one": "follows one",
    "swap_two": "follows two",
    "swap_three": "follows three",
    "area": "told by the largest probability",
    "energy": "told by the energy",
    "distance": "told by the distance of the features",
    "kept": "answered",
    "accuracy_kept": "accuracy of the answered",
}
"""What the further figures of diagnostics are called; those of shifts and sets have the names of these."""


def set_title(name: str) -> str:
    """Return what a set of patches is called."""
    return SETS.get(name, name)


@dataclass(frozen=True)
class BandAxis:
    """The words of spectra. position: of a band, with its unit; value: of a number. falls: positions are drawn from
    right to left, as in the infrared."""

    position: str
    value: str
    falls: bool


def band_axis(technique: str) -> BandAxis:
    """Return the words of spectra of a technique, "infrared" or "raman"."""
    if technique == "raman":
        return BandAxis("Raman shift, cm⁻¹", "relative counts", False)
    return BandAxis("wavenumber, cm⁻¹", "absorbance", True)


TECHNIQUES = {"auto": "As the file states", "infrared": "Infrared", "raman": "Raman"}
SCALES = {
    "auto": "As the file states",
    "absorbance": "Absorbance",
    "percent": "Transmittance, %",
    "transmittance": "Transmittance, 0 to 1",
    "counts": "Counts",
}
NORMALISATIONS = {
    "none": "None",
    "standard": "Each band to mean 0, deviation 1 over the training part",
    "snv": "SNV",
    "max": "Divided by the highest band",
    "vector": "To unit length",
    "minmax": "From 0 to 1",
    "amide": "Divided by amide I",
    "derivative": "Second derivative",
}
LAYOUTS = {
    "NCHW": "Patches, channels first (N, C, H, W)",
    "NHWC": "Patches, channels last (N, H, W, C)",
    "NC": "Mean spectra (N, C)",
    "N1C": "Mean spectra of one channel (N, 1, C)",
}
ANSWERS = {"auto": "As they look", "logits": "Logits", "probabilities": "Probabilities"}
AXES = {
    "auto": "As the file states",
    "wavenumber": "Wavenumbers, cm⁻¹",
    "raman": "Raman shifts, cm⁻¹",
    "micrometre": "Wavelengths, µm",
    "nanometre": "Wavelengths, nm",
}
