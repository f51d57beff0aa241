from __future__ import annotations

from core.failure.data_verdict import LEAKING, NO_LEAKAGE, NOISE_ALONE, judge_data
from core.failure.results import Diagnostic
from core.measure.intervals import Interval


def leak(title: str, mixed: float, apart: float, low: float) -> Diagnostic:
    figures = {"by_spectrum": Interval(mixed), "by_group": Interval(apart), "majority": Interval(0.45)}
    return Diagnostic("LEAK", title, title, Interval(mixed - apart, low), False, "", figures)


def noise(value: float) -> Diagnostic:
    return Diagnostic("D16", "ir-class_noise", "Noise", Interval(value), True, "")


def test_leakage_heads_the_verdict_with_the_figure_that_would_have_been_reported() -> None:
    found = judge_data([leak("Nearest spectrum", 0.88, 0.26, 0.4), leak("Linear discriminant", 0.97, 0.55, 0.2)], {})
    assert found is not None and (found.level, found.text) == ("amber", LEAKING)
    assert found.reasons == (
        "Linear discriminant: accuracy 0.97 when patients or slides are split at random, 0.55 on new ones; the "
        "commonest class is 0.45.",
    )


def test_a_grouped_set_that_does_not_leak_has_its_head_too() -> None:
    found = judge_data([leak("Linear discriminant", 0.96, 0.95, -0.01)], {"ir": noise(0.09)})
    assert found is not None and (found.level, found.text) == ("none", NO_LEAKAGE)


def test_noise_that_carries_the_class_is_of_the_data_and_said_once() -> None:
    found = judge_data([], {"ir": noise(0.34), "rgb": noise(0.02)})
    assert found is not None and (found.level, found.text) == ("amber", NOISE_ALONE)
    assert found.reasons == ("IR: the class explains 34% of the signal-to-noise ratio, so noise alone can reveal it.",)
    assert judge_data([], {"ir": noise(0.09)}) is None
