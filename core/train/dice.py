"""What a tissue map is taught by: cross-entropy and soft Dice."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.nets.segment_net import CLASSES
from core.train.batch import Batch

# voxels added to both sides of the Dice overlap: one tissue that is nearly absent must not rule the step
SMOOTH = 100.0


def overlap(network: nn.Module, batch: Batch, device: str) -> tuple[Tensor, tuple[float, float]]:
    """Return the loss of a ``SegmentNet`` on ``batch``: cross-entropy plus 1 - soft Dice of CSF, grey and white matter
    (Milletari et al. 2016), and apart 1 - Dice of the map itself and the cross-entropy."""
    image, truth = (torch.from_numpy(part).float().to(device) for part in (batch.context, batch.target))
    conditioning = None if batch.conditioning is None else torch.from_numpy(batch.conditioning).float().to(device)
    with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=device != "cpu"):
        logits = network(image, conditioning)
    logits, numbers = logits.float(), truth[:, 0].long()
    wanted = F.one_hot(numbers, CLASSES).movedim(-1, 1).float()
    entropy = F.cross_entropy(logits, numbers)
    apart = 1 - soft_dice(logits.softmax(dim=1), wanted)
    seen = F.one_hot(logits.detach().argmax(dim=1), CLASSES).movedim(-1, 1).float()
    return entropy + apart, (float(1 - soft_dice(seen, wanted)), float(entropy.detach()))


def soft_dice(likely: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean Dice overlap, (), of maps (B, C, ...) between 0 and 1, over all channels but the first."""
    axes = [axis for axis in range(likely.ndim) if axis != 1]
    shared, total = (likely * wanted).sum(dim=axes), (likely + wanted).sum(dim=axes)
    return ((2 * shared + SMOOTH) / (total + SMOOTH))[1:].mean()
