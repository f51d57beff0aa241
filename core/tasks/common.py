"""What the imaging tasks declare alike; importing it loads neither torch nor numpy."""

from __future__ import annotations

from core.methods import of_task
from core.tasks.base import Input, Measure, Output, Param

REFERENCE = Input(
    "reference",
    "volume",
    "Reference",
    "The true scan, where you have it: every result is measured against it. Any grid in the same space.",
    required=False,
)
AGAINST_REFERENCE = (
    Measure("psnr", "PSNR", "Peak signal-to-noise ratio against the reference. Higher is nearer to it.", 2, "dB"),
    Measure("ssim", "SSIM", "Structural similarity with the reference. 1 is alike.", 3),
    Measure("mae", "MAE", "Mean absolute difference from the reference, in parts of its bright tissue.", 4),
)
COST = (
    Measure("calls", "Calls", "Network evaluations.", 0),
    Measure("seconds", "Time", "Seconds this method took.", 1, "s"),
)
SEED = Param("seed", "int", 0, "Seed", "The same seed gives the same result.", low=0, high=2**31 - 1, advanced=True)
STEPS = Param("steps", "int", 1, "Steps", "Denoising steps of each sample.", low=1, high=8)
COMPARE = Param("compare", "bool", True, "Compare", "Also runs the plain methods beside the chosen one.", advanced=True)
RUN_RECORD = Output("run", "json", "Run record")
REPORT = Output("report", "html", "Report")


def names(task: str) -> tuple[str, ...]:
    """Return the names of the methods of ``task``, ours first."""
    return tuple(method.name for method in of_task(task))


def methods(task: str, help: str) -> Param:
    """Return the choice among the methods of ``task``, ours first."""
    return Param("method", "choice", "volume", "Method", help, choices=names(task))


def mode(what: str, steps: int, *, advanced: bool = False) -> Param:
    """Return the choice between the most likely ``what`` and one sample, for which ``steps`` are best."""
    return Param(
        "mode",
        "choice",
        "faithful",
        "Mode",
        f"Faithful gives the most likely {what}; realistic one sample with its fine texture, best with {steps} steps.",
        choices=("faithful", "realistic"),
        advanced=advanced,
    )


def weights(task: str) -> tuple[str, ...]:
    """Return the weights that the methods of ``task`` need."""
    return tuple(name for method in of_task(task) for name in (method.weights, method.realistic) if name)
