"""What the imaging tasks declare alike; importing it loads neither torch nor numpy."""

from __future__ import annotations

from collections.abc import Sequence

from core.declaration import Input, Measure, Method, Param

REFERENCE = Input(
    "reference",
    "volume",
    "Reference",
    "The true scan, where you have it: every result is measured against it. Any grid in the same space.",
    required=False,
    label="The true scan, to measure against",
    folded="I have the truth",
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
STEPS = Param(
    "steps",
    "int",
    0,
    "Steps",
    "Denoising steps of each sample. 0: as many as the method is meant for, 1 for ours and 8 for those of the papers.",
    low=0,
    high=8,
    advanced=True,
)
COMPARE = Param("compare", "bool", True, "Compare", "Also runs the plain methods beside the chosen one.", advanced=True)


def method(methods: Sequence[Method], help: str) -> Param:
    """Return the choice among ``methods``, the first of them by default."""
    return Param(
        "method",
        "choice",
        methods[0].name,
        "Method",
        help,
        choices=_names(methods),
        titles=_titles(methods),
        advanced=True,
    )


def beside(methods: Sequence[Method]) -> Param:
    """Return the choice of those of ``methods`` that are run beside the chosen one."""
    return Param(
        "beside",
        "several",
        (),
        "Compare methods",
        "More methods to run on the same scan, beside the chosen one.",
        choices=_names(methods),
        titles=_titles(methods),
        advanced=True,
    )


def mode(what: str, sample: str) -> Param:
    """Return the choice between the most likely ``what`` and one ``sample``, which is described in words."""
    return Param(
        "mode",
        "choice",
        "faithful",
        "Mode",
        f"Faithful gives the most likely {what}; realistic one with its fine texture, {sample}.",
        choices=("faithful", "realistic"),
        advanced=True,
    )


def _titles(methods: Sequence[Method]) -> dict[str, str]:
    return {method.name: method.title for method in methods}


def _names(methods: Sequence[Method]) -> tuple[str, ...]:
    return tuple(method.name for method in methods)
