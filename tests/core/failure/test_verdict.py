from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from core.failure.results import Diagnostic
from core.failure.verdict import AuditScope, decide
from core.measure.intervals import Interval

EVERYTHING = AuditScope(groups=True, shift=True, conflict=True, pictures=True)


def probe(name: str, value: float, **more: float) -> Diagnostic:
    figures = {key: Interval(each) for key, each in more.items()}
    return Diagnostic("D", name, f"The {name}", Interval(value), True, "", figures)


EMPTY: Mapping[str, float] = MappingProxyType({})
# what decides where it is not the figure itself
PARTS = {"shuffle": "logits", "shift": "amount", "one_number": "within"}


def probes(values: Mapping[str, float] = EMPTY, worst: Mapping[str, float] = EMPTY) -> list[Diagnostic]:
    """A healthy model, with some of what decides changed; worst: the figures of shifts that are not of the amount."""
    healthy = {
        "shuffle": 0.05, "swap": 0.01, "shift": 0.02, "calibration": 0.02, "gain": 0.3, "noise_floor": 0.0,
        "class_noise": 0.01, "one_number": 0.1,
    }  # fmt: skip
    return [
        probe(name, worst.get(name, value), **({PARTS[name]: value} if name in PARTS else {}))
        for name, value in {**healthy, **values}.items()
    ]


@pytest.mark.parametrize("leaning", [{"shuffle": 0.45}, {"swap": 0.15}, {"one_number": 0.20}])
def test_leaning_and_failing_is_red(leaning: dict[str, float]) -> None:
    found = decide(probes({**leaning, "shift": 0.10}), EVERYTHING)
    assert found.level == "red"
    assert len(found.reasons) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"shuffle": 0.45}, {"swap": 0.15}, {"one_number": 0.20}, {"shift": 0.10}, {"calibration": 0.10},
        {"gain": 0.019}, {"noise_floor": 0.07}, {"class_noise": 0.10},
    ],
)  # fmt: skip
def test_one_half_or_a_warning_is_amber(change: dict[str, float]) -> None:
    found = decide(probes(change), EVERYTHING)
    assert found.level == "amber"
    assert len(found.reasons) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"shuffle": 0.44},
        {"swap": 0.14},
        {"one_number": 0.19},
        {"one_number": math.nan},
        {"shift": 0.09},
        {"gain": 0.02},
        {"shuffle": math.nan},
    ],
)
def test_below_every_threshold_nothing_is_found(change: dict[str, float]) -> None:
    found = decide(probes(change), EVERYTHING)
    assert found.level == "none"
    assert found.text.startswith("No failure found by these probes: ")
    assert found.not_tested


def test_another_shift_than_of_the_amount_is_a_warning() -> None:
    alone = decide(probes({}, {"shift": 0.10}), EVERYTHING)
    assert alone.level == "amber" and len(alone.reasons) == 1
    for broken in ({"shift": 0.5}, {"calibration": 0.5}):
        leaning = decide(probes({"swap": 0.9}, broken), EVERYTHING)
        assert leaning.level == "amber" and len(leaning.reasons) == 2
    # the same loss is not told twice, two losses are
    assert len(decide(probes({"shift": 0.3}, {"shift": 0.3}), EVERYTHING).reasons) == 1
    assert len(decide(probes({"shift": 0.2}, {"shift": 0.3}), EVERYTHING).reasons) == 2


def test_without_a_change_of_the_amount_the_worst_is_a_warning() -> None:
    found = decide(probes({"shift": math.nan, "swap": 0.9}, {"shift": 0.3}), EVERYTHING)
    assert found.level == "amber" and len(found.reasons) == 2


@pytest.mark.parametrize("name", ["one_number", "shuffle"])
def test_what_too_few_patches_could_not_tell_is_named(name: str) -> None:
    found = decide(probes({name: math.nan}), EVERYTHING)
    assert sum("too few patches" in each for each in found.not_tested) == 1
    assert not any("too few patches" in each for each in decide(probes(), EVERYTHING).not_tested)


@pytest.mark.parametrize("scope", [replace(EVERYTHING, groups=False), replace(EVERYTHING, shift=False)])
def test_what_could_not_be_tried_is_amber(scope: AuditScope) -> None:
    assert decide(probes(), scope).level == "amber"


@pytest.mark.parametrize("change", [{}, {"shift": 0.5}, {"swap": 0.9, "shift": 0.5}])
def test_no_verdict_says_safe(change: dict[str, float]) -> None:
    found = decide(probes(change), EVERYTHING)
    words = " ".join((found.text, *found.reasons, *found.not_tested)).lower()
    assert "safe" not in words and "clinical" not in words


def test_a_probe_that_was_not_made_is_named() -> None:
    missing = [each for each in probes() if each.name not in ("shuffle", "noise_floor")]
    found = decide([*missing, probe("noise_floor", math.nan)], replace(EVERYTHING, conflict=False, pictures=False))
    text = " ".join(found.not_tested)
    assert "Shuffled pixels." in text and "The noise_floor" in text
    assert "shortcut says nothing" in text and "stained" in text
    assert "shuffle" not in found.text and "noise_floor" not in found.text
