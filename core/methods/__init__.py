"""The table of inpainting methods; importing it loads neither torch nor scipy nor numpy."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from core.methods.base import FillMethod


@dataclass(frozen=True)
class Method:
    """One way to fill a hole: where its function lives, what it follows, what it costs."""

    name: str
    title: str
    function: str
    source: str
    cost: str
    cheap: bool
    weights: str = ""

    def load(self) -> FillMethod:
        """Import and return the method's function."""
        module, _, attribute = self.function.partition(":")
        return cast("FillMethod", getattr(import_module(module), attribute))


METHODS: tuple[Method, ...] = (
    Method(
        "volume",
        "Counterscan network",
        "core.methods.volume:fill",
        "x0-prediction in few variance-preserving steps, residual to the 3D biharmonic fill (ours)",
        "steps x samples network calls on the crop around the mask",
        cheap=False,
        weights="inpaint-volume",
    ),
    Method(
        "biharmonic",
        "3D biharmonic",
        "core.methods.classical:biharmonic",
        "Smoothest surface through the known voxels: the squared Laplacian is 0 inside the mask",
        "no network; about a second",
        cheap=True,
    ),
    Method(
        "harmonic",
        "3D harmonic",
        "core.methods.classical:harmonic",
        "Laplace's equation inside the mask with the known voxels as boundary",
        "no network; under a second",
        cheap=True,
    ),
    Method(
        "shell",
        "Shell mean",
        "core.methods.classical:shell_mean",
        "Mean of the tissue within 8 mm around the mask",
        "no network; instant",
        cheap=True,
    ),
    Method(
        "mirror",
        "Mirrored hemisphere",
        "core.methods.mirror:mirror",
        "The other hemisphere across the registered midline, harmonic where that is masked too",
        "no network; a few seconds",
        cheap=True,
    ),
)


def find(name: str) -> Method:
    """Return the method called ``name``; ``KeyError`` if there is none."""
    return {method.name: method for method in METHODS}[name]
