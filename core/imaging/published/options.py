"""What the methods of the papers can be told; importing it loads neither torch nor numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Stages = Literal["both", "axial", "coronal"]
Solver = Literal["projection", "dps", "mcg"]


@dataclass(frozen=True)
class Paper:
    """A method looks at its own settings alone.

    correlated: noise shared between neighbouring slices. ratio: of how many steps one is the auxiliary plane's (tpdm).
    resamples: most often that steps are taken, 1 is once (hierarchical, repaint); jump: how many steps at a time.
    stages: planes of the hierarchical method; conditioned: whether its second stage is told what the first made;
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
