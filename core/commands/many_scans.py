"""``counterscan batch``: many scans of a table through one task, with one option for each parameter of the task."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.commands.run import chosen_params, option, setting_options
from core.commands.terminal import BatchLines, line_start
from core.declaration import Task
from core.errors import UserError
from core.plurals import count
from core.tasks import TASKS, find

if TYPE_CHECKING:
    from core.batch.run import Batch, Outcome
    from core.batch.scan_list import Scan
    from core.engine.protocol import Engine

MOST_WORKERS = 64
HELP = (
    "Run a task on every scan of a table. Each row is one scan: a column for each input (t1, mask), with paths "
    "relative to the table; for a parameter, where scans differ in it; name, where the names of files will not do."
)


def batch_command(arguments: list[str]) -> object:
    """Run the command line of a batch; the task that it names gives its further options."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    task = task_named(arguments)

    def command(**options: Any) -> None:
        # --task is required, so without it nothing comes here
        _run(task or find(options["task"]), options)

    command.__signature__ = inspect.Signature(_options(task))  # type: ignore[attr-defined]
    app.command(help=HELP)(command)
    return app(args=arguments, prog_name="counterscan batch", standalone_mode=False)


def task_named(arguments: Sequence[str]) -> Task | None:
    """Return the task that the arguments name, None where they name none; UserError unknown_task."""
    given = [word.partition("=")[2] for word in arguments if word.startswith("--task=")]
    given += [after for word, after in pairwise(arguments) if word == "--task"]
    return find(given[-1]) if given else None


def _options(task: Task | None) -> list[inspect.Parameter]:
    names = ", ".join(each.name for each in TASKS)
    manifest = typer.Argument(help="Table of scans (CSV).", metavar="MANIFEST")
    return [
        inspect.Parameter("manifest", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[Path, manifest]),
        option("task", str, typer.Option("--task", help=f"{names}; with --help, its options.", metavar="TASK")),
        option("out", Path, typer.Option("--out", help="Folder for the results.", metavar="FOLDER")),
        *engine_options(),
        option("resume", bool, typer.Option("--resume", help="Go on: keep what is done and unchanged."), False),
        *(setting_options(task) if task else ()),
    ]


def engine_options() -> list[inspect.Parameter]:
    """Return the options that say where scans are computed."""
    workers = typer.Option("--workers", min=1, max=MOST_WORKERS, help="Scans at a time.")
    engine = typer.Option("--engine", help="Where they are computed: local, ray or ray://HOST:PORT.", metavar="NAME")
    return [option("workers", int, workers, 1), option("engine", str, engine, "local")]


def open_engine(options: Mapping[str, Any], task: Task, params: Mapping[str, Any]) -> Engine:
    """Return the engine that the options choose, its workers ready for ``task``; UserError as of
    ``core.engine.engine_choice.open_engine``."""
    from core.engine import engine_choice

    method = task.parse(params).get("method")
    networks = any(each.name == method and not each.cheap for each in task.methods)
    warm = (task.name,) if networks else ()
    return engine_choice.open_engine(options["engine"], options["device"], options["workers"], warm=warm)


def _run(task: Task, options: dict[str, Any]) -> None:
    from core.batch.batch_page import PAGE, require_free
    from core.batch.batch_tables import FAILED, SUMMARY
    from core.batch.completion import STATE
    from core.batch.run import Batch
    from core.batch.scan_list import read_scans
    from core.output_folder import held

    out, params = options["out"], chosen_params(task, options)
    listed = read_scans(options["manifest"], task, (PAGE, SUMMARY, FAILED))
    if listed.unused:
        typer.echo(f"Columns that {task.name} does not use: {', '.join(listed.unused)}.", err=True)
    if not options["resume"] and out.is_dir() and next(out.glob(f"*/{STATE}"), None):
        raise UserError(
            "batch_there", "The output folder holds results of a batch.", "Give --resume to go on, or another folder."
        )
    require_free(out, options["manifest"])
    batch = Batch(task, listed.scans, out, params, options["device"], bool(options.get("deface")))
    with held(out):
        outcomes = run_scans(batch, options)
        finish_batch(batch, outcomes)
    typer.echo(out / PAGE)
    require_success(outcomes, out / FAILED)


def run_scans(
    batch: Batch, options: Mapping[str, Any], use: Callable[[Scan], None] = lambda scan: None
) -> tuple[Outcome, ...]:
    """Run a batch on the engine that the options choose, and write what becomes of it to stderr; use: as of
    ``run_batch``."""
    from core.batch.run import run_batch

    lines = BatchLines(options["quiet"])
    engine = open_engine(options, batch.task, batch.params)
    try:
        return run_batch(batch, engine, lines.ended, lines.progress, on_again=lines.again, use=use)
    except KeyboardInterrupt:
        typer.echo(f"{line_start()}Stopped. What is done is kept by the same command; batch needs --resume.", err=True)
        raise
    finally:
        engine.close()


def finish_batch(batch: Batch, outcomes: Sequence[Outcome]) -> None:
    """Write the tables and the page of a batch."""
    from core.batch.batch_page import write_overview
    from core.batch.batch_tables import lines_of, write_tables

    lines = lines_of(batch, outcomes)
    write_tables(batch, outcomes, lines)
    write_overview(batch, lines)


def require_success(outcomes: Sequence[Outcome], where: Path) -> None:
    """Raise UserError scans_failed where a scan failed; where: the table of those."""
    failed = sum(each.state == "failed" for each in outcomes)
    if failed:
        verb = "has" if failed == 1 else "have"
        raise UserError(
            "scans_failed", f"{failed} of {count(len(outcomes), 'scan')} {verb} failed.", f"{where} has the reasons."
        )
