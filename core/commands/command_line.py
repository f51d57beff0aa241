"""The command ``counterscan`` as far as the science goes; ``webapp.console`` adds the server's commands.

Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from typer.exceptions import TyperException

from core.commands.bids import bids_command
from core.commands.listing import list_tasks
from core.commands.many_scans import batch_command
from core.commands.run import task_commands
from core.commands.terminal import line_start, print_version
from core.declaration import Reference
from core.device import look_for_circles_rarely
from core.errors import UserError

PROGRAM = "counterscan"
STYLE: dict[str, Any] = {"add_completion": False, "pretty_exceptions_enable": False, "rich_markup_mode": None}
FORWARDED = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
# what ends a program in the usual course of things, besides SIGINT, which Python raises as KeyboardInterrupt
ENDINGS = (signal.SIGTERM, signal.SIGHUP)


def command_line() -> typer.Typer:
    """Return the command line of the science: tasks, run, batch, bids, train, pack, synth, failure, bench."""
    app = typer.Typer(no_args_is_help=True, **STYLE)
    app.callback()(_options)
    app.command("tasks")(list_tasks)
    app.add_typer(task_commands(), name="run")
    forward(app, "batch", batch_command, "Run a task on every scan of a table.")
    forward(app, "bids", bids_command, "Run a task on a BIDS data set.")
    _add_later(app, "train", "core.commands.train:train_command", "Train a network.")
    _add_later(app, "pack", "core.commands.packing:pack_command", "Pack training volumes into one file.")
    _add_later(app, "synth", "core.commands.synth:synth_command", "Make a synthetic subject.")
    _add_later(app, "failure", "core.commands.tissue:app", "Make simulated tissue for the failure lab.")
    _add_later(app, "bench", "core.commands.bench:app", "Measure every method on held-out scans.")
    return app


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Counterscan: pseudo-healthy brain scans."""


def forward(app: typer.Typer, name: str, call: Callable[[list[str]], object], text: str) -> None:
    """Add to ``app`` the command ``name``, which hands its arguments to ``call``; an int that it returns is the exit
    code. text: its help."""

    def command(context: typer.Context) -> None:
        code = call(context.args)
        if isinstance(code, int):
            raise typer.Exit(code)

    app.command(name, help=text, context_settings=FORWARDED, add_help_option=False)(command)


def load(target: str) -> typer.Typer:
    """Import ``target``, ``"module:attribute"``, a typer app or a function that typer can make a command of, and return
    it as an app."""
    found: Any = Reference(target).load()
    if isinstance(found, typer.Typer):
        return found
    single = typer.Typer(**STYLE)
    single.command()(found)
    return single


def _add_later(app: typer.Typer, name: str, target: str, text: str) -> None:
    """Add to ``app`` the command at ``target`` (see ``load``), imported when it is called."""

    def call(arguments: list[str]) -> object:
        return load(target)(args=arguments, prog_name=f"{PROGRAM} {name}", standalone_mode=False)

    forward(app, name, call, text)


def main(app: typer.Typer, arguments: Sequence[str] | None = None) -> int:
    """Run the command line ``app`` and return its exit code.

    arguments: those of the process if not given. 0: done. 2: a problem the user can solve, one line on stderr. 1: a
    fault of the program. 130: interrupted.
    """
    open_streams()
    look_for_circles_rarely()
    debug = os.environ.get("COUNTERSCAN_DEBUG", "") not in ("", "0")
    logging.basicConfig(level=logging.DEBUG if debug else logging.CRITICAL)
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with _endings_raised():
            code: object = app(args=given, prog_name=PROGRAM, standalone_mode=False)
    except TyperException as error:
        context = getattr(error, "ctx", None)
        if context is not None and error.message == context.get_help():
            # no command was given
            typer.echo(error.message, err=True)
            return 2
        return _refused(_usage(error, context.command_path if context is not None else PROGRAM))
    except UserError as error:
        return _refused(error)
    return code if isinstance(code, int) else 0


def open_streams() -> None:
    """Give stdin, stdout and stderr that were closed, as some schedulers do, to the null device: the first files that
    are opened would get their numbers, and with them what libraries report."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(handle, True)
    os.close(handle)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - for as long as the process runs


def leave(code: int) -> NoReturn:
    """End this process with the exit code ``code``, but do not take apart what was imported: that took 0.3 s.

    What was registered for the end of the process runs; a process whose threads still run ends as usual.
    """
    if threading.active_count() == 1:
        atexit._run_exitfuncs()
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:
            # nobody reads any more: Python has its own way to report that
            sys.exit(code)
        os._exit(code)
    sys.exit(code)


def _refused(error: UserError) -> int:
    typer.echo(f"{line_start()}Error: {error}", err=True)
    return 1 if error.code == "internal" else 2


def _usage(error: TyperException, command: str) -> UserError:
    sentence = " ".join(error.format_message().split()).rstrip(".")
    return UserError("bad_usage", f"{sentence}.", f"See {command} --help.")


@contextmanager
def _endings_raised() -> Iterator[None]:
    """Raise SystemExit at the signals that end a program, so that what is half done is removed, as at SIGINT.

    A signal that is ignored, as SIGHUP under nohup, or handled already, stays so.
    """

    def end(number: int, frame: FrameType | None) -> None:
        # a second one, as at the end of a login, must not break off the removal
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = [each for each in ENDINGS if signal.getsignal(each) is signal.SIG_DFL]
    for each in before:
        signal.signal(each, end)
    try:
        yield
    finally:
        for each in before:
            signal.signal(each, signal.SIG_DFL)
