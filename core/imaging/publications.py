"""The methods of papers, described once for every task that has them; importing it loads neither torch nor numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from core.declaration import Method, Param, Value
from core.imaging.options import PublishedOptions

# name -> title, source, cost, the same for every task
PAPERS = {
    "hierarchical": (
        "Hierarchical",
        "Kwark et al. 2025: axial slices, then coronal ones from part of the noise, with adaptive resampling",
        "one plane and part of another, times what is taken again",
    ),
    "scorefusion": (
        "Score-Fusion",
        "Zhu et al. 2025: a 3D head weighs the scores of three planes, voxel by voxel",
        "steps x samples x (the slices of three planes + one of the head)",
    ),
    "average": (
        "Average of planes",
        "Zhu et al. 2025: the mean of the scores of three planes (TOSM, MADM)",
        "steps x samples x the slices of three planes",
    ),
    "tpdm": (
        "Planes in turns (TPDM)",
        "Lee et al. 2023: two perpendicular priors, one step each in turns",
        "steps x samples x the slices of one plane",
    ),
    "slicewise": (
        "Slice by slice",
        "Saharia et al. 2022 (Palette), 2.5D as in Zhu et al. 2025: one plane, slices by themselves",
        "steps x samples x the slices of one plane",
    ),
    "repaint": (
        "Resampling (RePaint)",
        "Lugmayr et al. 2022: slices of one plane, every step taken again from further back",
        "resamples x steps x samples x the slices of one plane",
    ),
    "posterior": (
        "Posterior solver",
        "Wang et al. 2023 (DDNM), Chung et al. 2022 and 2023 (MCG, DPS): three planes, held to what was measured",
        "steps x samples x the slices of three planes, twice that with gradients",
    ),
}
# denoising steps that they are meant for
STEPS = 8


def methods(task: str, names: Sequence[str], expert: Sequence[str], also: Sequence[str] = ()) -> tuple[Method, ...]:
    """Return the methods of papers called ``names`` for ``task``, whose functions bear its name.

    They run on the network of slices ``<task>-plane``, Score-Fusion on the head ``<task>-fusion`` as well.
    expert: the weights of our own network, which Score-Fusion may run on. also: further weights that all need.
    """
    return tuple(_method(task, name, tuple(expert), tuple(also)) for name in names)


def _method(task: str, name: str, expert: tuple[str, ...], also: tuple[str, ...]) -> Method:
    title, source, cost = PAPERS[name]
    function, plane = f"core.imaging.published.{name}:{task}", f"{task}-plane"
    if name != "scorefusion":
        return Method(name, title, function, source, cost, False, plane, True, also, steps=STEPS)
    return Method(name, title, function, source, cost, False, f"{task}-fusion", True, (plane, *also), expert, STEPS)


def settings(taken: Sequence[Method]) -> tuple[Param, ...]:
    """Return the settings of those methods of papers that are among ``taken``; other methods ignore them."""
    known = {method.name for method in taken}
    return tuple(param for owner, param in _SETTINGS if owner in known)


def _setting(
    owner: str,
    name: str,
    kind: Literal["int", "float", "choice", "bool"],
    title: str,
    help: str,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> tuple[str, Param]:
    """Return the method that a parameter belongs to and the parameter, with the default of ``PublishedOptions``."""
    default: Value = getattr(PublishedOptions(), name)
    return owner, Param(name, kind, default, title, help, low, high, choices, advanced=True, paper=True)


_SETTINGS = (
    _setting(
        "slicewise",
        "correlated",
        "bool",
        "Shared noise",
        "Methods of slices: neighbouring slices share their noise, so that they are drawn to the same tissue.",
    ),
    _setting("tpdm", "ratio", "int", "Turns", "Planes in turns: of how many steps one is the second plane's.", 2, 8),
    _setting(
        "hierarchical",
        "stages",
        "choice",
        "Stages",
        "Hierarchical: both stages, or one of them alone.",
        choices=("both", "axial", "coronal"),
    ),
    _setting("hierarchical", "conditioned", "bool", "First stage seen", "Hierarchical: the second stage sees it."),
    _setting(
        "hierarchical",
        "start",
        "float",
        "Second stage starts at",
        "Hierarchical: how far back towards noise the second stage begins.",
        0.125,
        1,
    ),
    _setting(
        "repaint",
        "resamples",
        "int",
        "Resampling",
        "Hierarchical and resampling: most often that a step is taken, 1 is once.",
        1,
        10,
    ),
    _setting("repaint", "jump", "int", "Jump", "Hierarchical and resampling: how many steps are taken again.", 1, 4),
    _setting("scorefusion", "volume", "bool", "Counterscan as expert", "Score-Fusion: our network is one more expert."),
    _setting(
        "posterior",
        "solver",
        "choice",
        "Solver",
        "Posterior: projection needs no gradients; dps and mcg take two to three times as long.",
        choices=("projection", "dps", "mcg"),
    ),
    _setting("posterior", "chain", "bool", "Chain", "Posterior: each sample starts from the one before."),
)
