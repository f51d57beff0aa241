"""Results of an augmentation study made up for tests of the page: two generators, and a name that bites."""

from __future__ import annotations

import base64
from io import BytesIO

from PIL import Image

from core.augment.worth_results import (
    ArmResult,
    CurvePoint,
    Gallery,
    GeneratorQuality,
    Saturation,
    Shown,
    StudiedData,
    TrendResult,
    WorthResults,
)
from core.measure.intervals import NAN, Interval

HOSTILE = "<img src=x onerror=alert(1)> ${alert(2)}"


def results(*, copies: bool = False, source: str = "simulated") -> WorthResults:
    arms = [arm("synthetic", base, base * multiple, 20 * multiple) for base in (50, 100) for multiple in (1, 4)]
    arms += [
        arm(name, 50, added, worth)
        for name, added, worth in (("classic", 0, 30), ("shuffled", 200, -20), ("alone", 200, -5))
    ]
    curve = [
        CurvePoint(
            count,
            Interval(1 - count**-0.3, 0.5, 0.9) if count != 75 else Interval(NAN),
            Interval(0.7, 0.6, 0.8),
            (0.6, 0.7) if count != 75 else (),
        )
        for count in (25, 50, 75, 100, 200)
    ]
    quality = GeneratorQuality(
        "synthetic",
        50,
        0.9,
        0.5,
        0.4,
        0.97,
        0.96,
        0.95,
        0.6,
        Interval(0.4 if copies else 0.01, 0.0, 0.5),
        0.9,
        1.0,
        copies,
    )
    shown = Shown(picture(), 0)
    return WorthResults(
        StudiedData(source, HOSTILE, "rgb", (HOSTILE, "b"), {"pool": 200, "test": 100}, 12, (8, 8), ("A warning.",)),
        {"seeds": "2"},
        tuple(arms),
        tuple(curve),
        Interval(0.95, 0.9, 0.99),
        Interval(0.3, 0.2, 0.4),
        (Saturation("synthetic", 50, 50),),
        (TrendResult("synthetic", Interval(0.5, 0.3, 0.7), Interval(NAN)),),
        (quality,),
        (Gallery("synthetic", 50, (shown,) * 3, (shown,) * 3, ((shown, shown),) * 2, (0.5, 0.6)),),
        ("At 50 real images, 200 synthetic images were worth 80 more (95 % interval 70 to 90).",),
        ("Real + duplicates, 50 + 200: not shown to help or to harm.",),
        ("The rate holds for these images.",),
    )


def arm(name: str, base: int, added: int, worth: float) -> ArmResult:
    rate = Interval(worth / added, (worth - 10) / added, (worth + 10) / added) if added else Interval(NAN)
    return ArmResult(
        name, f"{name}, {base} + {added}", base, added, Interval(0.7, 0.65, 0.75), Interval(0.05, 0.0, 0.1),
        Interval(worth, worth - 10, worth + 10), rate, 200 - base, (0.7, 0.71),
    )  # fmt: skip


def picture() -> str:
    buffer = BytesIO()
    Image.new("RGB", (8, 8), (200, 100, 150)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()
