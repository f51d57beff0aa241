from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from core.failure.results import Diagnostic
from core.failure.verdict import NOTHING_LEARNT, AuditScope, decide
from core.measure.intervals import Interval

EVERYTHING = AuditScope(groups=True, shift=True, conflict=True, pictures=True)


def probe(name: str, value: float, more: Mapping[str, float] | None = None, low: float = math.nan) -> Diagnostic:
    figures = {key: Interval(each) for key, each in (more or {}).items()}
    return Diagnostic("D", name, f"The {name}", Interval(value, low), True, "", figures)


EMPTY: Mapping[str, float] = MappingProxyType({})
# what decides where it is not the figure itself
PARTS = {"shuffle": "logits", "one_number": "within"}
AMOUNT, OTHER = "drop thickness_up", "drop fringe"


def probes(
    values: Mapping[str, float] = EMPTY, worst: Mapping[str, float] = EMPTY, low: float = 0.4
) -> list[Diagnostic]:
    """A healthy model, with some of what decides changed; worst: the figures of shifts that are not of the amount; low:
    the lower bound of its accuracy above the commonest class."""
    healthy = {
        "shuffle": 0.05, "swap": 0.01, "shift": 0.02, "calibration": 0.02, "gain": 0.3, "noise_floor": 0.0,
        "one_number": 0.1,
    }  # fmt: skip
    found = [probe("learnt", low + 0.1, {"accuracy": low + 0.35, "chance": 0.25}, low)]
    for name, value in {**healthy, **values}.items():
        other = worst.get(name, value)
        if name == "shift":
            drops = {} if math.isnan(value) else {AMOUNT: value}
            found.append(probe(name, max(other, 0 if math.isnan(value) else value), {**drops, OTHER: other}))
        elif name == "calibration":
            found.append(probe(name, other, {"id": 0.01, "fringe": 0.01 + other}))
        else:
            found.append(probe(name, value, {PARTS[name]: value} if name in PARTS else {}))
    return found


@pytest.mark.parametrize("leaning", [{"shuffle": 0.45}, {"swap": 0.15}, {"one_number": 0.20}])
def test_leaning_and_failing_is_red(leaning: dict[str, float]) -> None:
    found = decide(probes({**leaning, "shift": 0.10}), EVERYTHING)
    assert found.level == "red"
    assert len(found.reasons) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"shuffle": 0.45}, {"swap": 0.15}, {"one_number": 0.20}, {"shift": 0.10}, {"calibration": 0.10},
        {"gain": 0.019}, {"noise_floor": 0.07},
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


@pytest.mark.parametrize("low", [0.0, -0.2, math.nan])
def test_what_has_learnt_nothing_is_not_judged_by_probes(low: float) -> None:
    found = decide(
        probes({"swap": 0.9, "shuffle": 0.9, "shift": 0.5, "noise_floor": 0.5, "gain": -0.3}, {}, low), EVERYTHING
    )
    assert (found.level, found.text) == ("unlearnt", NOTHING_LEARNT)
    assert len(found.reasons) == 1 and "commonest class gives 0.25" in found.reasons[0]
    assert NOTHING_LEARNT == "This model has learnt nothing; no probe means anything."


def test_a_linear_model_of_two_classes_is_not_judged_for_leaning() -> None:
    leaning = probes({"swap": 0.9, "one_number": 0.9})
    found = decide(leaning, replace(EVERYTHING, by_construction=True))
    assert found.level == "none" and any("one number by construction" in each for each in found.not_tested)
    assert decide(leaning, EVERYTHING).level == "amber"


def test_sentences_name_the_change_and_points() -> None:
    found = decide(probes({"shift": 0.76, "gain": -0.034}, {"calibration": 0.3}), EVERYTHING)
    assert "It loses 76 points of accuracy when the section is thicker, severity 3." in found.reasons
    assert "It is 3.4 points worse than the best plain classifier: its capacity is unused." in found.reasons
    assert (
        "Its calibration error rises by 0.30 when interference fringes are added, severity 3: it is sure and wrong."
        in (found.reasons)
    )
    other = decide(probes({}, {"shift": 0.4}), EVERYTHING)
    assert other.reasons == ("It loses 40 points of accuracy when interference fringes are added, severity 3.",)


def test_spectra_have_words_of_their_own() -> None:
    scope = replace(EVERYTHING, spatial=False, pictures=False, normalised="to its norm")
    found = decide(probes({"swap": 0.9, "one_number": 0.9}), scope)
    words = " ".join((found.text, *found.reasons, *found.not_tested))
    assert "patch" not in words and "mean spectrum" not in words and "pixels" not in words and "stained" not in words
    assert "normalised to its norm" in words
    assert "mean colour" in decide(probes({"swap": 0.9}), replace(EVERYTHING, modality="rgb")).text


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
    assert "shortcut carries no class" in text and "stained" in text
    assert "shuffle" not in found.text and "noise_floor" not in found.text
