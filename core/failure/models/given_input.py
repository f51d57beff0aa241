"""How patches are prepared for a model that was trained elsewhere: bands, normalisation, size, layout, classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from core.errors import UserError
from core.failure.models.preprocessing import Fitting, patch_norm, second_derivative, snv

Float = NDArray[np.float32]
Floats = NDArray[np.float64]
Layout = Literal["NCHW", "NHWC", "NC", "N1C"]
Predict = Callable[[Float], Float]

FLOOR = 1e-6
SURE = 1e-3
"""How far rows of probabilities may be from 1."""
LARGEST = 1e12
"""Of answers."""


@dataclass(frozen=True)
class GivenInput:
    """What a model takes and answers.

    modality: "ir" or "rgb". bands: the wavenumbers of its channels, () for those of the data. normalisation: a key of
    ``NORMALISATIONS``. mean, scale: subtracted and divided by after it, one number or one a channel, () for none. size:
    sides of its patches in pixels, 0 for those of the data. layout: "NCHW" and "NHWC" for patches, "NC" and "N1C" for
    mean spectra. classes: in the order of its answers, () for that of the data. answers: what they are.
    """

    modality: str = "ir"
    bands: tuple[float, ...] = ()
    normalisation: str = "none"
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    size: int = 0
    layout: Layout = "NCHW"
    classes: tuple[str, ...] = ()
    answers: Literal["auto", "logits", "probabilities"] = "auto"


def raw_predict(
    model: Predict, given: GivenInput, training: Float, positions: tuple[float, ...], classes: Sequence[str]
) -> Predict:
    """Return ``model`` as a function of raw patches (N, C, H, W) that gives logits (N, K) in the order of ``classes``.

    model: prepared patches -> logits or probabilities. training: raw patches that "standard" is fitted on. positions:
    (C,) wavenumbers of the data, or numbers of colours. UserError model_bands, model_classes, model_output.
    """
    prepare = _prepared(given, training, positions)
    order = _order(given.classes, classes)

    def predict(values: Float) -> Float:
        found = np.asarray(model(prepare(values)), np.float32)
        wanted = len(given.classes) or len(classes)
        alone = wanted == 2 and found.shape[1:] == (1,)
        if len(found) != len(values) or not (alone or found.shape[1:] == (wanted,)):
            raise UserError(
                "model_output",
                f"The model answers {len(values)} patches of {wanted} classes by an array of shape {found.shape}.",
                "It has to give one number for each patch and class; name its classes in their order.",
            )
        return np.ascontiguousarray(_logits(found, given.answers)[:, order])

    return predict


def _prepared(given: GivenInput, training: Float, positions: tuple[float, ...]) -> Predict:
    matrix = None
    at = positions
    if given.bands and given.modality == "ir":
        matrix = torch.as_tensor(_interpolation(positions, given.bands), dtype=torch.float32)
        at = given.bands

    def banded(values: Float) -> Tensor:
        patches = torch.as_tensor(values)
        return patches if matrix is None else torch.einsum("nchw,cd->ndhw", patches, matrix)

    normalise = NORMALISATIONS[given.normalisation](Fitting(banded(training), np.zeros(0, np.int64), at))
    mean, scale = (_constants(numbers, len(at), what) for numbers, what in ((given.mean, 0.0), (given.scale, 1.0)))

    def prepare(values: Float) -> Float:
        patches = (normalise(banded(values)) - mean) / scale
        if given.size and given.layout in ("NCHW", "NHWC"):
            patches = functional.interpolate(patches, (given.size, given.size), mode="bilinear", align_corners=False)
        return np.ascontiguousarray(LAYOUTS[given.layout](patches).numpy(), np.float32)

    return prepare


def _interpolation(positions: Sequence[float], wanted: Sequence[float]) -> Floats:
    """Return the matrix (B, M) that takes spectra at ``positions`` to those at ``wanted``."""
    at, to = np.asarray(positions, np.float64), np.asarray(wanted, np.float64)
    slack = float(np.median(np.abs(np.diff(np.sort(at))))) if len(at) > 1 else 1.0
    if to.min() < at.min() - slack or to.max() > at.max() + slack:
        raise UserError(
            "model_bands",
            f"The model's bands, {to.min():.0f} to {to.max():.0f} cm^-1, are not all among those of the data, "
            f"{at.min():.0f} to {at.max():.0f} cm^-1.",
            "Give data that have them, or name the model's bands rightly.",
        )
    order = np.argsort(at)
    return np.array([np.interp(to, at[order], row) for row in np.eye(len(at))[:, order]])


def _constants(numbers: tuple[float, ...], channels: int, usual: float) -> Tensor:
    if len(numbers) not in (0, 1, channels):
        raise UserError(
            "model_bands",
            f"There are {len(numbers)} constants for {channels} channels of the model.",
            "Give one number, or one for each channel.",
        )
    return torch.tensor(numbers or (usual,), dtype=torch.float32).reshape(1, -1, 1, 1)


def _order(own: Sequence[str], classes: Sequence[str]) -> list[int]:
    """Return where the answer of each class of the data stands among the model's answers."""
    if not own:
        return list(range(len(classes)))
    small = [name.strip().casefold() for name in own]
    missing = [name for name in classes if name.casefold() not in small]
    if missing:
        raise UserError(
            "model_classes",
            f"The model's classes, {', '.join(own)}, lack {missing[0][:40]!r} of the data.",
            "Name the classes as the data do, in the order of the model's answers.",
        )
    return [small.index(name.casefold()) for name in classes]


def _logits(found: Float, answers: str) -> Float:
    """Return answers as logits: the logarithm of probabilities, where they are some. One answer is that of the second
    of two classes."""
    # of larger ones squares and sums overflow; also refuses NaN
    if not (np.abs(found) <= LARGEST).all():
        raise UserError(
            "model_output",
            "The model answers numbers that are not finite, or larger than any answer.",
            "Check its normalisation.",
        )
    if found.shape[1] == 1:
        share = answers == "probabilities" or (answers == "auto" and found.min() >= 0 and found.max() <= 1)
        found = np.concatenate([1 - found, found] if share else [np.zeros_like(found), found], axis=1)
    whole = found.min() >= 0 and np.abs(found.sum(axis=1) - 1).max() < SURE
    if answers == "probabilities" or (answers == "auto" and whole):
        return np.log(np.maximum(found, 1e-9)).astype(np.float32)
    return found.astype(np.float32)


def _as_they_are(fitting: Fitting) -> Callable[[Tensor], Tensor]:
    return lambda values: values


def _by_highest(fitting: Fitting) -> Callable[[Tensor], Tensor]:
    return lambda values: values / values.amax(dim=1, keepdim=True).clamp_min(FLOOR)


def _to_unit_length(fitting: Fitting) -> Callable[[Tensor], Tensor]:
    return lambda values: values / values.norm(dim=1, keepdim=True).clamp_min(FLOOR)


def _from_0_to_1(fitting: Fitting) -> Callable[[Tensor], Tensor]:
    def step(values: Tensor) -> Tensor:
        low, high = values.amin(dim=1, keepdim=True), values.amax(dim=1, keepdim=True)
        return (values - low) / (high - low).clamp_min(FLOOR)

    return step


def _standard(fitting: Fitting) -> Callable[[Tensor], Tensor]:
    deviation, mean = torch.std_mean(fitting.values, dim=(0, 2, 3), keepdim=True)
    return lambda values: (values - mean) / deviation.clamp_min(FLOOR)


NORMALISATIONS: Mapping[str, Callable[[Fitting], Callable[[Tensor], Tensor]]] = MappingProxyType(
    {
        "none": _as_they_are,
        "standard": _standard,
        "snv": snv,
        "max": _by_highest,
        "vector": _to_unit_length,
        "minmax": _from_0_to_1,
        "amide": patch_norm,
        "derivative": second_derivative,
    }
)
"""Of each pixel's spectrum, but "standard" (each channel over the training part) and "amide" (each patch)."""
LAYOUTS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {
        "NCHW": lambda patches: patches,
        "NHWC": lambda patches: patches.permute(0, 2, 3, 1),
        "NC": lambda patches: patches.mean(dim=(2, 3)),
        "N1C": lambda patches: patches.mean(dim=(2, 3))[:, None],
    }
)
