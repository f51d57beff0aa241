"""The augmentation study: how many real images are synthetic ones worth in training?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.declaration import REPORT, RUN_RECORD, SEED, Input, Measure, Output, Param, Preset, Reference, Task, Value
from core.failure import titles
from core.failure.reading import READING, READING_PARAMS, ReadingSettings
from core.failure.task import LABELS, TISSUES
from core.presentation import Page, Step, Welcome

BASES = ("30", "60", "120", "240", "480", "960")
MULTIPLES = ("0.5", "1", "2", "4", "8", "16")
IMAGES = {"rgb": "Stained tissue", "ir": "Infrared tissue", "heads": "MRI slices of synthetic heads"}


@dataclass(frozen=True)
class Settings(ReadingSettings):
    """The task's parameters in their types, made of ``TASK.parse``; ``TASK.params`` has their meaning and bounds."""

    images: Literal["rgb", "ir", "heads"]
    tissue: str
    bases: tuple[str, ...]
    multiples: tuple[str, ...]
    seeds: int
    open_set: bool
    pool: int
    classifier_steps: int
    generator_steps: int
    group_name: str
    seed: int


def _size(
    bases: tuple[str, ...], multiples: tuple[str, ...], seeds: int, pool: int, classifier: int, generator: int
) -> Mapping[str, Value]:
    steps = {"classifier_steps": classifier, "generator_steps": generator}
    return {"bases": bases, "multiples": multiples, "seeds": seeds, "pool": pool, **steps}


DEMO = _size(("60", "120"), ("1", "4"), 3, 480, 120, 300)
STANDARD = _size(("60", "120", "240"), ("1", "2", "4", "8"), 4, 960, 150, 500)

TASK = Task(
    name="augment",
    title="Worth of synthetic images",
    summary="Trains a generator on few real images, adds its images, and finds how many real ones they were worth.",
    inputs=(
        Input(
            "data",
            "tissue",
            "Data",
            "A folder or zip of pictures, one sub-folder a class; labelled patches or images as the failure lab reads "
            "them. Without: simulated images.",
            required=False,
            label="Your data: a zip of pictures in folders of classes, or labelled patches (NPZ)",
            pictures=True,
        ),
        LABELS,
    ),
    outputs=(
        Output("results", "json", "Results"),
        Output("table", "csv", "Table"),
        Output("curves", "png", "Accuracy over real images"),
        Output("samples", "png", "Real and synthetic images"),
        Output("neighbours", "png", "Synthetic images and their nearest training images"),
        REPORT,
        RUN_RECORD,
    ),
    params=(
        Param(
            "images",
            "choice",
            "rgb",
            "Images",
            "What is simulated, or which side of your patches is studied.",
            choices=tuple(IMAGES),
            titles=IMAGES,
        ),
        Param(
            "tissue",
            "choice",
            "none",
            "Simulated tissue",
            "What is simulated without data.",
            choices=TISSUES,
            titles=titles.TISSUES,
            advanced=True,
        ),
        Param("bases", "several", DEMO["bases"], "Real images", "Base sizes.", choices=BASES, advanced=True),
        Param(
            "multiples",
            "several",
            DEMO["multiples"],
            "Synthetic images",
            "How many times the base is added.",
            choices=MULTIPLES,
            advanced=True,
        ),
        Param(
            "open_set",
            "bool",
            False,
            "Open-set generator",
            "Also one that was trained on another slide set, or on other heads.",
            advanced=True,
        ),
        Param("seeds", "int", 3, "Seeds", "How often everything is trained.", low=2, high=10, advanced=True),
        Param("pool", "int", 480, "Real images there are", "Simulated to train on.", low=120, high=4000, advanced=True),
        Param(
            "classifier_steps",
            "int",
            120,
            "Steps of a classifier",
            "The same in every arm.",
            low=10,
            high=2000,
            advanced=True,
        ),
        Param("generator_steps", "int", 300, "Steps of a generator", "Of training.", low=10, high=5000, advanced=True),
        SEED,
        *READING_PARAMS,
        Param(
            "group_name",
            "text",
            "",
            "Patient in the name of a picture",
            "Where {group} stands in the names of files: {group}_* for P07_3.png, {group}/* for folders of patients.",
            high=200,
            folded=READING,
        ),
    ),
    presets=(Preset("demo", "Demo", DEMO), Preset("standard", "Standard", STANDARD)),
    measures=(
        Measure("base", "Real", "Real images, or those that the generator was trained on.", 0),
        Measure("added", "Added", "Images added to them.", 0),
        Measure("accuracy", "Accuracy", "On test images, mean over seeds.", 3),
        Measure("gain", "Gain", "Accuracy minus that of the same real images alone.", 3),
        Measure("worth", "Worth", "Real images that would have lowered the error as much.", 0),
        Measure("worth_low", "from", "Lower end of the 95 % interval of the worth.", 0),
        Measure("worth_high", "to", "Upper end of it.", 0),
        Measure("rate", "Exchange rate", "Worth of one added image, in real images.", 2),
        Measure("rate_low", "rate from", "Lower end of the 95 % interval of the exchange rate.", 2),
        Measure("rate_high", "rate to", "Upper end of it.", 2),
    ),
    page=Page(
        kind="worth",
        tab="Synthetic worth",
        load=Step(
            "Data",
            "simulated, or your own",
            "Without a file, images are simulated: tissue, or slices of synthetic heads. Choose them in step 2.",
        ),
        settings=Step("What to study"),
        preset="demo",
        subject="images",
        with_data="Your images are studied; no patient or slide is both trained and tested on.",
        without_data="Images are simulated; every number is of the simulation.",
        welcome=Welcome(
            "How many real images is a synthetic one worth?",
            "A small diffusion model is trained on few real images and its images are added to them. Classifiers with "
            "and without them, and with more real images, give the exchange rate, with an interval and controls.",
            "augment.webp",
            "Simulated tissue above, images of a generator that was trained on 120 of them below",
            "Stained tissue: simulated above, drawn by a generator below.",
            "Run the demo",
        ),
    ),
    run=Reference("core.augment.run:run"),
    estimate=Reference("core.augment.study_cost:estimate"),
    resumes=True,
)
