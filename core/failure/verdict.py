"""The verdict on one model: nothing learnt, red, amber, or no failure found, by the diagnostics that decide."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from core.failure.corruptions.shift_words import changes_amount, when
from core.failure.data.dataset import HOME
from core.failure.diagnostics.shift import losses
from core.failure.results import Diagnostic, Verdict
from core.failure.thresholds import DROP, GAIN, NOISE, RISE, SHUFFLE, SWAP, WITHIN
from core.failure.wording import worded_verdict

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

NOTHING_LEARNT = "This model has learnt nothing; no probe means anything."

ALWAYS = (
    "Instruments, laboratories and tissue that are not among the data.",
    "Shortcuts other than one number of the mean spectrum and the noise: two numbers together, stripes, edges, labels.",
    "Whether the chemistry that is used is a legitimate signal: look at its band pattern and ask whether it is stable "
    "across instruments and section thickness.",
)


@dataclass(frozen=True)
class AuditScope:
    """What the data and the model allow to test. groups: patients or slides are known. shift: another site or a
    corruption was tried. conflict: there are patches without the shortcut. pictures: there are stained pictures.

    modality: "ir" or "rgb". spatial: whether a patch is more than a spectrum. normalised: how the spectra were
    normalised, in words, or "". by_construction: whether the model is linear in the mean spectrum and has two classes,
    so that its answers are one number whatever it learnt.
    """

    groups: bool
    shift: bool
    conflict: bool
    pictures: bool
    modality: str = "ir"
    spatial: bool = True
    normalised: str = ""
    by_construction: bool = False


def decide(diagnostics: Iterable[Diagnostic], scope: AuditScope) -> Verdict:
    """Return the verdict on one model from its ``diagnostics``.

    "unlearnt" where its accuracy is not above the commonest class. Red where it leans on one number and fails where
    the amount of tissue changes, which moves such a number; amber for either alone, another shift that breaks it or
    another warning; else "none" with the diagnostics that were run, never that a model is safe.
    """
    found = {each.name: each for each in diagnostics}
    untested = tuple(_untested(found, scope))
    if not found["learnt"].figure.low > 0:
        given = Verdict("unlearnt", NOTHING_LEARNT, (_accuracy(found["learnt"]),), untested)
    else:
        leaning = [] if scope.by_construction else _reasons(found, _LEANING)
        failing, warnings = _losses(found)
        warnings += [*_reasons(found, _WARNINGS), *_gain(found), *_unknown(scope)]
        given = _verdict(leaning, failing, warnings, untested, list(found.values()))
    return worded_verdict(given, scope.modality, scope.spatial)


def _verdict(
    leaning: list[str], failing: list[str], warnings: list[str], untested: tuple[str, ...], tried: list[Diagnostic]
) -> Verdict:
    reasons = (*leaning, *failing, *warnings)
    if leaning and failing:
        text = "1-D failure: the model leans on one number of the mean spectrum, and fails when it changes."
        return Verdict("red", text, reasons, untested)
    if reasons:
        if leaning:
            text = "The model leans on one number of the mean spectrum; no change of it that was tried broke the model."
        elif failing:
            text = "The model fails under a shift; no probe found that it leans on one number of the mean spectrum."
        else:
            text = "No 1-D failure was found, but something else calls for care."
        return Verdict("amber", text, reasons, untested)
    names = ", ".join(f"{each.code} {each.title[0].lower()}{each.title[1:]}" for each in tried if _used(each))
    return Verdict("none", f"No failure found by these probes: {names}.", (), untested)


# diagnostic, its further figure or "", threshold, sentence
_Rule = tuple[str, str, float, str]
_LEANING: tuple[_Rule, ...] = (
    (
        "shuffle",
        "logits",
        SHUFFLE,
        "{value:.0%} of the variance of its answers is still there when the pixels of a patch are shuffled.",
    ),
    ("swap", "", SWAP, "{value:.0%} of its answers follow one number of the mean spectrum put in from another patch."),
    (
        "one_number",
        "within",
        WITHIN,
        "One number of the mean spectrum explains {value:.0%} of what it answers within a class.",
    ),
)
_WARNINGS: tuple[_Rule, ...] = (
    ("noise_floor", "", NOISE, "{value:.0%} of its answers follow the noise of another patch."),
)


def _reasons(found: dict[str, Diagnostic], rules: Iterable[_Rule]) -> list[str]:
    """Return the sentence of each rule that is met."""
    met = []
    for name, part, threshold, sentence in rules:
        if name in found:
            figure = found[name].figures[part] if part else found[name].figure
            if figure.value >= threshold:
                met.append(sentence.format(value=figure.value))
    return met


def _accuracy(learnt: Diagnostic) -> str:
    accuracy, chance = learnt.figures["accuracy"], learnt.figures["chance"].value
    between = f" (95 % interval {accuracy.low:.2f} to {accuracy.high:.2f})" if math.isfinite(accuracy.low) else ""
    return f"Its accuracy is {accuracy.value:.2f}{between}; always naming the commonest class gives {chance:.2f}."


def _losses(found: dict[str, Diagnostic]) -> tuple[list[str], list[str]]:
    """Return the sentences on the worst change of the amount of tissue, which is failing, and on another change that
    costs more, and on the rise of the calibration error, which are warnings."""
    lost = {name: each.value for name, each in losses(found["shift"]).items()} if "shift" in found else {}
    amount = {name: value for name, value in lost.items() if changes_amount(name)}
    worst, other = (max(each, key=each.__getitem__, default="") for each in (amount, lost))
    failing = [f"{_lost(amount[worst])} {when(worst)}."] if worst and amount[worst] >= DROP else []
    warnings = []
    if other and other != worst and lost[other] >= DROP and lost[other] > amount.get(worst, -math.inf):
        warnings.append(f"{_lost(lost[other])} {when(other)}.")
    if "calibration" in found and (rise := found["calibration"].figure.value) >= RISE:
        errors = {name: each.value for name, each in found["calibration"].figures.items() if name != HOME}
        most = max(errors, key=errors.__getitem__)
        warnings.append(f"Its calibration error rises by {rise:.2f} {when(most)}: it is sure and wrong.")
    return failing, warnings


def _lost(value: float) -> str:
    return f"It loses {100 * value:.0f} points of accuracy"


def _gain(found: dict[str, Diagnostic]) -> Iterable[str]:
    if "gain" in found and found["gain"].figure.value < GAIN:
        points = 100 * found["gain"].figure.value
        side = "better" if points >= 0 else "worse"
        yield f"It is {abs(points):.1f} points {side} than the best plain classifier: its capacity is unused."


def _unknown(scope: AuditScope) -> Iterable[str]:
    if not scope.groups:
        yield "No patients or slides are known, so test and training may share them."
    if not scope.shift:
        yield "No shift could be tried."


def _untested(found: dict[str, Diagnostic], scope: AuditScope) -> Iterable[str]:
    yield from ALWAYS
    yield from _out_of_scope(scope)
    for each in found.values():
        if each.decides and not math.isfinite(each.figure.value):
            yield f"{each.title}: {each.reason}"
    for name, (part, words) in _FITTED_PARTS.items():
        if name in found and not math.isfinite(found[name].figures[part].value):
            yield f"{words}: too few patches for so many classes."
    for name, words in (_REQUIRED | (_REQUIRED_OF_IMAGES if scope.spatial else {})).items():
        if name not in found:
            yield words


def _out_of_scope(scope: AuditScope) -> Iterable[str]:
    if scope.by_construction:
        yield (
            "Whether it leans on one number: a model of two classes that is linear in the mean spectrum is one number "
            "by construction."
        )
    if scope.normalised:
        yield (
            f"Another thickness or laser power: each spectrum came normalised {scope.normalised}, which takes them "
            "out. Other changes were normalised again."
        )
    if not scope.conflict:
        yield "Patches in which the shortcut carries no class: only a simulation has them."
    if not scope.groups:
        yield "New patients or slides."
    if scope.spatial and not scope.pictures:
        yield "The same tissue stained."


_FITTED_PARTS = {
    "one_number": ("within", "What one number of the mean spectrum explains within a class"),
    "shuffle": ("logits", "What is left of the answers with the pixels shuffled"),
}
_REQUIRED = {"swap": "Swapped scores.", "one_number": "How much one number of the mean spectrum explains."}
_REQUIRED_OF_IMAGES = {"shuffle": "Shuffled pixels.", "noise_floor": "Swapped noise."}


def _used(diagnostic: Diagnostic) -> bool:
    return diagnostic.decides and math.isfinite(diagnostic.figure.value)
