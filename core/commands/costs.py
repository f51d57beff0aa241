"""``counterscan bench``: what runs, batches and fleets cost in time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.commands.terminal import names_in, write_beside


def queue(
    seconds: Annotated[float, typer.Option("--seconds", min=0.001, help="That a worker takes for a scan.")] = 13.4,
    workers: Annotated[str, typer.Option("--workers", help="Sizes of the fleet, comma between.")] = "1,2,4,8",
    scans: Annotated[int, typer.Option("--scans", min=1, help="All there from the start.")] = 1000,
    runs: Annotated[int, typer.Option("--runs-a-day", min=0, help="A stream of these in place of --scans.")] = 0,
    visitors: Annotated[int, typer.Option("--visitors", min=1, help="Whose runs the stream has.")] = 100,
    peak: Annotated[float, typer.Option("--peak", min=1.6, help="Most runs an hour, in parts of the mean.")] = 3.0,
    days: Annotated[float, typer.Option("--days", min=0.01, help="Of the stream.")] = 5.0,
    life: Annotated[float, typer.Option("--life", min=0.001, help="Mean hours until a worker dies.")] = 500.0,
    price: Annotated[float, typer.Option("--price", min=0.0, help="Of a worker for an hour.")] = 0.0,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write the tables of docs/scale.md.")] = None,
) -> None:
    """Simulate a fleet: how long scans wait, how long all take, what workers that die cost."""
    from core.bench import fleet_tables
    from core.bench.arrivals import at_once, daily
    from core.bench.fleet import simulate

    if markdown is not None:
        fleet_tables.write_page(markdown, seed=seed)
        return
    sizes = names_in(workers)
    if not sizes or not all(one.isdecimal() and int(one) for one in sizes):
        raise typer.BadParameter("--workers takes numbers, as 1,2,4")
    works = daily(runs, visitors, [seconds], peak, days, seed) if runs else at_once(scans, seconds)
    own = {"running_per_visitor": 1} if runs else {}
    rows = [
        fleet_tables.line(simulate(fleet_tables.MEASURED.fleet(int(one), life=life, **own), works, seed), price)
        for one in sizes
    ]
    head = (*fleet_tables.HEAD, "price") if price else fleet_tables.HEAD
    typer.echo(fleet_tables.markdown(head, rows))


def speed(
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder that holds train and demo; without it the shipped examples.")
    ] = None,
    earlier: Annotated[
        Path | None, typer.Option("--earlier", help="A checkout of an earlier version, to run in turn with this one.")
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Of whole commands; the shortest counts.")] = 2,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write the tables into this page.")] = None,
) -> None:
    """Time the preset Fast of each imaging task, part by part, and its network beside what the processor can do."""
    from core.bench import speed as bench
    from core.bench.table import write_between

    text = bench.markdown(bench.measure(data, earlier, rounds, write_beside))
    if markdown is not None:
        write_between(markdown, bench.MARK, text)
    typer.echo(text)


def batch(
    manifest: Annotated[Path, typer.Argument(help="Table of scans, as of counterscan batch.")],
    task: Annotated[str, typer.Option("--task", help="What is done to each scan.")] = "inpaint",
    preset: Annotated[str, typer.Option("--preset", help="Settings of the task.")] = "fast",
    compare: Annotated[bool, typer.Option(help="Plain methods beside.")] = True,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write the table into this page.")] = None,
) -> None:
    """Count what a batch costs beside its networks, in seconds of the processor."""
    from core.batch.run import Batch
    from core.batch.scan_list import read_scans
    from core.bench import batch_cost
    from core.bench.table import write_between
    from core.tasks import find

    declared = find(task)
    params = {**declared.preset_params(preset), "compare": compare}
    text = batch_cost.markdown(
        batch_cost.measure(Batch(declared, read_scans(manifest, declared).scans, Path(), params))
    )
    if markdown is not None:
        write_between(markdown, batch_cost.MARK, text)
    typer.echo(text)
