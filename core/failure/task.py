"""The failure lab: does a network look at tissue, or at one number of its mean spectrum?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.declaration import REPORT, RUN_RECORD, SEED, Input, Measure, Output, Param, Preset, Reference, Task, Value
from core.failure import titles
from core.failure.model_input import MODEL, MODEL_PARAMS
from core.failure.reading import READING_PARAMS, ReadingSettings
from core.presentation import Page, Step, Welcome

# the names of PRESETS of core.spectra.simulated_tissue, and of REMEDIES and NETWORKS of core.failure.models, which load
# numpy and torch; a test holds them equal
TISSUES = ("density", "strong", "weak", "band", "lipid", "noise-floor", "none", "hard")
REMEDIES = (
    "erm", "decay", "dropout", "mixup", "sam", "decoupling", "groupdro", "irm", "vrex", "jtt", "dfr", "banddrop",
    "channels", "diverse", "orthogonal", "whiten", "derivative", "emsc", "snv", "amide", "centre", "instance",
    "thickness", "thickness-equal", "swap", "instance-swap", "full",
)  # fmt: skip
NETWORKS = (
    "cnn", "pixel", "linear", "vit", "resnet18", "bottleneck-1", "bottleneck-2", "bottleneck-4", "bottleneck-8",
    "bottleneck-16",
)  # fmt: skip
QUICK = ("erm", "instance")
STANDARD = ("erm", "decoupling", "whiten", "derivative", "centre", "instance", "swap", "full")
FULL = (
    "erm", "mixup", "sam", "decoupling", "groupdro", "vrex", "jtt", "dfr", "whiten", "instance", "swap", "full"
)  # fmt: skip


@dataclass(frozen=True)
class Settings(ReadingSettings):
    """The task's parameters in their types, made of ``TASK.parse``; ``TASK.params`` has their meaning and bounds."""

    tissue: str
    modalities: tuple[str, ...]
    remedies: tuple[str, ...]
    networks: tuple[str, ...]
    patches: int
    epochs: int
    seeds: int
    depth: Literal["quick", "whole"]
    control: bool
    matched: bool
    sweep: bool
    seed: int
    model_modality: Literal["ir", "rgb"]
    model_bands: str
    model_normalisation: str
    model_mean: str
    model_scale: str
    model_size: int
    model_layout: Literal["NCHW", "NHWC", "NC", "N1C"]
    model_classes: str
    model_answers: Literal["auto", "logits", "probabilities"]


def _size(remedies: tuple[str, ...], seeds: int, depth: str, patches: int = 600) -> Mapping[str, Value]:
    return {"remedies": remedies, "seeds": seeds, "depth": depth, "patches": patches, "epochs": 25}


LABELS = Input(
    "labels",
    "tissue",
    "Labels",
    "Label image of an infrared image, the same size.",
    required=False,
    label="Label picture, PNG, TIFF or NPY",
    folded="Labels of an infrared image",
)
"""Of an infrared image, for every task that takes one."""

TASK = Task(
    name="failure",
    title="Failure lab",
    summary="Trains small networks on infrared and stained patches, and finds out whether they lean on one number.",
    inputs=(
        Input(
            "data",
            "tissue",
            "Data",
            "Labelled patches, an image, a folder or zip of images or spectra, or your own model's answers. Without: "
            "simulated tissue.",
            required=False,
            label="Your data: spectra or images of any format, files that belong together at once, or a zip",
        ),
        LABELS,
        MODEL,
    ),
    outputs=(Output("results", "json", "Results"), Output("table", "csv", "Table"), REPORT, RUN_RECORD),
    params=(
        Param(
            "tissue",
            "choice",
            "density",
            "Simulated tissue",
            "What is simulated without data.",
            choices=TISSUES,
            titles=titles.TISSUES,
        ),
        Param(
            "modalities",
            "several",
            ("rgb", "ir"),
            "Seen as",
            "Stained picture, infrared cube.",
            choices=("rgb", "ir"),
            titles=titles.SIDES,
            advanced=True,
        ),
        Param(
            "remedies",
            "several",
            QUICK,
            "Recipes",
            "Plain training and remedies.",
            choices=REMEDIES,
            titles=titles.REMEDIES,
            advanced=True,
        ),
        Param(
            "networks",
            "several",
            ("cnn",),
            "Networks",
            "Trained plainly.",
            choices=NETWORKS,
            titles=titles.NETWORKS,
            advanced=True,
        ),
        Param("patches", "int", 600, "Patches", "Simulated patches to train on.", low=80, high=4000, advanced=True),
        Param("epochs", "int", 25, "Epochs", "Of plain training.", low=1, high=200, advanced=True),
        Param("seeds", "int", 3, "Seeds", "How often everything is trained.", low=1, high=5, advanced=True),
        Param(
            "depth",
            "choice",
            "quick",
            "Probes",
            "Quick: three severities of every corruption. Whole: five, and all band by band.",
            choices=("quick", "whole"),
            advanced=True,
        ),
        Param("control", "bool", False, "Remedies on RGB", "Trains the stained side by every recipe.", advanced=True),
        Param("matched", "bool", False, "Blurred RGB", "Also pictures as blurred as the infrared.", advanced=True),
        Param(
            "sweep",
            "bool",
            False,
            "Contamination sweep",
            "Plants a confounder in none to all of the training patches, and measures what accuracy hangs on it.",
            advanced=True,
        ),
        SEED,
        *READING_PARAMS,
        *MODEL_PARAMS,
    ),
    presets=(
        Preset("quick", "Quick", _size(QUICK, 2, "quick")),
        Preset("standard", "Standard", _size(STANDARD, 3, "whole")),
        Preset("full", "Full", {**_size(FULL, 3, "whole"), "matched": True, "sweep": True}),
        *(Preset(name, f"Simulated: {name}", {"tissue": name}, on_page=False) for name in TISSUES),
    ),
    measures=(
        Measure("id", "In distribution", "Accuracy on new patches of the same laboratory, over seeds.", 3),
        Measure("low", "Lower bound", "Of that accuracy, 95 %, over seeds and patients or slides.", 3),
        Measure("chance", "Commonest class", "Accuracy of always naming it: what the lower bound must exceed.", 3),
        Measure("external", "External", "Accuracy on slides of another laboratory.", 3),
        Measure("conflict", "Conflict", "Accuracy where the shortcut is drawn at random.", 3),
        Measure("within", "One number", "Share of the logits within a class that one number of the mean explains.", 3),
        Measure("swap", "Follows swap", "Answers that follow a swapped score.", 3),
        Measure("shuffle_logits", "Shuffled", "Share of the logits that is left when pixels are shuffled.", 3),
        Measure("amount", "Amount", "Largest loss of accuracy where the amount of tissue or stain changes.", 3),
        Measure("shift", "Worst shift", "Largest loss of accuracy under any physical shift.", 3),
        Measure("calibration", "ECE rise", "Largest rise of the calibration error.", 3),
        Measure("noise_floor", "Follows noise", "Answers that follow a swapped noise floor.", 3),
        Measure("gain", "Gain", "Accuracy over the best plain classifier.", 3),
        Measure("seconds", "Time", "Seconds of training.", 1, "s"),
    ),
    page=Page(
        kind="lab",
        load=Step(
            "Data",
            "simulated, or your own",
            "Without a file, tissue is simulated: infrared cube and stained picture of the same cells, and a shortcut "
            "of a known kind. Choose it in step 2.",
        ),
        settings=Step("What to train"),
        preset="quick",
        subject="tissue",
        with_data="Your data are examined; the choice of simulated tissue does not count. Groups (patients, slides) "
        "are kept apart, and recipes that the data do not allow are left out.",
        without_data="Tissue is simulated; every number is of the simulation.",
        welcome=Welcome(
            "Does a network look at tissue, or at one number?",
            "Small networks are trained on infrared images of tissue and on stained pictures of the same cells. The "
            "lab then takes away what a shortcut could use, and shows whether accuracy was earned.",
            "failure.webp",
            "Simulated tissue at one wavenumber, as a stained picture, and with its spectra exchanged",
            "Simulated tissue: infrared at one wavenumber, and the stained picture of the same cells.",
            "Run the demo",
        ),
    ),
    run=Reference("core.failure.run:run"),
    estimate=Reference("core.failure.training_cost:estimate"),
    report=Reference("core.report.lab.page:write_report"),
)
