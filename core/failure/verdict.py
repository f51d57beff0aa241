"""The verdict on one model: red, amber, or no failure found, by the diagnostics that decide."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from core.failure.results import Diagnostic, Verdict
from core.failure.thresholds import CLASS_NOISE, DROP, GAIN, NOISE, RISE, SHUFFLE, SWAP, WITHIN

LIMITS = (
    "Results on simulated tissue are a simulated reproduction of the effect that Oh et al. describe "
    "(arXiv:2605.04231). No number here is theirs.",
    "One family of simulated tissue, small networks, four classes, few seeds; the shortcut's strength is a setting.",
    "The shortcut is hidden from the stained picture on purpose: its stain varies by 35 % between slides.",
    "The picture is sharper than the infrared image, so part of a gap without a shortcut is resolution.",
    "Severities of corruptions of the two sides cannot be compared with each other.",
    "Robustness to noise is no sign of health: a model that has collapsed to one number averages noise away.",
    "Probes can miss a failure. A model without a finding is not a safe model, and nothing here is for clinical use.",
)
"""Limits of every result of the failure lab."""

ALWAYS = (
    "Instruments, laboratories and tissue that are not among the data.",
    "Shortcuts other than one number of the mean spectrum and the noise: two numbers together, stripes, edges, labels.",
    "Whether the chemistry that is used is a legitimate signal: look at its band pattern and ask whether it is stable "
    "across instruments and section thickness.",
)


@dataclass(frozen=True)
class AuditScope:
    """What the data allow to test. groups: patients or slides are known. shift: another site or a corruption was tried.
    conflict: there are patches without the shortcut. pictures: there are stained pictures."""

    groups: bool
    shift: bool
    conflict: bool
    pictures: bool


def decide(diagnostics: Iterable[Diagnostic], scope: AuditScope) -> Verdict:
    """Return the verdict on one model from its ``diagnostics``.

    Red where it leans on one number and fails where the amount of tissue changes, which moves such a number; amber for
    either alone, another shift that breaks it or another warning; else "none" with the diagnostics that were run, never
    that a model is safe.
    """
    found = {each.name: each for each in diagnostics}
    leaning = _reasons(
        found,
        (
            "shuffle",
            "logits",
            SHUFFLE,
            "{value:.0%} of its logits can be told from those of the same patches with their pixels shuffled.",
        ),
        (
            "swap",
            "",
            SWAP,
            "{value:.0%} of its answers follow one number of the mean spectrum put in from another patch.",
        ),
        (
            "one_number",
            "within",
            WITHIN,
            "One number of the mean spectrum explains {value:.0%} of what it answers within a class.",
        ),
    )
    failing = _reasons(
        found,
        (
            "shift",
            "amount",
            DROP,
            "It loses {value:.0%} of accuracy where the tissue is the same and thickness, stain or slides are not.",
        ),
    )
    warnings = _reasons(
        {name: each for name, each in found.items() if _beyond_amount(each)},
        ("shift", "", DROP, "It loses {value:.0%} of accuracy under another change that leaves the tissue as it is."),
    )
    warnings += _reasons(
        found,
        ("calibration", "", RISE, "Its calibration error rises by {value:.2f} under a shift: sure and wrong."),
        ("noise_floor", "", NOISE, "{value:.0%} of its answers follow the noise floor of another patch."),
        (
            "class_noise",
            "",
            CLASS_NOISE,
            "The class explains {value:.0%} of the signal-to-noise ratio: noise leaks it.",
        ),
    )
    if "gain" in found and found["gain"].figure.value < GAIN:
        warnings.append(
            f"It is {_signed(found['gain'].figure.value)} better than the best plain classifier: "
            "its capacity is unused."
        )
    if not scope.groups:
        warnings.append("No patients or slides are known, so the test may know the training.")
    if not scope.shift:
        warnings.append("No shift could be tried.")
    return _verdict(leaning, failing, warnings, tuple(_untested(found, scope)), list(found.values()))


def _verdict(
    leaning: list[str], failing: list[str], warnings: list[str], untested: tuple[str, ...], tried: list[Diagnostic]
) -> Verdict:
    if leaning and failing:
        text = "1-D failure: the model leans on one number of the mean spectrum, and fails when it changes."
        return Verdict("red", text, (*leaning, *failing, *warnings), untested)
    if leaning or failing or warnings:
        if leaning:
            text = "The model leans on one number of the mean spectrum; no change of it that was tried broke the model."
        elif failing:
            text = "The model fails under a shift; no probe says that it leans on one number of the mean spectrum."
        else:
            text = "No 1-D failure was found, but something else calls for care."
        return Verdict("amber", text, (*leaning, *failing, *warnings), untested)
    names = ", ".join(f"{each.code} {each.title[0].lower()}{each.title[1:]}" for each in tried if _used(each))
    return Verdict("none", f"No failure found by these probes: {names}.", (), untested)


def _reasons(found: dict[str, Diagnostic], *rules: tuple[str, str, float, str]) -> list[str]:
    """Return the sentence of each rule (diagnostic, its further figure or "", threshold, sentence) that is met."""
    met = []
    for name, part, threshold, sentence in rules:
        if name in found:
            figure = found[name].figures[part] if part else found[name].figure
            if figure.value >= threshold:
                met.append(sentence.format(value=figure.value))
    return met


def _beyond_amount(diagnostic: Diagnostic) -> bool:
    """Return whether a shift other than of the amount of tissue costs most accuracy, for a diagnostic of shifts."""
    amount = diagnostic.figures.get("amount")
    return amount is not None and not amount.value >= diagnostic.figure.value


def _untested(found: dict[str, Diagnostic], scope: AuditScope) -> Iterable[str]:
    yield from ALWAYS
    if not scope.conflict:
        yield "Patches in which the shortcut says nothing: only a simulation has them."
    if not scope.groups:
        yield "New patients or slides."
    if not scope.pictures:
        yield "The same tissue stained."
    for each in found.values():
        if each.decides and not math.isfinite(each.figure.value):
            yield f"{each.title}: {each.reason}"
    for name, (part, words) in _FITTED_PARTS.items():
        if name in found and not math.isfinite(found[name].figures[part].value):
            yield f"{words}: too few patches for so many classes."
    for name, words in _REQUIRED.items():
        if name not in found:
            yield words


_FITTED_PARTS = {
    "one_number": ("within", "What one number of the mean spectrum explains within a class"),
    "shuffle": ("logits", "What can be told of the logits with the pixels shuffled"),
}
_REQUIRED = {
    "shuffle": "Shuffled pixels.",
    "swap": "Swapped scores.",
    "one_number": "How much one number of the mean spectrum explains.",
    "noise_floor": "Swapped noise.",
}


def _used(diagnostic: Diagnostic) -> bool:
    return diagnostic.decides and math.isfinite(diagnostic.figure.value)


def _signed(value: float) -> str:
    return f"{100 * value:+.1f} points"
