"""Which networks an examination trains."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.failure.data.modality import TITLES
from core.failure.data.parts import Study
from core.failure.models.networks import NETWORKS
from core.failure.models.remedies import MATCHED, REMEDIES, Remedy
from core.failure.probing import Depth


@dataclass(frozen=True)
class Plan:
    """What to train. remedies, networks: names; remedies other than plain training change the CNN. control: remedies
    on the stained pictures too. matched: also pictures blurred to the resolution of the infrared."""

    modalities: tuple[str, ...]
    remedies: tuple[str, ...]
    networks: tuple[str, ...]
    epochs: int
    seeds: tuple[int, ...]
    control: bool = False
    matched: bool = False
    device: str = "cpu"
    depth: Depth = field(default_factory=Depth)


@dataclass(frozen=True)
class Job:
    """One network to train."""

    remedy: Remedy
    network: str
    modality: str

    @property
    def name(self) -> str:
        """What it is called in the results."""
        own = self.remedy.name if self.network == "cnn" else f"{self.remedy.name}-{self.network}"
        return f"{self.modality}-{own}"

    @property
    def title(self) -> str:
        """The same for people."""
        network = "" if self.network == "cnn" else f", {NETWORKS[self.network].title}"
        return f"{TITLES[self.modality]}: {self.remedy.title}{network}"


def jobs(plan: Plan, study: Study) -> tuple[tuple[Job, ...], tuple[str, ...]]:
    """Return what of ``plan`` the data allow, and a sentence for each remedy that they do not."""
    made: list[Job] = []
    skipped: list[str] = []
    for modality in (each for each in ("rgb", "ir") if each in plan.modalities and each in study.modalities):
        whole = plan.control or modality == "ir" or plan.modalities == ("rgb",)
        made += [Job(REMEDIES["erm"], network, modality) for network in plan.networks]
        for name in plan.remedies:
            remedy = REMEDIES[name]
            lacking = _lacking(remedy, study)
            if lacking and modality == "ir":
                skipped.append(f"{remedy.title} was left out: {lacking}.")
            if name != "erm" and whole and not lacking:
                made.append(Job(remedy, "cnn", modality))
        if plan.matched and modality == "rgb":
            made.append(Job(MATCHED, "cnn", modality))
    return tuple(made), tuple(skipped)


def _lacking(remedy: Remedy, study: Study) -> str:
    """Return what of a remedy's needs the data lack; empty where nothing."""
    if remedy.images and not study.spatial:
        return "a spectrum alone has no other pixels"
    if remedy.groups and study.train.groups is None:
        return "no slides or patients are known"
    if remedy.balanced and study.balanced is None:
        return "there are no patches without the shortcut"
    return ""
