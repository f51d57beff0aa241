"""The table of methods of every task; importing it loads neither torch nor scipy nor numpy."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from core.events import Progress
    from core.methods.base import Estimate, Options


@dataclass(frozen=True)
class Method:
    """One way to do a task: where its function lives, what it follows, what it costs.

    realistic: the weights of that mode, where they are others than ``weights``.
    """

    task: str
    name: str
    title: str
    function: str
    source: str
    cost: str
    cheap: bool
    weights: str = ""
    realistic: str = ""

    def weights_of(self, mode: object) -> str:
        """Return the weights that ``mode`` ("faithful" or "realistic") runs on, "" where there is no network."""
        return self.realistic if self.realistic and mode == "realistic" else self.weights

    def load(self) -> Callable[[Any, Options], Generator[Progress, None, Estimate]]:
        """Import and return the method's function; what it takes depends on the task."""
        module, _, attribute = self.function.partition(":")
        return cast(
            "Callable[[Any, Options], Generator[Progress, None, Estimate]]", getattr(import_module(module), attribute)
        )


METHODS: tuple[Method, ...] = (
    Method(
        "inpaint",
        "volume",
        "Counterscan network",
        "core.methods.inpaint:volume",
        "x0-prediction in few variance-preserving steps, residual to the 3D biharmonic fill (ours)",
        "steps x samples network calls on the crop around the mask",
        cheap=False,
        weights="inpaint-volume",
        realistic="inpaint-samples",
    ),
    Method(
        "inpaint",
        "biharmonic",
        "3D biharmonic",
        "core.methods.classical:biharmonic",
        "Smoothest surface through the known voxels: the squared Laplacian is 0 inside the mask",
        "no network; about a second",
        cheap=True,
    ),
    Method(
        "inpaint",
        "harmonic",
        "3D harmonic",
        "core.methods.classical:harmonic",
        "Laplace's equation inside the mask with the known voxels as boundary",
        "no network; under a second",
        cheap=True,
    ),
    Method(
        "inpaint",
        "shell",
        "Shell mean",
        "core.methods.classical:shell_mean",
        "Mean of the tissue within 8 mm around the mask",
        "no network; instant",
        cheap=True,
    ),
    Method(
        "inpaint",
        "mirror",
        "Mirrored hemisphere",
        "core.methods.mirror:mirror",
        "The other hemisphere across the registered midline, harmonic where that is masked too",
        "no network; a few seconds",
        cheap=True,
    ),
    Method(
        "superres",
        "volume",
        "Counterscan network",
        "core.methods.superres:volume",
        "x0-prediction in few variance-preserving steps in the null space of the measurement, residual to the "
        "consistent cubic spline (ours)",
        "steps x samples network calls on the volume",
        cheap=False,
        weights="superres-volume",
    ),
    Method(
        "superres",
        "cubic",
        "Cubic spline",
        "core.methods.superres:cubic",
        "Cubic splines between slices; consistent: ten back-projections (Irani and Peleg 1991)",
        "no network; seconds",
        cheap=True,
    ),
    Method(
        "superres",
        "spline5",
        "Spline of order 5",
        "core.methods.superres:spline5",
        "Splines of order 5 between slices; consistent: ten back-projections",
        "no network; seconds",
        cheap=True,
    ),
    Method(
        "superres",
        "linear",
        "Linear",
        "core.methods.superres:linear",
        "Linear interpolation between slices; consistent: ten back-projections",
        "no network; seconds",
        cheap=True,
    ),
    Method(
        "superres",
        "nearest",
        "Nearest slice",
        "core.methods.superres:nearest",
        "The nearest slice repeated; consistent: ten back-projections",
        "no network; instant",
        cheap=True,
    ),
    Method(
        "translate",
        "volume",
        "Counterscan network",
        "core.methods.translate:volume",
        "x0-prediction in few variance-preserving steps from any of the four contrasts, residual to the regression "
        "(ours)",
        "steps x samples network calls on the brain",
        cheap=False,
        weights="translate-volume",
    ),
    Method(
        "translate",
        "regression",
        "Regression on voxels",
        "core.methods.regression:regression",
        "Piecewise-linear least squares on each voxel and its Gaussian surroundings in every source",
        "no network; seconds",
        cheap=True,
        weights="translate-regression",
    ),
)


def of_task(task: str) -> tuple[Method, ...]:
    """Return the methods of ``task``, ours first."""
    return tuple(method for method in METHODS if method.task == task)


def find(name: str, task: str) -> Method:
    """Return the method called ``name`` of ``task``; ``KeyError`` if there is none."""
    return {method.name: method for method in of_task(task)}[name]
