"""What the imaging tasks declare alike; importing it loads neither torch nor numpy."""

from __future__ import annotations

from typing import Literal

from core.declaration import Input, Measure, Output, Param, Value
from core.imaging.methods import of_task
from core.imaging.published.options import Paper

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
SLICES = Measure(
    "consistency",
    "Slices X · Y · Z",
    "Steps between neighbouring slices beside the reference's, or without one beside the mean of the three axes. "
    "1 is natural, less is blur, more is tearing.",
)
SEED = Param("seed", "int", 0, "Seed", "The same seed gives the same result.", low=0, high=2**31 - 1, advanced=True)
STEPS = Param(
    "steps",
    "int",
    0,
    "Steps",
    "Denoising steps of each sample. 0: as many as the method is meant for, 1 for ours and 8 for those of the papers.",
    low=0,
    high=8,
)
COMPARE = Param("compare", "bool", True, "Compare", "Also runs the plain methods beside the chosen one.", advanced=True)
RUN_RECORD = Output("run", "json", "Run record")
REPORT = Output("report", "html", "Report")


def beside(task: str) -> Param:
    """Return the choice of methods of ``task`` that are run beside the chosen one."""
    return Param(
        "beside",
        "several",
        (),
        "Compare methods",
        "More methods to run on the same scan, beside the chosen one.",
        choices=names(task),
        advanced=True,
    )


def papers(task: str) -> tuple[Param, ...]:
    """Return what the methods of the papers for ``task`` can be told; others ignore it."""
    known = names(task)
    return tuple(param for owner, param in _PAPERS if owner in known)


def names(task: str) -> tuple[str, ...]:
    """Return the names of the methods of ``task``, ours first."""
    return tuple(method.name for method in of_task(task))


def methods(task: str, help: str) -> Param:
    """Return the choice among the methods of ``task``, ours first."""
    return Param("method", "choice", "volume", "Method", help, choices=names(task))


def mode(what: str, steps: int, also: str = "", *, advanced: bool = False) -> Param:
    """Return the choice between the most likely ``what`` and one sample, for which ``steps`` are best.

    also: what else is to be known of the sample, " such as this".
    """
    return Param(
        "mode",
        "choice",
        "faithful",
        "Mode",
        f"Faithful gives the most likely {what}; realistic one sample with its fine texture{also}, best with {steps} "
        "steps.",
        choices=("faithful", "realistic"),
        advanced=advanced,
    )


def weights(task: str) -> tuple[str, ...]:
    """Return the weights that the methods of ``task`` need."""
    used = [name for method in of_task(task) for name in (method.weights, *method.also) if name]
    return tuple(dict.fromkeys(used))


def _paper(
    owner: str,
    name: str,
    kind: Literal["int", "float", "choice", "bool"],
    title: str,
    help: str,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> tuple[str, Param]:
    """Return the method that a parameter belongs to and the parameter, whose default is that of ``Paper``."""
    default: Value = getattr(Paper(), name)
    return owner, Param(name, kind, default, title, help, low, high, choices, advanced=True, paper=True)


_PAPERS = (
    _paper(
        "slicewise",
        "correlated",
        "bool",
        "Shared noise",
        "Methods of slices: neighbouring slices share their noise, so that they are drawn to the same tissue.",
    ),
    _paper("tpdm", "ratio", "int", "Turns", "Planes in turns: of how many steps one is the second plane's.", 2, 8),
    _paper(
        "hierarchical",
        "stages",
        "choice",
        "Stages",
        "Hierarchical: both stages, or one of them alone.",
        choices=("both", "axial", "coronal"),
    ),
    _paper("hierarchical", "conditioned", "bool", "Told the first stage", "Hierarchical: the second stage sees it."),
    _paper(
        "hierarchical",
        "start",
        "float",
        "Second stage starts at",
        "Hierarchical: how far back towards noise the second stage begins.",
        0.125,
        1,
    ),
    _paper(
        "repaint",
        "resamples",
        "int",
        "Resampling",
        "Hierarchical and resampling: most often that a step is taken, 1 is once.",
        1,
        10,
    ),
    _paper("repaint", "jump", "int", "Jump", "Hierarchical and resampling: how many steps are taken again.", 1, 4),
    _paper("scorefusion", "volume", "bool", "Counterscan as expert", "Score-Fusion: our network is one more expert."),
    _paper(
        "posterior",
        "solver",
        "choice",
        "Solver",
        "Posterior: projection needs no gradients; dps and mcg take two to three times as long.",
        choices=("projection", "dps", "mcg"),
    ),
    _paper("posterior", "chain", "bool", "Chain", "Posterior: each sample starts from the one before."),
)
