"""What the commands write on stderr while they work."""

from __future__ import annotations

import sys
import time

import typer

from core.events import Event, Progress, Started
from core.result import Note

# seconds that must have passed, and the part of the work that must be done, before what is left is guessed
FIRST_SECONDS, FIRST_SHARE = 20.0, 0.03


class ProgressLines:
    """Writes what happens to stderr: one line that is rewritten on a terminal, one line for each event elsewhere."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def __call__(self, event: Event) -> None:
        start = line_start()
        if isinstance(event, Started):
            typer.echo(f"Running on {event.device}", err=True)
        if isinstance(event, Progress):
            line = f"{event.fraction:4.0%}  {event.text}" + (f" {event.step}/{event.steps}" if event.steps > 1 else "")
            last = event.fraction >= 1
            typer.echo(start + line + self._left(event.fraction), err=True, nl=last or not start)

    def _left(self, fraction: float) -> str:
        """Return how long the rest will take in words, "" for a short run and while it cannot be guessed."""
        passed = time.monotonic() - self._begun
        if passed < FIRST_SECONDS or not FIRST_SHARE <= fraction < 1:
            return ""
        left = passed * (1 - fraction) / fraction
        return (
            f", about {round(left / 60)} min left" if left >= 90 else f", about {max(10, round(left, -1)):.0f} s left"
        )


def show_note(note: Note) -> None:
    """Write a note of a result to stderr."""
    typer.echo(f"{line_start()}{note.level.capitalize()}: {note.text}", err=True)


def line_start() -> str:
    """Return what clears the line of a terminal; nothing where stderr is no terminal."""
    return "\r\x1b[K" if sys.stderr.isatty() else ""
