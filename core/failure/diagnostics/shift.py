"""Accuracy and calibration under corruptions of rising severity and on other slides (D12)."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

import numpy as np

from core.failure.corruptions.registry import CORRUPTIONS, corruptions_of
from core.failure.corruptions.shift_words import LOSS, MILD, changes_amount, title_of
from core.failure.data.dataset import CONFLICT, HOME
from core.failure.diagnostics.calibration import expected_error, probabilities
from core.failure.diagnostics.model_under_test import Float, ModelUnderTest
from core.failure.results import Corrupted, Diagnostic
from core.failure.thresholds import DROP
from core.measure.intervals import Interval


def corruption_curves(
    model: ModelUnderTest,
    modality: str,
    positions: Sequence[float],
    severities: Sequence[int],
    *,
    of_raman: bool = False,
) -> Generator[str, None, tuple[Corrupted, ...]]:
    """Return the model's accuracy and calibration error under every corruption, severity 0 first; yield each name.

    positions: (C,) wavenumbers in cm^-1; severities: 1 to 5; of_raman: whether the spectra are Raman spectra.
    Normalised spectra are not scaled and derivatives get nothing added; the others are changed in the range of
    absorbance and normalised again.
    """
    own = model.normalisation
    clean = _measure(model, model.values)
    found = []
    corruptions = corruptions_of(
        modality, model.spatial, of_raman=of_raman, scaled=not own.kind, absolute=not own.derivative
    )
    for name, corruption in corruptions.items():
        yield f"corruption: {corruption.title.lower()}"
        rows = [clean, *(_measure(model, corrupted(model, name, positions, severity)) for severity in severities)]
        accuracy, error = zip(*rows, strict=True)
        # a microscope can blur, but blur removes the form that a healthy model needs
        counted = corruption.physical and not corruption.spatial
        found.append(Corrupted(name, counted, (0, *severities), tuple(accuracy), tuple(error)))
    return tuple(found)


def corrupted(model: ModelUnderTest, name: str, positions: Sequence[float], severity: int) -> Float:
    """Return the held-out patches (N, C, H, W) under the corruption ``name``, in the range of absorbance; positions:
    (C,) wavenumbers in cm^-1."""
    given, rng = model.normalisation.as_absorbance(model.values), model.rng(f"{name} {severity}")
    return CORRUPTIONS[name].apply(given, np.asarray(positions, np.float64), severity, rng)


def worst_corruption(curves: Sequence[Corrupted]) -> str:
    """Return the physical corruption that costs most accuracy at severity 3, "" without any."""
    lost = {each.name: _loss(each) for each in curves if each.physical}
    return max(lost, key=lost.__getitem__, default="")


def worst_drop(curves: Sequence[Corrupted], accuracy: Mapping[str, Interval]) -> Diagnostic:
    """Return D12: the largest loss of accuracy under a physical corruption of severity 3, or on other slides.

    Other slides: a set other than "id" and "conflict". amount: the largest loss where the amount of tissue changes.
    balanced_error, relative_error: mean error over all corruptions and severities, and that less the error without
    any (as in MedMNIST-C, not divided by a reference network's). noise: the loss under noise.
    """
    drops = {name: accuracy[HOME].value - each.value for name, each in accuracy.items() if name not in (HOME, CONFLICT)}
    drops |= {each.name: _loss(each) for each in curves if each.physical}
    errors = [1 - value for each in curves for value in each.accuracy[1:]]
    further: dict[str, Interval] = {}
    if errors:
        mean = float(np.mean(errors))
        further = {"balanced_error": Interval(mean), "relative_error": Interval(mean - (1 - curves[0].accuracy[0]))}
    further |= {each.name: Interval(_loss(each)) for each in curves if each.name in ("noise", "rgb_noise")}
    return loss_of({name: Interval(value) for name, value in drops.items()}, further)


def loss_of(drops: Mapping[str, Interval], further: Mapping[str, Interval]) -> Diagnostic:
    """Return D12 of the accuracy lost under each shift. further: figures that name no shift."""
    nothing = Interval(float("nan"))
    worst = max(drops, key=lambda name: drops[name].value, default="")
    found = {f"{LOSS}{name}": value for name, value in drops.items()}
    amounts = [drops[name] for name in drops if changes_amount(name)]
    found["amount"] = max(amounts, key=lambda each: each.value, default=nothing)
    why = (
        f"Decides by the amount, from {DROP:.2f}: thickness, stain or slides are others and the tissue is the same; "
        "other changes are a warning. Noise does not count: a collapsed model averages it away and is among the most "
        "robust."
    )
    title = f"Largest loss under a shift: {title_of(worst).lower() if worst else 'none'}"
    return Diagnostic("D12", "shift", title, drops.get(worst, nothing), True, why, found | dict(further))


def losses(diagnostic: Diagnostic) -> dict[str, Interval]:
    """Return the accuracy lost under each shift, from D12."""
    figures = diagnostic.figures.items()
    return {name.removeprefix(LOSS): figure for name, figure in figures if name.startswith(LOSS)}


def calibration_errors(curves: Sequence[Corrupted], sets: Mapping[str, Interval]) -> dict[str, Interval]:
    """Return the calibration error of each set but the conflict, and that of each physical corruption of severity 3."""
    found = {name: figure for name, figure in sets.items() if name != CONFLICT}
    for each in curves:
        if each.physical:
            # from the same patches as severity 0, which may be fewer than the set has
            found[each.name] = Interval(sets[HOME].value + each.ece[_mild(each)] - each.ece[0])
    return found


def _loss(each: Corrupted) -> float:
    return each.accuracy[0] - each.accuracy[_mild(each)]


def _mild(each: Corrupted) -> int:
    """Return the place of severity 3 in a curve, or of the highest below it."""
    return max(place for place, severity in enumerate(each.severities) if severity <= MILD)


def _measure(model: ModelUnderTest, values: Float) -> tuple[float, float]:
    predicted = probabilities(model.logits_of(values))
    correct = (predicted.argmax(axis=1) == model.outcomes.labels).astype(np.float64)
    error = expected_error(predicted.max(axis=1), correct, np.ones((1, len(correct))))
    return float(correct.mean()), float(error[0])
