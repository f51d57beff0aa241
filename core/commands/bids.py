"""``counterscan bids``: a BIDS app, a data set of images in, a data set of derivatives out."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.commands.many_scans import engine_options, finish_batch, require_success, run_scans, task_named
from core.commands.run import chosen_params, option, setting_options
from core.commands.terminal import print_version
from core.declaration import Task
from core.errors import UserError
from core.plurals import count
from core.tasks import find

if TYPE_CHECKING:
    from core.batch.scan_list import Scan

TASKS = ("inpaint", "superres", "translate")
LEVELS = ("participant",)
HELP = (
    "Run a task on a BIDS data set and write a data set of derivatives (a BIDS app). inpaint takes every T1w that has "
    "a lesion mask, superres every image with a voxel side above 1.2 mm, translate every session without the target."
)
# options after which several labels may stand, as BIDS apps take them
SEVERAL = ("--participant-label", "--session-label")


def bids_command(arguments: list[str]) -> object:
    """Run the command line of the BIDS app; the task that it names gives its further options."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    words = list(_spread(arguments))
    task = task_named(words)

    def command(**options: Any) -> None:
        _run(_known(task or find(options["task"])), options)

    command.__signature__ = inspect.Signature(_options(task))  # type: ignore[attr-defined]
    app.command(help=HELP)(command)
    return app(args=words, prog_name="counterscan bids", standalone_mode=False)


def _spread(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the arguments with one option for each label: ``--participant-label 01 02`` and the same with underscores
    are what BIDS apps take."""
    option_open, first = "", False
    for word in arguments:
        if word.startswith("-"):
            name = word.partition("=")[0].replace("_", "-")
            option_open, first = (name, True) if name in SEVERAL else ("", False)
            yield word.replace(word.partition("=")[0], name, 1) if name in SEVERAL else word
        elif option_open and not first:
            yield from (option_open, word)
        else:
            first = False
            yield word


def _known(task: Task) -> Task:
    if task.name not in TASKS:
        raise UserError("unknown_task", f"{task.name} does not run on a BIDS data set.", f"Choose {', '.join(TASKS)}.")
    return task


def _options(task: Task | None) -> list[inspect.Parameter]:
    def argument(name: str, kind: Any, text: str) -> inspect.Parameter:
        shown = typer.Argument(help=text, metavar=name.upper())
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, shown])

    def labels(name: str, text: str) -> inspect.Parameter:
        return option(name, list[str] | None, typer.Option(f"--{name.replace('_', '-')}", help=text), None)

    return [
        argument("dataset", Path, "The BIDS data set."),
        argument("out", Path, "Folder for the derivatives."),
        argument("level", str, "participant"),
        option(
            "task", str, typer.Option("--task", help=f"{', '.join(TASKS)}; with --help, its options.", metavar="TASK")
        ),
        labels("participant_label", "Participants, all if not given."),
        labels("session_label", "Sessions, all if not given."),
        option("lesion_label", str, typer.Option("--lesion-label", help="label- of the masks of inpaint."), "lesion"),
        option(
            "derivatives",
            list[Path] | None,
            typer.Option("--derivatives", help="Data sets with masks; all in DATASET/derivatives if not given."),
            None,
        ),
        option(
            "version",
            bool,
            typer.Option("--version", "-v", callback=print_version, is_eager=True, help="Print the version."),
            False,
        ),
        *engine_options(),
        *(setting_options(task) if task else ()),
    ]


def _run(task: Task, options: dict[str, Any]) -> None:
    from core.batch.run import Batch
    from core.bids.bids_dataset import derivatives_of, open_dataset, participants, sessions
    from core.bids.bids_derivatives import WORK, place, require_own, write_description, write_left_out
    from core.bids.bids_plan import Wish, plan

    if options["level"] not in LEVELS:
        raise UserError("bad_usage", f"There is no level {options['level'][:40]!r}.", "Give participant.")
    dataset, out, params = options["dataset"], options["out"], chosen_params(task, options)
    description = open_dataset(dataset)
    require_own(out, dataset)
    labels = participants(dataset, options["participant_label"] or ())
    wish = Wish(
        task.name,
        options["lesion_label"],
        tuple(options["derivatives"] or derivatives_of(dataset, out)),
        sessions(dataset, labels, options["session_label"] or ()),
        str(params.get("target", "flair")),
        bool(params.get("spacing")),
    )
    found = plan(dataset, labels, wish)
    for sentence in found.left_out if not options["quiet"] else ():
        typer.echo(f"Left out: {sentence}", err=True)
    if not found.planned:
        why = f" Left out: {found.left_out[0]}." if found.left_out else ""
        raise UserError("bids_wrong", f"The data set has nothing for {task.name}.{why}", "--help has what it takes.")
    write_description(out, dataset, description)
    listed = write_left_out(out / WORK / task.name, found.left_out)
    if listed and options["quiet"]:
        typer.echo(f"{count(len(found.left_out), 'image')} left out: {listed}", err=True)
    scans = tuple(one.scan for one in found.planned)
    batch = Batch(task, scans, out / WORK / task.name, params, options["device"], bool(options.get("deface")))
    planned = {one.scan.name: one for one in found.planned}

    def use(scan: Scan) -> None:
        place(out, task, planned[scan.name], batch.folder(scan), dataset)

    outcomes = run_scans(batch, options, use)
    finish_batch(batch, outcomes)
    typer.echo(out)
    require_success(outcomes, batch.out / "failed.csv")
