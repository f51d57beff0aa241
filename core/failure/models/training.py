"""Training one recipe, an epoch at a time, and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.failure.models.augmentation import AUGMENTS, Augment, Sample, in_density, sample_of, symmetries
from core.failure.models.fitted import INFERENCE_BATCH, Fitted, last_layer
from core.failure.models.losses import LOSSES, Batch, unlike
from core.failure.models.networks import Network, build
from core.failure.models.preprocess import Pipeline, fit_pipeline
from core.failure.models.remedies import Remedy

Float = NDArray[np.float32]
Ints = NDArray[np.int64]

RATE = 3e-3
BATCH = 64
EPOCHS = 25
TWICE_EARLY, TWICE_WEIGHT = 0.2, 5
SEEN = 128
"""Training patches whose share of right answers is told after every epoch."""


@dataclass(frozen=True, eq=False)
class Training:
    """What is learnt from. values: (N, C, H, W) raw; labels, slides: (N,); positions: (C,) of the channels;
    balanced: patches without the shortcut and their labels, for the remedy that needs them."""

    values: Float
    labels: Ints
    classes: int
    slides: Ints
    positions: tuple[float, ...]
    pictures: bool = False
    balanced: tuple[Float, Ints] | None = None


@dataclass(frozen=True)
class Epoch:
    """One epoch is over: ``number`` of ``total``, the mean loss, the share of training patches that were right."""

    number: int
    total: int
    loss: float
    accuracy: float


def fit(
    remedy: Remedy, network: str, training: Training, epochs: int, seed: int, device: str = "cpu"
) -> Generator[Epoch, None, Fitted]:
    """Train ``network`` by ``remedy``, yielding after every epoch; return the result.

    On one machine with one thread the same arguments give the same bits. AdamW at 3e-3 with one cycle, batches of 64,
    every patch in one of its eight positions.
    """
    fitter = _Fitter(remedy, network, training, max(1, round(epochs * remedy.epochs)), seed, device)
    return (yield from _WAYS[remedy.way](fitter))


class _Fitter:
    """One remedy on one set: what its ways of training share."""

    def __init__(self, remedy: Remedy, network: str, training: Training, epochs: int, seed: int, device: str) -> None:
        self.remedy, self.network, self.training = remedy, network, training
        self.epochs, self.seed, self.device = epochs, seed, device
        self.values = torch.as_tensor(training.values, device=device)
        self.labels = torch.as_tensor(training.labels, device=device)
        self.slides = torch.as_tensor(np.unique(training.slides, return_inverse=True)[1], device=device)
        self.augment = self._augment()

    def pipeline(self, more: Sequence[str] = ()) -> Pipeline:
        """Fit the preprocessing, with the steps ``more`` before its own."""
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
            total = right = 0.0
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
            right = self._share_right(members, pipeline)
            losses.append(total / len(rows))
            yield Epoch(epoch + 1, epochs, losses[-1], right)
        return tuple(losses)

    def done(self, members: list[tuple[Pipeline, Network]], losses: tuple[float, ...]) -> Fitted:
        """Return the trained networks, ready to predict."""
        for _, network in members:
            network.eval()
        return Fitted(tuple(members), self.device, losses, len(losses))

    def _batch(self, rows: Tensor, prepared: Tensor | None, pipeline: Pipeline, generator: torch.Generator) -> Tensor:
        """Return patches as the network sees them. Without augmentation that is prepared once for all epochs: no step
        of a pipeline knows which way up a patch lies."""
        if prepared is not None:
            return symmetries(prepared[rows], generator)
        values = symmetries(self.values[rows], generator)
        if self.augment is not None:
            change, sample = self.augment
            values = change(values, sample, generator)
        return pipeline(values)

    def _prepared(self, pipeline: Pipeline) -> Tensor | None:
        if self.augment is not None:
            return None
        return torch.cat([pipeline(part) for part in torch.split(self.values, INFERENCE_BATCH)])

    def _step(self, members: list[Network], batch: Batch, optimiser: torch.optim.Optimizer) -> float:
        loss = LOSSES[self.remedy.loss]
        parts: list[nn.Module] = list(members)

        def backward() -> Tensor:
            optimiser.zero_grad(set_to_none=True)
            value = unlike(parts, batch) if len(parts) > 1 else loss(parts[0], batch)
            value.backward()  # type: ignore[no-untyped-call]
            return value.detach()

        value = backward()
        if self.remedy.loss == "sam":
            _climb_and_return(parts[0], self.remedy.strength, backward)
        optimiser.step()
        return float(value)

    def _share_right(self, members: list[Network], pipeline: Pipeline) -> float:
        fitted = Fitted(tuple((pipeline, member) for member in members), self.device, (), 0)
        some = self.training.values[:SEEN]
        return float((fitted.logits(some).argmax(axis=1) == self.training.labels[:SEEN]).mean())

    def _augment(self) -> tuple[Augment, Sample] | None:
        if not self.remedy.augment:
            return None
        change = AUGMENTS[self.remedy.augment]
        values = -self.values.clamp(0.01, 1).log() if self.training.pictures else self.values
        sample = sample_of(values, self.labels, self.training.positions)
        return (in_density(change) if self.training.pictures else change), sample


def _climb_and_return(network: nn.Module, radius: float, backward: Callable[[], Tensor]) -> None:
    """Take the gradient at w + radius g / |g| (SAM, Foret et al. 2021), and put the weights back."""
    slopes = [part.grad for part in network.parameters() if part.grad is not None]
    length = torch.stack([slope.norm() for slope in slopes]).norm() + 1e-12
    moved = [(part, part.grad * (radius / length)) for part in network.parameters() if part.grad is not None]
    with torch.no_grad():
        for part, way in moved:
            part.add_(way)
    backward()
    with torch.no_grad():
        for part, way in moved:
            part.sub_(way)


def _once(fitter: _Fitter) -> Generator[Epoch, None, Fitted]:
    pipeline, network = fitter.pipeline(), fitter.fresh()
    losses = yield from fitter.run([network], pipeline, fitter.epochs)
    return fitter.done([(pipeline, network)], losses)


def _twice(fitter: _Fitter) -> Generator[Epoch, None, Fitted]:
    """Just train twice, Liu et al. 2021."""
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


def _refit(fitter: _Fitter) -> Generator[Epoch, None, Fitted]:
    """Deep feature reweighting, Kirichenko et al. 2023: the last layer anew on patches without the shortcut."""
    fitted = yield from _once(fitter)
    if fitter.training.balanced is None:
        raise ValueError("this remedy needs patches without the shortcut")
    values, labels = fitter.training.balanced
    weight, bias = last_layer(fitted.features(values), labels, fitter.training.classes)
    with torch.no_grad():
        head = fitted.members[0][1].head
        head.weight.copy_(torch.as_tensor(weight))
        head.bias.copy_(torch.as_tensor(bias))
    return fitted


def _diverse(fitter: _Fitter) -> Generator[Epoch, None, Fitted]:
    pipeline = fitter.pipeline()
    networks = [fitter.fresh(member) for member in range(fitter.remedy.members)]
    losses = yield from fitter.run(networks, pipeline, fitter.epochs)
    return fitter.done([(pipeline, network) for network in networks], losses)


def _apart(fitter: _Fitter) -> Generator[Epoch, None, Fitted]:
    """Each member sees patches without the best scores of those before."""
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


_WAYS: dict[str, Callable[[_Fitter], Generator[Epoch, None, Fitted]]] = {
    "once": _once,
    "twice": _twice,
    "refit": _refit,
    "diverse": _diverse,
    "apart": _apart,
}
