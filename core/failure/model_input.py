"""The parameters of the failure lab for a model that was trained elsewhere: what it takes, and what it answers."""

from __future__ import annotations

from core.declaration import Input, Param
from core.failure import titles

# where its file is given, and where what it takes
GIVEN_MODEL, TAKES = "A model trained elsewhere", "What the model trained elsewhere takes"

MODEL = Input(
    "model",
    "model",
    "Model",
    "A model that was trained elsewhere, as TorchScript, torch.export or ONNX; it is judged, and nothing is trained.",
    required=False,
    label="TorchScript, torch.export or ONNX file",
    folded=GIVEN_MODEL,
)

MODEL_PARAMS: tuple[Param, ...] = (
    Param(
        "model_modality", "choice", "ir", "Sees", "Infrared patches or stained pictures.",
        choices=("ir", "rgb"), titles=titles.SIDES, folded=TAKES,
    ),
    Param(
        "model_bands", "text", "", "Its bands",
        "Wavenumbers of its channels in their order, as a list or as 1000-1800/32; empty: those of the data.",
        high=200_000, folded=TAKES,
    ),
    Param(
        "model_normalisation", "choice", "none", "Normalisation", "Of each pixel's spectrum before the model.",
        choices=("none", "standard", "snv", "max", "vector", "minmax", "amide", "derivative"),
        titles=titles.NORMALISATIONS, folded=TAKES,
    ),
    Param(
        "model_mean", "text", "", "Subtract", "After that: one number, or one for each channel.",
        high=200_000, folded=TAKES,
    ),
    Param(
        "model_scale", "text", "", "Divide by", "After that: one number, or one for each channel.",
        high=200_000, folded=TAKES,
    ),
    Param(
        "model_size", "int", 0, "Size of its patches", "Patches are resized to it; 0: as they are.",
        low=0, high=1024, unit="pixels", folded=TAKES,
    ),
    Param(
        "model_layout", "choice", "NCHW", "Layout", "N patches, C channels, H rows, W columns.",
        choices=("NCHW", "NHWC", "NC", "N1C"), titles=titles.LAYOUTS, folded=TAKES,
    ),
    Param(
        "model_classes", "text", "", "Its classes", "In the order of its answers; empty: as the data.",
        high=2000, folded=TAKES,
    ),
    Param(
        "model_answers", "choice", "auto", "Its answers", "Numbers that are not negative and add up to 1 are "
        "probabilities.", choices=("auto", "logits", "probabilities"), titles=titles.ANSWERS, folded=TAKES,
    ),
)  # fmt: skip
