"""The verdict on each model over all its seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.failure.data.dataset import HOME
from core.failure.diagnostics.battery import ModalityFits
from core.failure.diagnostics.learnt import gate
from core.failure.models.networks import LINEAR
from core.failure.models.plain_classifiers import KNOWN
from core.failure.pooling import pooled
from core.failure.results import Model
from core.failure.tally import Tally
from core.failure.verdict import AuditScope, decide


def judged(models: Sequence[Model], fits: Mapping[str, ModalityFits], tally: Tally) -> list[Model]:
    """Return ``models`` with their verdicts: one for all seeds of a model.

    fits: of each modality, of any seed.
    """
    verdicts = {}
    for name in tally.models:
        seeds = [model for model in models if model.name == name]
        over_all = gate(tally.accuracies(name)[HOME], tally.chance())
        diagnostics = [over_all if each.name == over_all.name else each for each in pooled(seeds)]
        verdicts[name] = decide(diagnostics, scope_of(fits[seeds[0].modality], seeds[0].network))
    return [replace(model, verdict=verdicts[model.name]) for model in models]


def scope_of(fits: ModalityFits, network: str) -> AuditScope:
    """Return what the data of a modality allow to test of a ``network`` or plain classifier."""
    dataset = fits.dataset
    return AuditScope(
        dataset.train.groups is not None,
        True,
        "conflict" in dataset.tests,
        dataset.train.rgb is not None,
        fits.modality,
        dataset.spatial,
        fits.normalisation.words,
        len(dataset.train.classes) == 2 and (network == LINEAR or (network in KNOWN and KNOWN[network].linear)),
    )
