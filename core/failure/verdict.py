"""Red, amber, or no failure found: what the deciding probes add up to, and what they cannot know."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.failure.results import Diagnostic, Verdict

SHUFFLE, SWAP, WITHIN = 0.45, 0.15, 0.20
DROP, RISE = 0.10, 0.10
GAIN = 0.02
NOISE = 0.07
"""Of 222 networks, those with SNV or an amide I norm on a density cue that is not weak have 0.077 to 0.30, one of 18
0.039, and lose 0.15 to 0.48 of their accuracy once density says nothing, though shuffling pixels costs them all; of
the others one has more than 0.07, SNV on a weak cue."""
CLASS_NOISE = 0.10

ALWAYS = (
    "Instruments, laboratories and tissue that are not among the data.",
    "Shortcuts other than one number of the mean spectrum and the noise: two numbers together, stripes, edges, labels.",
    "Whether the chemistry that is used is a legitimate signal: look at its band pattern and ask whether it is stable "
    "across instruments and section thickness.",
)


@dataclass(frozen=True)
class Known:
    """What the data allow to be tested. groups: patients or slides are known; shift: another site or a corruption of
    the scans was tried; conflict: there are patches without the shortcut."""

    groups: bool
    shift: bool
    conflict: bool
    pictures: bool


def decide(diagnostics: Iterable[Diagnostic], known: Known) -> Verdict:
    """Return the verdict on one model: red when it leans on one number and fails where the amount of tissue changes,
    which moves such a number; amber for either alone, another shift that breaks it or another warning; else the
    sentence that names what was tried. Never that a model is safe."""
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
    if not known.groups:
        warnings.append("No patients or slides are known, so the test may know the training.")
    if not known.shift:
        warnings.append("No shift could be tried.")
    return _verdict(leaning, failing, warnings, tuple(_untested(found, known)), list(found.values()))


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
    """Return the sentence of each rule (probe, its further figure or "", threshold, sentence) that is met."""
    met = []
    for name, part, threshold, sentence in rules:
        if name in found:
            figure = found[name].figures[part] if part else found[name].figure
            if figure.value >= threshold:
                met.append(sentence.format(value=figure.value))
    return met


def _beyond_amount(diagnostic: Diagnostic) -> bool:
    """Return whether something else than the amount of tissue did most harm, for a probe of shifts."""
    amount = diagnostic.figures.get("amount")
    return amount is not None and not amount.value >= diagnostic.figure.value


def _untested(found: dict[str, Diagnostic], known: Known) -> Iterable[str]:
    yield from ALWAYS
    if not known.conflict:
        yield "Patches in which the shortcut says nothing: only a simulation has them."
    if not known.groups:
        yield "New patients or slides."
    if not known.pictures:
        yield "The same tissue stained."
    for each in found.values():
        if each.decides and not math.isfinite(each.figure.value):
            yield f"{each.title}: {each.reason}"
    for name, (part, words) in _FITTED.items():
        if name in found and not math.isfinite(found[name].figures[part].value):
            yield f"{words}: too few patches for so many classes."
    for name, words in _PROBES.items():
        if name not in found:
            yield words


_FITTED = {
    "one_number": ("within", "What one number of the mean spectrum explains within a class"),
    "shuffle": ("logits", "What can be told of the logits with the pixels shuffled"),
}
_PROBES = {
    "shuffle": "Shuffled pixels.",
    "swap": "Swapped scores.",
    "one_number": "How much one number of the mean spectrum explains.",
    "noise_floor": "Swapped noise.",
}


def _used(diagnostic: Diagnostic) -> bool:
    return diagnostic.decides and math.isfinite(diagnostic.figure.value)


def _signed(value: float) -> str:
    return f"{100 * value:+.1f} points"


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the gravest of several verdicts, the first of equals."""
    order = ("red", "amber", "none")
    return min(verdicts, key=lambda each: order.index(each.level))
