"""Results of the failure lab made up for tests of the page: two models, three sets, and names that bite."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from core.failure.results import (
    Attribution,
    Bands,
    Corrupted,
    Data,
    Diagnostic,
    Gap,
    Line,
    Model,
    Picture,
    Reliability,
    Results,
    Shallow,
    Verdict,
)
from core.measure.intervals import Interval

HOSTILE = "<img src=x onerror=alert(1)> ${alert(2)} {{x}}"
CLASSES = (HOSTILE, "stroma", "gland")
SETS = {"id": 0.95, "external": 0.7, "conflict": 0.5}
BANDS = ("2924", "1655", "1545", "1085")


def figure(value: float) -> Interval:
    return Interval(value, value - 0.03, value + 0.02)


def calibrated(test: str) -> Reliability:
    return Reliability(test, figure(0.1), figure(0.2), figure(0.3), (0.4, 0.8), (0.3, 0.9), (0.5, 0.5))


def model(name: str, title: str, modality: str, seed: int = 0, lower: float = 0.0) -> Model:
    rng = np.random.default_rng(seed)
    scores, logits = rng.standard_normal(80), rng.standard_normal((80, 3))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    red = Verdict("red", "1-D failure: it leans on one number.", ("It follows the swap.",), ("New patients.",))
    channels = len(BANDS) if modality == "ir" else 3
    return Model(
        name, title, modality, "erm", "cnn", seed, 100, 2, (1.0, 0.5), 0.9,
        {test: figure(value - lower) for test, value in SETS.items()},
        diagnostics(),
        tuple(calibrated(test) for test in SETS),
        (
            Corrupted("noise", False, (0, 1, 3), (0.95, 0.94, 0.93), (0.1, 0.1, 0.1)),
            Corrupted("thickness_up", True, (0, 1, 3), (0.95, 0.6, 0.4), (0.1, 0.2, 0.4)),
        ),
        (Attribution(7, 0, 1, ((0.5, -1.0), (0.0, 1.0)), tuple(np.linspace(-1, 1, channels).tolist())),),
        tuple(scores.tolist()),
        tuple(tuple(row) for row in chances.tolist()),
        red if modality == "ir" else replace(red, level="none", reasons=()),
    )  # fmt: skip


def diagnostics() -> tuple[Diagnostic, ...]:
    swap = {"rest": figure(0.5), "else": figure(0.1), "gain": figure(0.3)}
    return (
        Diagnostic("D1", "rank", "Rank of the logits", figure(0.5), False, "Not used for the verdict: it stays high."),
        Diagnostic("D3", "one_number", "One number", figure(0.78), True, "Decides: above.", {"excess": figure(0.3)}),
        Diagnostic("D4", "swap", "Follows a swap", figure(0.4), True, "Decides: from 0.15.", swap),
        Diagnostic("D4n", "noise_floor", "Follows noise", Interval(math.nan), True, "Too few pairs to try."),
    )


def results() -> Results:
    patches = ((1, 2, 3), (250, 128, 0))
    separation = Line(
        "fisher", (2924.0, 1655.0, 1545.0, 1085.0), (1.0, 2.0, 3.0, 4.0), "wavenumber", "between / within"
    )
    models = (
        model("rgb-erm", "RGB: Plain training", "rgb", lower=-0.02),
        model("ir-erm", f"IR: Plain training {HOSTILE}", "ir"),
        model("ir-erm", f"IR: Plain training {HOSTILE}", "ir", seed=1, lower=0.1),
    )
    verdicts = {"rgb": models[0].verdict, "ir": models[1].verdict}
    return Results(
        Data(
            "patches",
            "simulated",
            HOSTILE,
            CLASSES,
            {"train": 60, "id": 80},
            12,
            (2, 2),
            (1.0, 2.0),
            (HOSTILE,),
            chance=0.4,
        ),
        {"epochs": "2", "remedies": "erm"},
        models,
        (Shallow("score", "One number", "ir", {"id": figure(0.7)}),),
        (Diagnostic("D16", "ir-fisher", "IR: Fisher", figure(4.0), False, "Not used.", {}, (separation,)),),
        (Gap("id", "rgb-erm", "ir-erm", figure(0.1), 1e-5),),
        (Bands("ir", BANDS, (2924.0, 1655.0, 1545.0, 1085.0), ((0.1,) * 4,) * 3, (0.1,) * 4, (0.01,) * 4),),
        (Picture(7, 0, 3, (patches, patches), (patches, patches)),),
        (),
        {side: each for side, each in verdicts.items() if each is not None},
        ("No number here is theirs.",),
    )


def leak() -> Diagnostic:
    parts = {"by_spectrum": figure(0.9), "by_group": figure(0.6), "majority": Interval(0.4)}
    return Diagnostic("LEAK", "nearest", "Nearest: accuracy from the patient", figure(0.3), False, "Why.", parts)
