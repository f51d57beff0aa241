"""What shifts are called: corruptions of the registry, and sets of patches away from home."""

from __future__ import annotations

from core.failure.corruptions.registry import CORRUPTIONS, OF_AMOUNT
from core.failure.titles import FIGURES, set_title

MILD = 3
"""The severity that counts for the verdict."""

LOSS = "drop "
"""Before the name of a shift: the figure of D12 that has the accuracy lost under it."""


def changes_amount(name: str) -> bool:
    """Return whether the shift ``name`` changes the amount of tissue or stain, as another site may: such a shift moves
    the number that a model may lean on."""
    return name not in CORRUPTIONS or name in OF_AMOUNT


def title_of(name: str) -> str:
    """Return what the shift ``name`` is called."""
    return CORRUPTIONS[name].title if name in CORRUPTIONS else set_title(name)


def when(name: str) -> str:
    """Return the shift ``name``, of severity 3, as the end of a sentence on what happens under it.

    >>> when("thickness_up"), when("external")
    ('when the section is thicker, severity 3', 'on external slides')
    """
    if name in CORRUPTIONS:
        return f"when {CORRUPTIONS[name].when}, severity {MILD}"
    return f"on {set_title(name).lower()}"


def figure_title(name: str) -> str:
    """Return what a further figure of a diagnostic is called: its own words, or those of a shift or a set.

    >>> figure_title("drop thickness_up"), figure_title("erank"), figure_title("conflict")
    ('loss, thicker section', 'effective rank', 'shortcut at random')
    """
    if name in FIGURES:
        return FIGURES[name]
    first, _, shift = name.partition(" ")
    if shift:
        return f"{FIGURES.get(first, first)}, {title_of(shift).lower()}"
    return title_of(name).replace("_", " ").lower()
