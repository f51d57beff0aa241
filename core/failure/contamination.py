"""Contamination sweep: accuracy by the share of training patches that carry a confounder, planted on purpose."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

import numpy as np

from core.events import Progress, changed
from core.failure.diagnostics.battery import ModalityFits
from core.failure.models.plain_classifiers import KNOWN, Labelled, Predict
from core.failure.models.remedies import REMEDIES
from core.failure.models.training import Epoch, fit, training_set
from core.failure.results import Diagnostic, Line
from core.measure.bootstrap import interval, mean
from core.measure.intervals import Interval
from core.spectra.patches import PatchSet

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
STRENGTH, SPREAD = 0.4, 0.05
"""The confounder is a factor e^s of absorbance, s from -STRENGTH / 2 to STRENGTH / 2 over the classes, with deviation
SPREAD: that of the simulated density."""
PLAIN = ("discriminant", "emsc", "forest")

Train = Callable[[PatchSet], Generator[Progress, None, Predict]]


def plant(patches: PatchSet, share: float, rng: np.random.Generator) -> PatchSet:
    """Return ``patches`` with the confounder: of ``share`` of them it is that of their class, of the others that of a
    class at random."""
    classes = len(patches.classes)
    carries = rng.random(len(patches)) < share
    kind = np.where(carries, patches.labels, rng.integers(classes, size=len(patches)))
    level = STRENGTH * (kind / max(1, classes - 1) - 0.5) + SPREAD * rng.standard_normal(len(patches))
    return replace(patches, ir=patches.ir * np.exp(level).astype(np.float32)[:, None, None, None])


def sweep(fits: ModalityFits, epochs: int, device: str) -> Generator[Progress, None, tuple[Diagnostic, ...]]:
    """Return the sweep of the plain CNN (of images) and of plain classifiers on the infrared side, one diagnostic each,
    none for normalised spectra; yield progress without a fraction of its own.

    Each is trained at every share of ``SHARES`` and tested on the home patches twice: with the confounder of their
    class, and at random.
    """
    found: list[Diagnostic] = []
    if fits.normalisation.kind:
        return ()
    if fits.dataset.spatial:
        network = yield from _swept("ir-erm", "IR: Plain training", fits, _network(fits, epochs, device))
        found.append(network)
    for name in PLAIN:
        one = yield from _swept(f"ir-{name}", KNOWN[name].title, fits, _classifier(name))
        found.append(one)
    return tuple(found)


NORMALISED = "The contamination sweep was left out: normalised spectra have no thickness to plant."


def _swept(name: str, title: str, fits: ModalityFits, train: Train) -> Generator[Progress, None, Diagnostic]:
    home, rng = fits.dataset.tests["id"], np.random.default_rng([fits.seed, 18])
    aligned, random = plant(home, 1.0, rng), plant(home, 0.0, rng)
    weights = fits.weights("id")
    right: dict[str, list[np.ndarray]] = {"aligned": [], "random": []}
    for share in SHARES:
        yield Progress(0.97, 0, 1, f"Contamination, {title}: {share:.0%}")
        predict = yield from train(plant(fits.dataset.train, share, np.random.default_rng([fits.seed, 17])))
        for each, patches in (("aligned", aligned), ("random", random)):
            right[each].append((predict(patches.ir).argmax(axis=1) == home.labels).astype(np.float64))
    gaps = [one - other for one, other in zip(right["aligned"], right["random"], strict=True)]
    found = {f"gap_{share:.0%}": interval(mean(gap, weights)) for share, gap in zip(SHARES, gaps, strict=True)}
    lines = tuple(
        Line(each, SHARES, tuple(float(one.mean()) for one in parts), "share of training patches", "accuracy")
        for each, parts in right.items()
    )
    sensitivity: Interval = interval(mean(np.mean(gaps, axis=0), weights))
    why = "Not used for the verdict: it is of a confounder that was planted, not of one that the data have."
    return Diagnostic("D18", name, title, sensitivity, False, why, found, lines)


def _network(fits: ModalityFits, epochs: int, device: str) -> Train:
    def train(patches: PatchSet) -> Generator[Progress, None, Predict]:
        given = training_set(replace(fits.dataset, train=patches), "ir")
        steps = fit(REMEDIES["erm"], "cnn", given, epochs, fits.seed, device)

        def told(epoch: Epoch) -> Progress:
            text = f"Contamination: epoch {epoch.number} of {epoch.total}"
            return Progress(0.97, epoch.number, epoch.total, text)

        trained = yield from changed(steps, told)
        return trained.logits

    return train


def _classifier(name: str) -> Train:
    def train(patches: PatchSet) -> Generator[Progress, None, Predict]:
        yield from ()
        positions = tuple(map(float, patches.wavenumbers))
        return KNOWN[name].fit(Labelled(patches.ir, patches.labels, len(patches.classes), positions))

    return train
