"""How networks are to sample, and the settings of published methods; importing it loads neither torch nor numpy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["faithful", "realistic"]
Stages = Literal["both", "axial", "coronal"]
Solver = Literal["projection", "dps", "mcg"]

# network calls for the mean that a Realistic fill starts from: the volume as it is and mirrored
MEAN_CALLS = 2


@dataclass(frozen=True)
class PublishedOptions:
    """Settings of the methods of papers; a method reads its own alone.

    correlated: noise shared between neighbouring slices. ratio: of how many steps one is the auxiliary plane's (tpdm).
    resamples: most often that steps are taken, 1 is once (hierarchical, repaint); jump: how many steps at a time.
    stages: planes of the hierarchical method; conditioned: whether its second stage sees what the first made;
    start: how much of the noise it begins with, as a time of the schedule.
    volume: whether our 3D network is one more expert (scorefusion).
    solver: of the posterior; chain: whether its samples start from one another.
    """

    correlated: bool = True
    ratio: int = 2
    resamples: int = 3
    jump: int = 1
    stages: Stages = "both"
    conditioned: bool = True
    start: float = 0.625
    volume: bool = False
    solver: Solver = "projection"
    chain: bool = False


@dataclass(frozen=True)
class Options:
    """How to sample: used by networks; classical methods look at ``consistent`` alone.

    steps: denoising steps of each sample, 1 to 8; samples: how many are drawn; seed: of their noise.
    consistent: make the result agree with what was measured, where the task measures (super-resolution).
    opposite: a Realistic fill may take its folds from the other hemisphere.
    adapt: steps by which our network learns from the scan's own slices first (super-resolution), 0 for none.
    """

    mode: Mode = "faithful"
    steps: int = 1
    samples: int = 1
    seed: int = 0
    device: str = "cpu"
    consistent: bool = True
    opposite: bool = True
    adapt: int = 0
    published: PublishedOptions = field(default_factory=PublishedOptions)
