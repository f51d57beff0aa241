"""Training of one small network by one remedy, an epoch at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.failure.data.dataset import Dataset
from core.failure.data.modality import channels, images
from core.failure.models.augmentation import (
    AUGMENTS,
    Augment,
    PatchStatistics,
    in_density,
    jitter,
    patch_statistics,
    symmetries,
)
from core.failure.models.losses import LOSSES, Batch, diversity
from core.failure.models.networks import Network, build
from core.failure.models.preprocessing import Pipeline, fit_pipeline
from core.failure.models.remedies import Remedy
from core.failure.models.trained_model import INFERENCE_BATCH, TrainedModel, fit_last_layer

Float = NDArray[np.float32]
Ints = NDArray[np.int64]

RATE = 3e-3
BATCH = 64
EPOCHS = 25
TWICE_EARLY, TWICE_WEIGHT = 0.2, 5
SEEN = 128
"""Training patches, drawn at random, on which the accuracy is measured after every epoch."""


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """The patches that a network learns from. values: (N, C, H, W) float32, raw: absorbance, or colours from 0 to 1.
    labels, slides: (N,). positions: (C,) of the channels, cm^-1 or 0 to 2. pictures: whether the patches are stained
    pictures. balanced: patches without the shortcut and their labels, for the remedy that needs them."""

    values: Float
    labels: Ints
    classes: int
    slides: Ints
    positions: tuple[float, ...]
    pictures: bool = False
    balanced: tuple[Float, Ints] | None = None


def training_set(dataset: Dataset, modality: str) -> TrainingSet:
    """Return the patches of ``dataset`` that a network of ``modality`` ("ir", "rgb") learns from.

    UserError no_pictures. Without groups all patches are of one slide.
    """
    train, balanced = dataset.train, dataset.balanced
    return TrainingSet(
        images(train, modality),
        train.labels,
        len(train.classes),
        train.groups if train.groups is not None else np.zeros(len(train), np.int64),
        channels(train, modality)[1],
        modality == "rgb",
        None if balanced is None else (images(balanced, modality), balanced.labels),
    )


@dataclass(frozen=True)
class Epoch:
    """A finished epoch: its ``number`` of ``total``, the mean loss, the accuracy on training patches, and the logits
    (N, K) of the patches that are watched, None without any."""

    number: int
    total: int
    loss: float
    accuracy: float
    logits: Float | None = None


def fit(
    remedy: Remedy,
    network: str,
    training: TrainingSet,
    epochs: int,
    seed: int,
    device: str = "cpu",
    watched: Float | None = None,
) -> Generator[Epoch, None, TrainedModel]:
    """Train ``network``, a name of ``NETWORKS``, by ``remedy``, yielding after every epoch; return the trained model.

    On one machine with one thread the same arguments give the same bits. AdamW at 3e-3 with one cycle, batches of 64,
    every patch in one of its eight positions, pictures in a light and stain of their own. ValueError for the remedy
    "dfr" without balanced patches. watched: raw patches (N, C, H, W) that are answered after every epoch.
    """
    fitter = _Fitter(remedy, network, training, max(1, round(epochs * remedy.epochs)), seed, device)
    fitter.watched = watched
    return (yield from _SCHEDULES[remedy.way](fitter))


class _Fitter:
    """One remedy on one training set: the parts that all ways of training share."""

    def __init__(
        self, remedy: Remedy, network: str, training: TrainingSet, epochs: int, seed: int, device: str
    ) -> None:
        self.remedy, self.network, self.training = remedy, network, training
        self.epochs, self.seed, self.device = epochs, seed, device
        self.values = torch.as_tensor(training.values, device=device)
        self.labels = torch.as_tensor(training.labels, device=device)
        self.slides = torch.as_tensor(np.unique(training.slides, return_inverse=True)[1], device=device)
        self.augment = self._augment()
        self.watched: Float | None = None
        count = len(training.labels)
        self.seen = np.random.default_rng(seed).choice(count, min(SEEN, count), replace=False)

    def pipeline(self, more: Sequence[str] = ()) -> Pipeline:
        """Return the preprocessing fitted on the training set, with the steps ``more`` before the remedy's own."""
        names = (*more, *self.remedy.steps)
        return fit_pipeline(names, self.values, self.training.labels, self.training.positions)

    def fresh(self, member: int = 0) -> Network:
        """Return an untrained network."""
        torch.manual_seed(1000 * self.seed + member)
        size = (self.values.shape[2], self.values.shape[3])
        made = build(self.network, self.values.shape[1], size, self.training.classes, self.remedy.dropout)
        return made.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def run(
        self, members: list[Network], pipeline: Pipeline, epochs: int, rows: Tensor | None = None, stage: int = 0
    ) -> Generator[Epoch, None, tuple[float, ...]]:
        """Train ``members`` together on the patches ``rows`` (all without) and return the loss of every epoch."""
        rows = torch.arange(len(self.labels)) if rows is None else rows
        generator = torch.Generator().manual_seed(7919 * self.seed + stage)
        steps = epochs * ((len(rows) + BATCH - 1) // BATCH)
        weights = [part for member in members for part in member.parameters()]
        optimiser = torch.optim.AdamW(weights, lr=RATE, weight_decay=self.remedy.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps + 1)
        worst: dict[int, float] = {}
        prepared = self._prepared(pipeline)
        losses: list[float] = []
        step = 0
        for epoch in range(epochs):
            # dropout draws from torch's own stream
            torch.manual_seed(104729 * self.seed + 1009 * stage + epoch)
            for member in members:
                member.train()
            total = 0.0
            order = rows[torch.randperm(len(rows), generator=generator)]
            for part in torch.split(order, BATCH):
                rows_here = part.to(self.device)
                images = self._batch(rows_here, prepared, pipeline, generator)
                labels, slides = self.labels[rows_here], self.slides[rows_here]
                batch = Batch(images, labels, slides, step / steps, self.remedy.strength, generator, worst)
                loss = self._step(members, batch, optimiser)
                schedule.step()
                step += 1
                total += loss * len(part)
            losses.append(total / len(rows))
            yield self._epoch(members, pipeline, epoch + 1, epochs, losses[-1])
        return tuple(losses)

    def done(self, members: list[tuple[Pipeline, Network]], losses: tuple[float, ...]) -> TrainedModel:
        """Return the trained networks, ready to predict."""
        for _, network in members:
            network.eval()
        return TrainedModel(tuple(members), self.device, losses, len(losses))

    def _batch(self, rows: Tensor, prepared: Tensor | None, pipeline: Pipeline, generator: torch.Generator) -> Tensor:
        """Return preprocessed patches. Of cubes without augmentation ``prepared`` holds them for all epochs: the steps
        of a pipeline commute with flips and transposition."""
        if prepared is not None:
            return symmetries(prepared[rows], generator)
        values = symmetries(self.values[rows], generator)
        if self.augment is not None:
            change, statistics = self.augment
            values = change(values, statistics, generator)
        if self.training.pictures:
            values = jitter(values, generator)
        return pipeline(values)

    def _prepared(self, pipeline: Pipeline) -> Tensor | None:
        if self.augment is not None or self.training.pictures:
            return None
        return torch.cat([pipeline(part) for part in torch.split(self.values, INFERENCE_BATCH)])

    def _step(self, members: list[Network], batch: Batch, optimiser: torch.optim.Optimizer) -> float:
        loss = LOSSES[self.remedy.loss]
        parts: list[nn.Module] = list(members)

        def backward() -> Tensor:
            optimiser.zero_grad(set_to_none=True)
            value = diversity(parts, batch) if len(parts) > 1 else loss(parts[0], batch)
            value.backward()  # type: ignore[no-untyped-call]
            return value.detach()

        value = backward()
        if self.remedy.loss == "sam":
            _sharpness_aware_gradient(parts[0], self.remedy.strength, backward)
        optimiser.step()
        return float(value)

    def _epoch(self, members: list[Network], pipeline: Pipeline, number: int, total: int, loss: float) -> Epoch:
        trained = TrainedModel(tuple((pipeline, member) for member in members), self.device, (), 0)
        accuracy = trained.accuracy(self.training.values[self.seen], self.training.labels[self.seen])
        return Epoch(number, total, loss, accuracy, None if self.watched is None else trained.logits(self.watched))

    def _augment(self) -> tuple[Augment, PatchStatistics] | None:
        if not self.remedy.augment:
            return None
        change = AUGMENTS[self.remedy.augment]
        values = -self.values.clamp(0.01, 1).log() if self.training.pictures else self.values
        statistics = patch_statistics(values, self.labels, self.training.positions)
        return (in_density(change) if self.training.pictures else change), statistics


def _sharpness_aware_gradient(network: nn.Module, radius: float, backward: Callable[[], Tensor]) -> None:
    """Compute the gradient at w + radius g / |g|, and restore the weights w (SAM, Foret et al. 2021)."""
    gradients = [part.grad for part in network.parameters() if part.grad is not None]
    length = torch.stack([gradient.norm() for gradient in gradients]).norm() + 1e-12
    moved = [(part, part.grad * (radius / length)) for part in network.parameters() if part.grad is not None]
    with torch.no_grad():
        for part, ascent in moved:
            part.add_(ascent)
    backward()
    with torch.no_grad():
        for part, ascent in moved:
            part.sub_(ascent)


def _once(fitter: _Fitter) -> Generator[Epoch, None, TrainedModel]:
    pipeline, network = fitter.pipeline(), fitter.fresh()
    losses = yield from fitter.run([network], pipeline, fitter.epochs)
    return fitter.done([(pipeline, network)], losses)


def _twice(fitter: _Fitter) -> Generator[Epoch, None, TrainedModel]:
    """Just train twice (JTT, Liu et al. 2021): errors of an early network count five times."""
    early = max(1, round(TWICE_EARLY * fitter.epochs))
    pipeline, first = fitter.pipeline(), fitter.fresh()
    total = early + fitter.epochs
    for epoch in (steps := fitter.run([first], pipeline, early)):
        yield replace(epoch, total=total)
    steps.close()
    guesses = fitter.done([(pipeline, first)], ()).logits(fitter.training.values).argmax(axis=1)
    wrong = torch.as_tensor(np.flatnonzero(guesses != fitter.training.labels))
    rows = torch.cat([torch.arange(len(fitter.labels)), *([wrong] * (TWICE_WEIGHT - 1))])
    network = fitter.fresh(1)
    losses = yield from _later(fitter.run([network], pipeline, fitter.epochs, rows, stage=1), early, total)
    return fitter.done([(pipeline, network)], losses)


def _refit(fitter: _Fitter) -> Generator[Epoch, None, TrainedModel]:
    """Deep feature reweighting (Kirichenko et al. 2023): refit the last layer on patches without the shortcut."""
    trained = yield from _once(fitter)
    if fitter.training.balanced is None:
        raise ValueError("this remedy needs patches without the shortcut")
    values, labels = fitter.training.balanced
    weight, bias = fit_last_layer(trained.features(values), labels, fitter.training.classes)
    with torch.no_grad():
        head = trained.members[0][1].head
        head.weight.copy_(torch.as_tensor(weight))
        head.bias.copy_(torch.as_tensor(bias))
    return trained


def _diverse(fitter: _Fitter) -> Generator[Epoch, None, TrainedModel]:
    pipeline = fitter.pipeline()
    networks = [fitter.fresh(member) for member in range(fitter.remedy.members)]
    losses = yield from fitter.run(networks, pipeline, fitter.epochs)
    return fitter.done([(pipeline, network) for network in networks], losses)


def _apart(fitter: _Fitter) -> Generator[Epoch, None, TrainedModel]:
    """Train each member on patches without the one-dimensional scores of the members before it."""
    members: list[tuple[Pipeline, Network]] = []
    losses: tuple[float, ...] = ()
    count = fitter.remedy.members
    for index in range(count):
        pipeline, network = fitter.pipeline(["project"] * index), fitter.fresh(index)
        steps = fitter.run([network], pipeline, fitter.epochs, stage=index)
        losses += yield from _later(steps, index * fitter.epochs, count * fitter.epochs)
        members.append((pipeline, network))
    return fitter.done(members, losses)


def _later(
    steps: Generator[Epoch, None, tuple[float, ...]], before: int, total: int
) -> Generator[Epoch, None, tuple[float, ...]]:
    """Number the epochs of ``steps`` after ``before`` others."""
    while True:
        try:
            epoch = next(steps)
        except StopIteration as end:
            return tuple(end.value)
        yield replace(epoch, number=before + epoch.number, total=total)


_SCHEDULES: dict[str, Callable[[_Fitter], Generator[Epoch, None, TrainedModel]]] = {
    "once": _once,
    "twice": _twice,
    "refit": _refit,
    "diverse": _diverse,
    "apart": _apart,
}
