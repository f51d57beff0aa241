"""What the commands write on stderr while they work."""

from __future__ import annotations

import sys

import typer

from core.events import Event, Progress, Started
from core.result import Note


def show_event(event: Event) -> None:
    """Write what happens to stderr: one line that is rewritten on a terminal, one line for each event elsewhere."""
    start = line_start()
    if isinstance(event, Started):
        typer.echo(f"Running on {event.device}", err=True)
    if isinstance(event, Progress):
        line = f"{event.fraction:4.0%}  {event.text}" + (f" {event.step}/{event.steps}" if event.steps > 1 else "")
        last = event.fraction >= 1
        typer.echo(start + line, err=True, nl=last or not start)


def show_note(note: Note) -> None:
    """Write a note of a result to stderr."""
    typer.echo(f"{line_start()}{note.level.capitalize()}: {note.text}", err=True)


def line_start() -> str:
    """Return what clears the line of a terminal; nothing where stderr is no terminal."""
    return "\r\x1b[K" if sys.stderr.isatty() else ""
