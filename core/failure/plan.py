"""The networks that a run trains, from its parameters and what the data allow."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.failure.data.dataset import Dataset
from core.failure.data.modality import TITLES
from core.failure.diagnostics.battery import Depth
from core.failure.models.networks import NETWORKS
from core.failure.models.remedies import MATCHED, REMEDIES, Remedy
from core.failure.task import Settings

QUICK_SEVERITIES = (1, 3, 5)


@dataclass(frozen=True)
class Plan:
    """What to train. remedies, networks: names; remedies other than plain training change the CNN. control: remedies
    on the stained pictures too. matched: also pictures blurred to the resolution of the infrared. sweep: also the
    contamination sweep."""

    modalities: tuple[str, ...]
    remedies: tuple[str, ...]
    networks: tuple[str, ...]
    epochs: int
    seeds: tuple[int, ...]
    control: bool = False
    matched: bool = False
    sweep: bool = False
    device: str = "cpu"
    depth: Depth = field(default_factory=Depth)


@dataclass(frozen=True)
class NetworkToTrain:
    """One network, the remedy it is trained by and the modality it sees."""

    remedy: Remedy
    network: str
    modality: str

    @property
    def name(self) -> str:
        """Its name in the results."""
        own = self.remedy.name if self.network == "cnn" else f"{self.remedy.name}-{self.network}"
        return f"{self.modality}-{own}"

    @property
    def title(self) -> str:
        """Its title for people."""
        network = "" if self.network == "cnn" else f", {NETWORKS[self.network].title}"
        return f"{TITLES[self.modality]}: {self.remedy.title}{network}"

    def work(self, epochs: int) -> float:
        """Return its training in epochs of plain training, for ``epochs`` of plain training."""
        return epochs * self.remedy.epochs * self.remedy.members


def plan_of(settings: Settings, device: str) -> Plan:
    """Return the plan of the task's ``settings``, on ``device``."""
    quick = settings.depth == "quick"
    return Plan(
        settings.modalities,
        settings.remedies,
        settings.networks,
        settings.epochs,
        tuple(settings.seed + number for number in range(settings.seeds)),
        settings.control,
        settings.matched,
        settings.sweep,
        device,
        Depth(severities=QUICK_SEVERITIES, bands=False) if quick else Depth(),
    )


def networks_to_train(plan: Plan, dataset: Dataset) -> tuple[tuple[NetworkToTrain, ...], tuple[str, ...]]:
    """Return the networks of ``plan`` that the data allow, and a sentence for each remedy that they do not."""
    wanted: list[NetworkToTrain] = []
    skipped: list[str] = []
    for modality in (each for each in ("rgb", "ir") if each in plan.modalities and each in dataset.modalities):
        with_remedies = plan.control or modality == "ir" or plan.modalities == ("rgb",)
        wanted += [NetworkToTrain(REMEDIES["erm"], network, modality) for network in plan.networks]
        for name in plan.remedies:
            remedy = REMEDIES[name]
            missing = _missing(remedy, dataset)
            if missing and modality == "ir":
                skipped.append(f"{remedy.title} was left out: {missing}.")
            if name != "erm" and with_remedies and not missing:
                wanted.append(NetworkToTrain(remedy, "cnn", modality))
        if plan.matched and modality == "rgb":
            wanted.append(NetworkToTrain(MATCHED, "cnn", modality))
    return tuple(wanted), tuple(skipped)


def _missing(remedy: Remedy, dataset: Dataset) -> str:
    """Return which of a remedy's needs the data do not meet; empty where they meet all."""
    if remedy.images and not dataset.spatial:
        return "a spectrum alone has no other pixels"
    if remedy.groups and dataset.train.groups is None:
        return "no slides or patients are known"
    if remedy.balanced and dataset.balanced is None:
        return "there are no patches without the shortcut"
    return ""
