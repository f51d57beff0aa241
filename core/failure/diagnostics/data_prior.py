"""Descriptors of the data before any model is trained (D16)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.failure.chance import chance_of
from core.failure.diagnostics.logits import Floats
from core.failure.results import Diagnostic, Line
from core.failure.thresholds import CLASS_NOISE
from core.measure.bootstrap import draw_weights, interval, mean, ratio
from core.measure.intervals import Interval
from core.spectra.noise import has_noise_of_each, noise_of_each

Float = NDArray[np.float32]
Ints = NDArray[np.int64]


def first_component(points: NDArray[np.floating], weights: Floats) -> Floats:
    """Return the share of variance of the first principal component of ``points`` (N, C), for each row of weights."""
    found = []
    for row in weights:
        total = max(row.sum(), 1e-12)
        centred = points - row @ points / total
        values = np.linalg.eigvalsh((centred * row[:, None]).T @ centred)
        found.append(values[-1] / max(values.sum(), 1e-30))
    return np.asarray(found)


def spectrum_prior(values: Float, groups: Ints | None, draws: int) -> Diagnostic:
    """Return D16: share of variance of the first component of the mean spectra; pixel: of the pixels; condition:
    root of the ratio of the largest to the smallest eigenvalue of the pixels."""
    means = values.mean(axis=(2, 3), dtype=np.float64)
    weights = draw_weights(len(means), groups, draws)
    flat = values.transpose(0, 2, 3, 1).reshape(-1, values.shape[1])[:: max(1, values[:, 0].size // 40_000)]
    eigen = np.linalg.eigvalsh(np.cov(flat.astype(np.float64), rowvar=False))
    why = "Not used for the verdict: a strong first component makes a shortcut easy, it does not make one."
    return Diagnostic(
        "D16",
        "prior",
        "Share of the first component of the mean spectra",
        interval(first_component(means, weights)),
        False,
        why,
        {
            "pixel": Interval(float(eigen[-1] / eigen.sum())),
            "condition": Interval(float(np.sqrt(eigen[-1] / max(float(eigen[0]), 1e-30)))),
        },
    )


def one_of_all(one: Floats, every: Floats, weights: Floats) -> Diagnostic:
    """Return D16: accuracy of one number of the mean spectrum over that of all bands.

    one, every: (N,) 1 for a correct answer, else 0. weights: (1 + draws, N).
    """
    why = "Not used for the verdict: near 1, chemistry in the mean is all a plain classifier uses."
    return Diagnostic(
        "D16",
        "one_of_all",
        "Accuracy of one number over that of all bands",
        interval(ratio(one, every, weights)),
        False,
        why,
        {"one": interval(mean(one, weights)), "all": interval(mean(every, weights))},
    )


def fisher(values: Float, labels: Ints, positions: tuple[float, ...], axis: str = "") -> Diagnostic:
    """Return D16: largest Fisher ratio of a band, variance between class means over variance within; the line has each.

    values: (N, C, H, W). positions: (C,) wavenumbers in cm^-1, or numbers of colours. axis: what
    they are called.
    """
    means = values.mean(axis=(2, 3), dtype=np.float64)
    overall, between, within = means.mean(axis=0), 0.0, 0.0
    for kind in np.unique(labels):
        own = means[labels == kind]
        between = between + len(own) * (own.mean(axis=0) - overall) ** 2
        within = within + ((own - own.mean(axis=0)) ** 2).sum(axis=0)
    ratios = np.asarray(between / np.maximum(within, 1e-30))
    line = Line("fisher", positions, tuple(map(float, ratios)), axis, "between / within")
    why = "Not used for the verdict: it names the bands whose mean tells the classes."
    return Diagnostic(
        "D16", "fisher", "Largest Fisher ratio of a band", Interval(float(ratios.max())), False, why, {}, (line,)
    )


def class_noise(
    values: Float, labels: Ints, classes: tuple[str, ...], noise: Floats, groups: Ints | None, draws: int
) -> Diagnostic:
    """Return D16: share of the variance of the patches' signal-to-noise ratio (dB) that lies between classes.

    Noise of one size over signals of different size, or noise of different size, reveals the class to a network whose
    preprocessing removes the signal itself. The line has the mean ratio of each class. Not measured where the noise of
    each patch cannot be told.
    """
    title = "Signal-to-noise ratio that the class explains"
    if not has_noise_of_each(values):
        why = "Not measured: it needs 12 bands and 4 pixels of each patch."
        return Diagnostic("D16", "class_noise", title, Interval(float("nan")), False, why)
    signal = np.maximum(np.abs(values.mean(axis=(1, 2, 3), dtype=np.float64)), 1e-6)
    level = 20 * np.log10(signal / (noise_of_each(values, noise) * float(noise.mean())))
    weights = draw_weights(len(level), groups, draws)
    members = np.eye(len(classes))[labels]
    counts, sums = weights @ members, weights @ (members * level[:, None])
    total = weights.sum(axis=1)
    middle = (weights @ level) / total
    between = (counts * (sums / np.maximum(counts, 1e-12) - middle[:, None]) ** 2).sum(axis=1)
    every = weights @ level**2 - total * middle**2
    line = Line(
        "snr",
        tuple(map(float, range(len(classes)))),
        tuple(map(float, sums[0] / np.maximum(counts[0], 1e-12))),
        "class",
        "signal to noise, dB",
    )
    why = f"Decides about the data: from {CLASS_NOISE} the noise itself tells the classes apart."
    return Diagnostic(
        "D16",
        "class_noise",
        title,
        interval(between / np.maximum(every, 1e-12)),
        True,
        why,
        {},
        (line,),
    )


def class_by_group(labels: Ints, groups: Ints | None, classes: int) -> Diagnostic:
    """Return D16: accuracy of predicting the commonest class of each group, above chance (0) and up to 1."""
    title, why = "Class that the group alone tells", "Not used for the verdict: a reason to split by group."
    if groups is None:
        return Diagnostic("D16", "crossing", title, Interval(float("nan")), False, "Not measured: no groups are known.")
    numbers = np.unique(groups, return_inverse=True)[1]
    table = np.zeros((int(numbers.max()) + 1, classes))
    np.add.at(table, (numbers, labels), 1)
    common = chance_of(labels)
    accuracy = table.max(axis=1).sum() / len(labels)
    return Diagnostic(
        "D16", "crossing", title, Interval(float((accuracy - common) / max(1 - common, 1e-9))), False, why
    )
