"""The verdict on the data, before any model: leakage between patients, and noise that reveals the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.failure.data.modality import TITLES
from core.failure.results import Diagnostic, Verdict
from core.failure.thresholds import CLASS_NOISE, LEAK

LEAKING = "Leakage: spectra of one patient or slide are known again, so a random split makes accuracy too high."
NO_LEAKAGE = "No leakage found: spectra of known patients or slides are told no better than those of new ones."
NOISE_ALONE = "The noise carries the class."


def judge_data(leaks: Sequence[Diagnostic], noise: Mapping[str, Diagnostic]) -> Verdict | None:
    """Return the verdict on the data, None where nothing was measured that says anything.

    leaks: of ``leakage``. noise: ``class_noise`` of each modality. Amber where a classifier gains at least LEAK, for
    certain, from knowing the patient, or the class explains CLASS_NOISE of a modality's signal-to-noise ratio. The
    classifier that is named is the one that a random split makes look best.
    """
    leaking = [each for each in leaks if each.figure.low >= LEAK]
    named = max(leaking or leaks, key=lambda each: each.figures["by_spectrum"].value, default=None)
    noisy = {side: each for side, each in noise.items() if each.figure.value >= CLASS_NOISE}
    reasons = [
        f"{TITLES[side]}: the class explains {each.figure.value:.0%} of the signal-to-noise ratio, so noise alone can "
        "reveal it."
        for side, each in noisy.items()
    ]
    if named is None:
        return Verdict("amber", NOISE_ALONE, tuple(reasons), ()) if reasons else None
    level = "amber" if leaking or reasons else "none"
    return Verdict(level, LEAKING if leaking else NO_LEAKAGE, (_gap(named), *reasons), ())


def _gap(leak: Diagnostic) -> str:
    mixed, apart, common = (leak.figures[name].value for name in ("by_spectrum", "by_group", "majority"))
    return (
        f"{leak.title}: accuracy {mixed:.2f} when patients or slides are split at random, {apart:.2f} on new ones; the "
        f"commonest class is {common:.2f}."
    )
