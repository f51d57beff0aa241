"""Training losses of one batch: cross-entropy and its variants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.failure.models.augmentation import drop_channels, sample_channels

WARM_UP = 0.2
"""Share of the training after which IRM and V-REx penalties take their full strength (they are 1 before)."""


@dataclass(eq=False)
class Batch:
    """images: (N, C, H, W), preprocessed. labels, slides: (N,). done: share of the training that is over. strength:
    of the loss's own term. worst: logarithm of the weight of each slide, kept by GroupDRO between batches."""

    images: Tensor
    labels: Tensor
    slides: Tensor
    done: float
    strength: float
    generator: torch.Generator
    worst: dict[int, float] = field(default_factory=dict)


Loss = Callable[[nn.Module, Batch], Tensor]


def cross_entropy(network: nn.Module, batch: Batch) -> Tensor:
    """Return the cross-entropy."""
    return functional.cross_entropy(network(batch.images), batch.labels)


def decoupling(network: nn.Module, batch: Batch) -> Tensor:
    """Return cross-entropy + strength mean(z^2): spectral decoupling (Pezeshki et al. 2021, arXiv:2011.09468)."""
    logits = network(batch.images)
    penalty: Tensor = logits.square().mean()
    return functional.cross_entropy(logits, batch.labels) + batch.strength * penalty


def mixup(network: nn.Module, batch: Batch) -> Tensor:
    """Return the cross-entropy of mixed pairs of patches and labels, share from Beta(strength, strength): mixup (Zhang
    et al. 2018, arXiv:1710.09412)."""
    # torch's own Beta has no generator
    ones = torch.full((2,), batch.strength)
    first, second = torch._standard_gamma(ones, generator=batch.generator)
    share = float(first / (first + second).clamp_min(1e-12))
    order = torch.randperm(len(batch.images), generator=batch.generator).to(batch.images.device)
    logits = network(share * batch.images + (1 - share) * batch.images[order])
    own, other = (functional.cross_entropy(logits, labels) for labels in (batch.labels, batch.labels[order]))
    return share * own + (1 - share) * other


def band_dropout(network: nn.Module, batch: Batch) -> Tensor:
    """Return the cross-entropy with channels dropped at random, each with probability ``strength``."""
    images = drop_channels(batch.images, batch.strength, batch.generator)
    return functional.cross_entropy(network(images), batch.labels)


def channel_sampling(network: nn.Module, batch: Batch) -> Tensor:
    """Return the cross-entropy on a random set of channels."""
    return functional.cross_entropy(network(sample_channels(batch.images, batch.generator)), batch.labels)


def irm(network: nn.Module, batch: Batch) -> Tensor:
    """Return cross-entropy + strength mean_e |d R_e / d scale|^2 at scale 1 over slides e: IRMv1 (Arjovsky et al. 2019,
    arXiv:1907.02893)."""
    logits = network(batch.images)
    penalty = torch.zeros((), device=logits.device)
    count = 0
    for rows in _slides(batch):
        scale = torch.ones((), device=logits.device, requires_grad=True)
        risk = functional.cross_entropy(logits[rows] * scale, batch.labels[rows])
        (gradient,) = torch.autograd.grad(risk, scale, create_graph=True)
        penalty, count = penalty + gradient.square(), count + 1
    strength = _strength(batch)
    total = functional.cross_entropy(logits, batch.labels) + strength * penalty / max(count, 1)
    # as in DomainBed: the sum keeps its size when the penalty takes over
    return total / max(1.0, strength)


def vrex(network: nn.Module, batch: Batch) -> Tensor:
    """Return mean_e R_e + strength Var_e R_e over slides e: V-REx (Krueger et al. 2021, arXiv:2003.00688)."""
    risks = _risks(network, batch)
    strength = _strength(batch)
    return (risks.mean() + strength * risks.var(correction=0)) / max(1.0, strength)


def group_dro(network: nn.Module, batch: Batch) -> Tensor:
    """Return sum_g q_g R_g over the slides g of the batch, with q_g <- q_g exp(strength R_g): GroupDRO (Sagawa et al.
    2020, arXiv:1911.08731)."""
    risks = _risks(network, batch)
    present = [int(each) for each in torch.unique(batch.slides)]
    for slide, risk in zip(present, risks.tolist(), strict=True):
        batch.worst[slide] = batch.worst.get(slide, 0.0) + batch.strength * risk
    logarithms = torch.tensor([batch.worst[slide] for slide in present], device=risks.device)
    return (logarithms.softmax(dim=0) * risks).sum()


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        "plain": cross_entropy,
        "sam": cross_entropy,
        "decoupling": decoupling,
        "mixup": mixup,
        "banddrop": band_dropout,
        "channels": channel_sampling,
        "irm": irm,
        "vrex": vrex,
        "groupdro": group_dro,
    }
)


def diversity(members: list[nn.Module], batch: Batch) -> Tensor:
    """Return the cross-entropies of ``members`` + strength sum_(a<b) cos(grad_x z_a, grad_x z_b), z the logit of the
    true class, mean over patches (Teney et al. 2022, arXiv:2105.05612)."""
    images = batch.images.detach().requires_grad_(True)
    total = torch.zeros((), device=images.device)
    gradients: list[Tensor] = []
    for member in members:
        logits = member(images)
        total = total + functional.cross_entropy(logits, batch.labels)
        chosen = logits.gather(1, batch.labels[:, None]).sum()
        (gradient,) = torch.autograd.grad(chosen, images, create_graph=True)
        gradients.append(gradient.flatten(1))
    for index, one in enumerate(gradients):
        for other in gradients[:index]:
            total = total + batch.strength * functional.cosine_similarity(one, other).mean()
    return total


def _risks(network: nn.Module, batch: Batch) -> Tensor:
    logits = network(batch.images)
    return torch.stack([functional.cross_entropy(logits[rows], batch.labels[rows]) for rows in _slides(batch)])


def _slides(batch: Batch) -> Iterator[Tensor]:
    for slide in torch.unique(batch.slides):
        yield batch.slides == slide


def _strength(batch: Batch) -> float:
    return batch.strength if batch.done >= WARM_UP else 1.0
