"""``counterscan run``: one command for each task, with one option for each input and parameter it declares."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any

import typer

from core.commands.terminal import ProgressLines, show_note
from core.declaration import Input, Param, Task
from core.result import RESULT
from core.tasks import TASKS

LEVELS = {"red": "RED", "amber": "AMBER", "none": "NONE FOUND", "unlearnt": "NOTHING LEARNT"}


def task_commands() -> typer.Typer:
    """Return the command ``run`` with a command for each task."""
    app = typer.Typer(help="Run a task on a scan.", no_args_is_help=True, rich_markup_mode=None)
    for task in TASKS:
        _add(app, task)
    return app


def _add(app: typer.Typer, task: Task) -> None:
    def command(**options: Any) -> None:
        _run(task, options)

    parameters = [
        *(_input_option(entry) for entry in task.inputs),
        option("out", Path, typer.Option("--out", help="Folder for the results.", metavar="FOLDER")),
        *setting_options(task),
        *_dicom_option(task),
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    app.command(task.name, help=task.summary)(command)


def setting_options(task: Task) -> list[inspect.Parameter]:
    """Return the options that say how ``task`` is run, whatever it is run on."""
    return [
        *(_param_option(param) for param in task.params),
        *_preset_option(task),
        option("device", str, typer.Option("--device", help="auto, cpu or cuda:0.", metavar="NAME"), "auto"),
        *_deface_option(task),
        option("quiet", bool, typer.Option("--quiet", help="Nothing but warnings and errors on stderr."), False),
    ]


def chosen_params(task: Task, options: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that the values of ``setting_options`` give; UserError bad_parameter."""
    params: dict[str, Any] = task.preset_params(options.get("preset"))
    return params | {param.name: options[param.name] for param in task.params if options[param.name] is not None}


def _input_option(entry: Input) -> inspect.Parameter:
    kind = Path if entry.required else Path | None
    shown = typer.Option(f"--{entry.name}", help=entry.help, metavar="FILE")
    return option(entry.name, kind, shown, inspect.Parameter.empty if entry.required else None)


def _param_option(param: Param) -> inspect.Parameter:
    if param.kind == "bool":
        names = f"--{param.option}/--no-{param.option}"
        return option(
            param.name, bool | None, typer.Option(names, help=param.help, show_default=str(param.default)), None
        )
    if param.kind == "axes":
        sizes = typer.Option(f"--{param.option}", help=param.help, metavar="X Y Z", show_default=False)
        return option(param.name, tuple[float, float, float] | None, sizes, None)
    if param.kind == "text":
        return option(param.name, str | None, _text(f"--{param.option}", param.help), None)
    bounds = f" {param.low:.10g} to {param.high:.10g} {param.unit}".rstrip() + "." if param.low is not None else ""
    choices = f" {', '.join(param.choices)}." if param.choices else ""
    text = _text(f"--{param.option}", param.help + bounds + choices, str(param.default))
    return option(param.name, str | None, text, None)


def _preset_option(task: Task) -> list[inspect.Parameter]:
    """Return the option that chooses a preset, none for a task without presets."""
    if not task.presets:
        return []
    text = _text("--preset", f"Settings at once: {', '.join(one.name for one in task.presets)}.")
    return [option("preset", str | None, text, None)]


def _deface_option(task: Task) -> list[inspect.Parameter]:
    """Return the switch that removes faces, none for a task without scans."""
    if all(entry.kind != "volume" for entry in task.inputs):
        return []
    text = "Remove the face from scans of whole heads first; your files stay as they are."
    return [option("deface", bool, typer.Option("--deface", help=text), False)]


def _dicom_option(task: Task) -> list[inspect.Parameter]:
    """Return the switch that writes the result as DICOM, none for a task without a result volume."""
    if all((output.name, output.kind) != (RESULT, "volume") for output in task.outputs):
        return []
    text = "Write the result as a DICOM series too, into FOLDER/dicom, derived from that of the scan it lies on."
    return [option("dicom", bool, typer.Option("--dicom", help=text), False)]


def _text(name: str, text: str, default: str | bool = False) -> Any:
    return typer.Option(name, help=text, metavar="VALUE", show_default=default)


def option(name: str, kind: Any, shown: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    """Return a parameter of a command: its type, how typer shows it, and its default, if it has one."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, shown], default=default)


def _run(task: Task, options: dict[str, Any]) -> None:
    from core import job

    inputs = {entry.name: options[entry.name] for entry in task.inputs if options[entry.name] is not None}
    listener = (lambda event: None) if options["quiet"] else ProgressLines()
    finished = job.run(
        task.name,
        inputs,
        options["out"],
        device=options["device"],
        deface=bool(options.get("deface")),
        dicom=bool(options.get("dicom")),
        on_event=listener,
        **chosen_params(task, options),
    )
    for verdict in finished.result.verdicts:
        typer.echo(f"{verdict.title}: {LEVELS[verdict.level]}. {verdict.text}")
        for reason in verdict.reasons:
            typer.echo(f"  - {reason}")
    for note in finished.result.notes:
        if note.level == "warning" or not options["quiet"]:
            show_note(note)
    for name, path in finished.files.items():
        typer.echo(f"{name}\t{path}")
