"""Every sentence of a study: helped, harmful, not shown, saturated, an interval open at one side, none at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest

from core.augment.exchange_rate import Arm, Exchange, Rate
from core.augment.guideline import against_classic, alone, control, guideline, unexpected
from core.measure.intervals import NAN, Interval

MOST = 360


@dataclass
class Planted:
    """Worth of each arm, and from which amount on more added nothing."""

    worth: dict[Arm, Interval]
    end: int | None = None
    flat: bool = False

    @property
    def arms(self) -> tuple[Arm, ...]:
        return tuple(sorted(self.worth))

    def rate(self, arm: Arm) -> Rate:
        none = Interval(NAN)
        return Rate(arm, none, none, self.worth[arm], none, MOST)

    def saturation(self, name: str, base: int) -> int | None:
        return self.end


def of(*worth: tuple[float, float, float], end: int | None = None, name: str = "synthetic") -> Exchange:
    """Return amounts of 120, 480, ... images added to 120 real ones with the worths (value, low, high)."""
    arms = {Arm(name, 120, 120 * 4**place): Interval(*each) for place, each in enumerate(worth)}
    return cast(Exchange, Planted(arms, end))


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            of((42, 8, 88), (9, -43, 120), end=120),
            "120 synthetic images were worth 42 more (95 % interval 8 to 88); more than 120 added nothing that could "
            "be measured.",
        ),
        (
            of((42, 8, 88), (90, 60, 120)),
            "480 synthetic images were worth 90 more (95 % interval 60 to 120); 480, the most that were tried, were "
            "still better than fewer.",
        ),
        (of((42, 8, 88)), "120 synthetic images were worth 42 more (95 % interval 8 to 88)."),
        (of((200, 8, 360)), "120 synthetic images were worth 200 more (95 % interval 8 to at least 360)."),
        (of((360, 80, 360)), "120 synthetic images were worth at least 360 more (95 % interval 80 to at least 360)."),
        (
            of((360, 360, 360)),
            "120 synthetic images were worth at least 360 more (the whole 95 % interval is there, where the real "
            "images end).",
        ),
        (
            of((-30, -45, -10), (-90, -99, -80)),
            "every amount of synthetic images did harm: with 120, the best of them, the classifier was as good as with "
            "30 fewer (95 % interval 10 to 45).",
        ),
        (
            of((-30, -45, -10)),
            "120 synthetic images did harm: the classifier was as good as with 30 fewer (95 % interval 10 to 45).",
        ),
        (
            of((-4, -31, 47), (-80, -90, -70)),
            "no amount of synthetic images was shown to help: with 120, the best of them, the classifier was as good "
            "as with 4 fewer (95 % interval 31 fewer to 47 more).",
        ),
        (
            of((5, -19, 360)),
            "120 synthetic images were not shown to help or to harm: the classifier was as good as with 5 more (95 % "
            "interval 19 fewer to at least 360 more).",
        ),
        (
            of((0.2, -8.4, 0)),
            "120 synthetic images were not shown to help or to harm: the classifier was neither better nor worse (95 % "
            "interval 8 fewer to 0).",
        ),
        (
            of((0.2, 0, 8)),
            "120 synthetic images were not shown to help or to harm: the classifier was neither better nor "
            "worse (95 % interval 0 to 8 more).",
        ),
        (
            of((3, NAN, NAN)),
            "120 synthetic images were not shown to help or to harm: the classifier was as good as with 3 more (no "
            "interval).",
        ),
    ],
)
def test_the_guideline_of_every_case(found: Exchange, sentence: str) -> None:
    assert guideline(found, "synthetic", 120) == f"At 120 real images, {sentence}"


def test_the_open_set_is_named() -> None:
    assert "480 synthetic images of the open set" in guideline(of((1, -2, 3), (9, 4, 12), name="open"), "open", 120)


def test_a_flat_curve_gives_no_number() -> None:
    found = of((42, 8, 88), (9, -43, 120))
    found.flat = True  # type: ignore[misc]
    assert guideline(found, "synthetic", 120) == (
        "At 120 real images, nothing can be read off: more real images were not shown to help, so none stand for "
        "synthetic images."
    )


def test_the_sentences_of_controls() -> None:
    duplicates = control(of((0, 0, 0), name="duplicates"), "duplicates", 120)
    assert duplicates == (
        "Real + duplicates, 120 + 120: not shown to help or to harm; the classifier was neither better nor worse (95 % "
        "interval 0 to 0)."
    )
    shuffled = control(of((-97, -102, -92), name="shuffled"), "shuffled", 120)
    assert "labels shuffled, 120 + 120: harmful; the classifier was as good as with 97 fewer" in shuffled
    assert "(95 % interval 92 to 102)" in shuffled
    assert "did as well as 64 real ones (95 % interval 50 to 81)." in alone(of((-56, -70, -39), name="alone"), 120)
    assert "at least 480)" in alone(of((100, 70, 360), name="alone"), 120)
    both = Planted({Arm("classic", 120): Interval(165, 75, 360), Arm("synthetic", 120, 120): Interval(-4, -9, 2)})
    assert against_classic(cast(Exchange, both), 120) == (
        "At 120 real images, the classifier was as good as with 165 more (95 % interval 75 to at least 360) by classic "
        "augmentation, and as good as with 4 fewer (95 % interval 9 fewer to 2 more) by the best amount of synthetic "
        "images."
    )
    helped = Planted(
        {Arm("duplicates", 120, 120): Interval(9, 2, 12), Arm("shuffled", 120, 120): Interval(-9, -20, -3)}
    )
    [warning] = unexpected(cast(Exchange, helped), 120)
    assert warning.startswith(
        "A control helped at 120 real images: with real + duplicates the classifier was as good as"
    )
