"""What the commands write on stderr while they work."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import typer

from core import __version__
from core.events import Event, Progress, Started
from core.plurals import count
from core.result import Note

if TYPE_CHECKING:
    from core.batch.pace import Standing
    from core.batch.run import Outcome

# seconds that must have passed, and the part of the work that must be done, before what is left is guessed
FIRST_SECONDS, FIRST_SHARE = 20.0, 0.03


def write_beside(line: str) -> None:
    """Write ``line`` to stderr, beside what a command writes to stdout."""
    typer.echo(line, err=True)


def names_in(text: str) -> list[str]:
    """Return the names of a list with commas between, none for an empty one."""
    return [name.strip() for name in text.split(",") if name.strip()]


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
        return f", {_left_in_words(passed * (1 - fraction) / fraction)}"


class BatchLines:
    """Writes to stderr what becomes of the scans of a batch: a line for each, and on a terminal one that is rewritten
    with the rate and the time that is left. quiet: nothing but what failed."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._standing: Standing | None = None

    def ended(self, outcome: Outcome) -> None:
        """Write what became of a scan."""
        if outcome.error is not None:
            typer.echo(f"{line_start()}{outcome.scan.name}: failed. {outcome.error}", err=True)
        elif not self._quiet:
            # elsewhere than on a terminal this is all that is seen of the progress
            how_far = f"  ({_standing_in_words(self._standing)})" if self._standing and not line_start() else ""
            typer.echo(f"{line_start()}{outcome.scan.name}: {outcome.state}{how_far}", err=True)

    def again(self, outcome: Outcome) -> None:
        """Write why a scan failed that will be tried once more."""
        if not self._quiet:
            typer.echo(
                f"{line_start()}{outcome.scan.name}: failed, tried again after the others. {outcome.error}", err=True
            )

    def progress(self, standing: Standing) -> None:
        """Rewrite the line of a terminal."""
        self._standing = standing
        if line_start() and not self._quiet:
            now = ", ".join(f"{name[:24]} {fraction:.0%}" for name, fraction in standing.under_way.items())
            typer.echo(f"{line_start()}{_standing_in_words(standing)}{f' | {now}' if now else ''}", err=True, nl=False)


def _standing_in_words(standing: Standing) -> str:
    failed = standing.counts.get("failed", 0)
    parts = [f"{standing.ended} of {count(standing.scans, 'scan')}"]
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{standing.rate:.3g} an hour"] if standing.rate is not None else []
    parts += [_left_in_words(standing.left)] if standing.left else []
    return ", ".join(parts)


def _left_in_words(seconds: float) -> str:
    if seconds >= 5400:
        return f"about {seconds / 3600:.1f} h left"
    return (
        f"about {round(seconds / 60)} min left" if seconds >= 90 else f"about {max(10, round(seconds, -1)):.0f} s left"
    )


def show_note(note: Note) -> None:
    """Write a note of a result to stderr."""
    typer.echo(f"{line_start()}{note.level.capitalize()}: {note.text}", err=True)


def print_version(wanted: bool) -> None:
    """Print the version of the program and end the command, where that is wanted."""
    if wanted:
        typer.echo(f"counterscan {__version__}")
        raise typer.Exit


def line_start() -> str:
    """Return what clears the line of a terminal; nothing where stderr is no terminal."""
    return "\r\x1b[K" if sys.stderr.isatty() else ""
