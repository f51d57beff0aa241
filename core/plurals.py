"""Numbers of things in words."""

from __future__ import annotations


def count(number: int | str, noun: str) -> str:
    """Return a number of things: ``1 rater``, ``4 raters``; ``number`` may be written already."""
    return f"{number} {noun}" if str(number) == "1" else f"{number} {noun}s"
