"""The command line: tasks | run | train | bench | pack. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import inspect
import json
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from core.declaration import Input, Param, Reference, Task
from core.errors import UserError
from core.events import Event, Progress, Started
from core.tasks import TASKS

LEVELS = {"red": "RED", "amber": "AMBER", "none": "NONE FOUND"}
FORWARDED = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}

app = typer.Typer(
    help="Counterscan: pseudo-healthy brain scans.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
run_app = typer.Typer(help="Run a task on a scan.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(run_app, name="run")


@app.command("tasks")
def list_tasks(as_json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False) -> None:
    """List the tasks with their inputs, parameters, methods and weights."""
    if as_json:
        from core.catalogue import catalogue

        typer.echo(json.dumps({"tasks": catalogue()}, indent=2))
        return
    for task in TASKS:
        typer.echo(f"{task.name:12} {task.summary}")
        listed = {"methods": [one.name for one in task.methods], "presets": [one.name for one in task.presets]}
        words = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in listed.items() if names)
        if words:
            typer.echo(f"{'':12} {words}")


def _forwarded(name: str, target: str, text: str) -> None:
    """Add the command ``name`` that hands its arguments to ``target`` (module:attribute), imported when called.

    The target is a typer app or a function that typer can make a command of.
    """

    def command(context: typer.Context) -> None:
        found: Any = Reference(target).load()
        if not isinstance(found, typer.Typer):
            single = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
            single.command()(found)
            found = single
        found(args=context.args, prog_name=f"python -m core {name}")

    app.command(name, help=text, context_settings=FORWARDED, add_help_option=False)(command)


_forwarded("train", "core.commands.train:train_command", "Train a network.")
_forwarded("pack", "core.commands.train:pack_command", "Pack training volumes into one file.")
_forwarded("synth", "core.commands.synth:synth_command", "Make a synthetic subject.")
_forwarded("failure", "core.commands.tissue:app", "Make simulated tissue for the failure lab.")
_forwarded("bench", "core.commands.bench:app", "Measure every method on held-out scans.")


def _add_task(task: Task) -> None:
    """Add ``run <task>`` with one option per input and parameter of its declaration."""

    def command(**options: Any) -> None:
        _run(task, options)

    parameters = [
        *(_input_option(entry) for entry in task.inputs),
        _option("out", Path, typer.Option("--out", help="Folder for the results.", metavar="FOLDER")),
        *(_param_option(param) for param in task.params),
        *_preset_option(task),
        _option("device", str, typer.Option("--device", help="auto, cpu or cuda:0.", metavar="NAME"), "auto"),
        _option("quiet", bool, typer.Option("--quiet", help="Neither progress nor notes on stderr."), False),
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run_app.command(task.name, help=task.summary)(command)


def _input_option(entry: Input) -> inspect.Parameter:
    kind = Path if entry.required else Path | None
    option = typer.Option(f"--{entry.name}", help=entry.help, metavar="FILE")
    return _option(entry.name, kind, option, inspect.Parameter.empty if entry.required else None)


def _param_option(param: Param) -> inspect.Parameter:
    if param.kind == "bool":
        names = f"--{param.name}/--no-{param.name}"
        return _option(
            param.name, bool | None, typer.Option(names, help=param.help, show_default=str(param.default)), None
        )
    if param.kind == "axes":
        sizes = typer.Option(f"--{param.name}", help=param.help, metavar="X Y Z", show_default=False)
        return _option(param.name, tuple[float, float, float] | None, sizes, None)
    bounds = f" {param.low:.10g} to {param.high:.10g} {param.unit}".rstrip() + "." if param.low is not None else ""
    choices = f" {', '.join(param.choices)}." if param.choices else ""
    text = _text(f"--{param.name}", param.help + bounds + choices, str(param.default))
    return _option(param.name, str | None, text, None)


def _preset_option(task: Task) -> list[inspect.Parameter]:
    """Return the option that chooses a preset, none for a task without presets."""
    if not task.presets:
        return []
    text = _text("--preset", f"Settings at once: {', '.join(_presets(task))}.")
    return [_option("preset", str | None, text, None)]


def _text(name: str, text: str, default: str | bool = False) -> Any:
    return typer.Option(name, help=text, metavar="VALUE", show_default=default)


def _option(name: str, kind: Any, option: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, option], default=default)


def _presets(task: Task) -> dict[str, dict[str, Any]]:
    return {preset.name: dict(preset.params) for preset in task.presets}


def _run(task: Task, options: dict[str, Any]) -> None:
    from core import job

    params = _preset(task, options.get("preset"))
    params |= {param.name: options[param.name] for param in task.params if options[param.name] is not None}
    inputs = {entry.name: options[entry.name] for entry in task.inputs if options[entry.name] is not None}
    heard = (lambda event: None) if options["quiet"] else _show
    finished = job.run(task.name, inputs, options["out"], device=options["device"], on_event=heard, **params)
    for verdict in finished.result.verdicts:
        typer.echo(f"{verdict.title}: {LEVELS[verdict.level]}. {verdict.text}")
        for reason in verdict.reasons:
            typer.echo(f"  - {reason}")
    for note in () if options["quiet"] else finished.result.notes:
        typer.echo(f"{note.level.capitalize()}: {note.text}", err=True)
    for name, path in finished.files.items():
        typer.echo(f"{name}\t{path}")


def _preset(task: Task, names: str | None) -> dict[str, Any]:
    """Return the settings of a preset, or of several with commas between, the later ones on top."""
    presets = _presets(task)
    chosen: dict[str, Any] = {}
    for name in [part.strip() for part in names.split(",")] if names is not None else []:
        if name not in presets:
            known = ", ".join(presets)
            raise UserError("bad_parameter", f"There is no preset {name[:40]!r}.", f"Choose one of: {known}.")
        chosen |= presets[name]
    return chosen


def _show(event: Event) -> None:
    """Say on stderr what happens: one line that is rewritten on a terminal, one line per event elsewhere."""
    start = _line_start()
    if isinstance(event, Started):
        typer.echo(f"Running on {event.device}", err=True)
    if isinstance(event, Progress):
        line = f"{event.fraction:4.0%}  {event.text}" + (f" {event.step}/{event.steps}" if event.steps > 1 else "")
        last = event.fraction >= 1
        typer.echo(start + line, err=True, nl=last or not start)


def _line_start() -> str:
    """Return what clears the line of a terminal; nothing where stderr is no terminal."""
    return "\r\x1b[K" if sys.stderr.isatty() else ""


for _task in TASKS:
    _add_task(_task)


def main() -> None:
    """Run the command line; a UserError is one line on stderr and exit code 2."""
    debug = os.environ.get("COUNTERSCAN_DEBUG", "") not in ("", "0")
    logging.basicConfig(level=logging.DEBUG if debug else logging.CRITICAL)
    try:
        app(prog_name="python -m core")
    except UserError as error:
        typer.echo(f"{_line_start()}Error: {error}", err=True)
        sys.exit(1 if error.code == "internal" else 2)


if __name__ == "__main__":
    main()
