"""The table of methods of every task; importing it loads neither torch nor scipy nor numpy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from core.events import Progress
    from core.imaging.problem import Estimate, Options


@dataclass(frozen=True)
class Method:
    """One way to do a task: where its function lives, what it follows, what it costs.

    cheap: a plain method, without a network of layers. paper: from one of the papers; ours is neither.
    also: further networks that it asks; expert: one that it asks if wished. steps: how many denoising steps it is
    meant for.
    """

    task: str
    name: str
    title: str
    function: str
    source: str
    cost: str
    cheap: bool
    weights: str = ""
    paper: bool = False
    also: tuple[str, ...] = ()
    expert: str = ""
    steps: int = 1

    @property
    def ours(self) -> bool:
        """Whether it is neither a plain method nor one of the papers'."""
        return not self.cheap and not self.paper

    def networks(self, expert: bool = False) -> tuple[str, ...]:
        """Return the weights it runs on, its own first, none for no network; expert: with those asked if wished."""
        wished = find("volume", self.task).networks() if expert and self.expert else ()
        return tuple(dict.fromkeys((self.weights, *self.also, *wished))) if self.weights else ()

    def load(self) -> Callable[[Any, Options], Generator[Progress, None, Estimate]]:
        """Import and return the method's function; what it takes depends on the task."""
        module, _, attribute = self.function.partition(":")
        return cast(
            "Callable[[Any, Options], Generator[Progress, None, Estimate]]", getattr(import_module(module), attribute)
        )


# name -> title, source, cost of the methods of the papers, the same for every task
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


def _paper(task: str, name: str) -> Method:
    """Return a method of the papers for ``task``: eight steps on the network of slices, fused or not."""
    title, source, cost = PAPERS[name]
    base = ("translate-regression",) if task == "translate" else ()
    own = Method(
        task,
        name,
        title,
        f"core.imaging.published.{name}:{task}",
        source,
        cost,
        False,
        f"{task}-plane",
        True,
        base,
        steps=8,
    )
    if name != "scorefusion":
        return own
    return replace(own, weights=f"{task}-fusion", also=(own.weights, *base), expert=f"{task}-volume")


METHODS: tuple[Method, ...] = (
    Method(
        "inpaint",
        "volume",
        "Counterscan network",
        "core.imaging.inpaint.network:volume",
        "x0-prediction in few variance-preserving steps, residual to the 3D biharmonic fill (ours)",
        "steps x samples network calls on the crop around the mask",
        cheap=False,
        weights="inpaint-volume",
    ),
    _paper("inpaint", "hierarchical"),
    _paper("inpaint", "scorefusion"),
    _paper("inpaint", "average"),
    _paper("inpaint", "tpdm"),
    _paper("inpaint", "slicewise"),
    _paper("inpaint", "repaint"),
    _paper("inpaint", "posterior"),
    Method(
        "inpaint",
        "biharmonic",
        "3D biharmonic",
        "core.imaging.inpaint.classical:biharmonic",
        "Smoothest surface through the known voxels: the squared Laplacian is 0 inside the mask",
        "no network; about a second",
        cheap=True,
    ),
    Method(
        "inpaint",
        "harmonic",
        "3D harmonic",
        "core.imaging.inpaint.classical:harmonic",
        "Laplace's equation inside the mask with the known voxels as boundary",
        "no network; under a second",
        cheap=True,
    ),
    Method(
        "inpaint",
        "shell",
        "Shell mean",
        "core.imaging.inpaint.classical:shell_mean",
        "Mean of the tissue within 8 mm around the mask",
        "no network; instant",
        cheap=True,
    ),
    Method(
        "inpaint",
        "mirror",
        "Mirrored hemisphere",
        "core.imaging.inpaint.mirror:mirror",
        "The other hemisphere across the registered midline, harmonic where that is masked too",
        "no network; a few seconds",
        cheap=True,
    ),
    Method(
        "superres",
        "volume",
        "Counterscan network",
        "core.imaging.superres.network:volume",
        "x0-prediction in few variance-preserving steps in the null space of the measurement, residual to the "
        "consistent cubic spline (ours)",
        "steps x samples network calls on the volume",
        cheap=False,
        weights="superres-volume",
    ),
    _paper("superres", "scorefusion"),
    _paper("superres", "average"),
    _paper("superres", "tpdm"),
    _paper("superres", "slicewise"),
    _paper("superres", "posterior"),
    Method(
        "superres",
        "cubic",
        "Cubic spline",
        "core.imaging.superres.network:cubic",
        "Cubic splines between slices; consistent: ten back-projections (Irani and Peleg 1991)",
        "no network; seconds",
        cheap=True,
    ),
    Method(
        "superres",
        "spline5",
        "Spline of order 5",
        "core.imaging.superres.network:spline5",
        "Splines of order 5 between slices; consistent: ten back-projections",
        "no network; seconds",
        cheap=True,
    ),
    Method(
        "superres",
        "linear",
        "Linear",
        "core.imaging.superres.network:linear",
        "Linear interpolation between slices; consistent: ten back-projections",
        "no network; seconds",
        cheap=True,
    ),
    Method(
        "superres",
        "nearest",
        "Nearest slice",
        "core.imaging.superres.network:nearest",
        "The nearest slice repeated; consistent: ten back-projections",
        "no network; instant",
        cheap=True,
    ),
    Method(
        "translate",
        "volume",
        "Counterscan network",
        "core.imaging.translate.network:volume",
        "x0-prediction in few variance-preserving steps from any of the four contrasts, residual to the regression, "
        "told what boosted trees say (ours)",
        "steps x samples network calls on the brain",
        cheap=False,
        weights="translate-volume",
        also=("translate-regression", "translate-trees"),
    ),
    _paper("translate", "scorefusion"),
    _paper("translate", "average"),
    _paper("translate", "tpdm"),
    _paper("translate", "slicewise"),
    Method(
        "translate",
        "regression",
        "Regression on voxels",
        "core.imaging.translate.regression:regression",
        "Piecewise-linear least squares on each voxel and its Gaussian surroundings in every source",
        "no network; seconds",
        cheap=True,
        weights="translate-regression",
    ),
    Method(
        "translate",
        "trees",
        "Boosted trees on patches",
        "core.imaging.translate.trees:trees",
        "Friedman 2001: 100 trees on each voxel, filters of its surroundings in every source, and its place",
        "no network; tens of seconds",
        cheap=True,
        weights="translate-trees",
    ),
)


def of_task(task: str) -> tuple[Method, ...]:
    """Return the methods of ``task``: ours first, then those of the papers, then the plain ones."""
    return tuple(method for method in METHODS if method.task == task)


def usual(task: str) -> tuple[Method, ...]:
    """Return the methods of ``task`` without those of the papers."""
    return tuple(method for method in of_task(task) if not method.paper)


def find(name: str, task: str) -> Method:
    """Return the method called ``name`` of ``task``; ``KeyError`` if there is none."""
    return {method.name: method for method in of_task(task)}[name]
