"""Trained networks: their logits, features and input gradients on patches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.failure.models.networks import Network
from core.failure.models.preprocessing import Pipeline

Float = NDArray[np.float32]
Ints = NDArray[np.int64]

REFIT_C = 0.1
INFERENCE_BATCH = 256


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """Trained networks, each with its preprocessing; their logits are averaged."""

    members: tuple[tuple[Pipeline, Network], ...]
    device: str
    losses: tuple[float, ...]
    epochs: int

    @property
    def parameters(self) -> int:
        """Number of learnt parameters."""
        return sum(part.numel() for _, network in self.members for part in network.parameters())

    def logits(self, values: Float) -> Float:
        """Return the logits (N, K) of raw patches ``values`` (N, C, H, W), mean over members."""
        return self._each(values, lambda pipeline, network, part: network(pipeline(part)), mean=True)

    def accuracy(self, values: Float, labels: Ints) -> float:
        """Return the share of raw patches (N, C, H, W) whose predicted class is that of ``labels`` (N,)."""
        return float((self.logits(values).argmax(axis=1) == labels).mean())

    def features(self, values: Float) -> Float:
        """Return the inputs of the last layer for raw patches (N, C, H, W): (N, F), members side by side."""
        return self._each(values, lambda pipeline, network, part: network.body(pipeline(part)), mean=False)

    def input_times_gradient(self, values: Float) -> Float:
        """Return input times gradient (N, C, H, W) of the logit of the predicted class, for preprocessed patches
        (Shrikumar et al. 2016, arXiv:1605.01713)."""
        total = np.zeros(values.shape, np.float32)
        for pipeline, network in self.members:
            network.eval()
            part = pipeline(torch.as_tensor(values, device=self.device)).requires_grad_(True)
            logits = network(part)
            (gradient,) = torch.autograd.grad(logits.max(dim=1).values.sum(), part)
            total += (gradient * part).detach().cpu().numpy() / len(self.members)
        return total

    def _each(self, values: Float, evaluate: Callable[[Pipeline, Network, Tensor], Tensor], mean: bool) -> Float:
        found = []
        with torch.inference_mode():
            for _, network in self.members:
                network.eval()
            for start in range(0, len(values), INFERENCE_BATCH):
                part = torch.as_tensor(values[start : start + INFERENCE_BATCH], device=self.device)
                outputs = [evaluate(pipeline, network, part) for pipeline, network in self.members]
                found.append(torch.stack(outputs).mean(dim=0) if mean else torch.cat(outputs, dim=1))
        return torch.cat(found).cpu().numpy().astype(np.float32)


def fit_last_layer(features: Float, labels: Ints, classes: int, c: float = REFIT_C) -> tuple[Float, Float]:
    """Return weight (K, F) and bias (K,) of a logistic regression on standardised ``features`` (N, F).

    Both apply to features that are not standardised; a class without labels has bias -20.
    """
    from sklearn.linear_model import LogisticRegression

    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-6
    model = LogisticRegression(C=c, max_iter=500).fit((features - mean) / deviation, labels)
    rows, offset = model.coef_, model.intercept_
    if len(rows) == 1:
        # two classes have one row: the second class against the first
        rows, offset = np.vstack([-rows, rows]) / 2, np.concatenate([-offset, offset]) / 2
    weight, bias = np.zeros((classes, features.shape[1])), np.full(classes, -20.0)
    weight[model.classes_] = rows / deviation
    bias[model.classes_] = offset - (rows / deviation) @ mean
    return weight.astype(np.float32), bias.astype(np.float32)
