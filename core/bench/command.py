"""python -m core bench: measure and print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Measure every method on held-out scans.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def bench() -> None:
    """Measure every method on held-out scans."""


@app.command()
def inpaint(
    data: Annotated[Path, typer.Option("--data", help="Folder that holds train/malf_nc.")],
    methods: Annotated[str, typer.Option("--methods", help="Names, comma between; default: all.")] = "",
    sizes: Annotated[str, typer.Option("--sizes", help="Volumes of the holes in ml, comma between.")] = "12,45",
    per_subject: Annotated[int, typer.Option("--per-subject", min=1, help="Holes of each size in each subject.")] = 1,
    margin: Annotated[float, typer.Option("--margin", min=0, help="Known tissue left at the surface, mm.")] = 3.0,
    mode: Annotated[str, typer.Option("--mode", help="faithful or realistic.")] = "faithful",
    steps: Annotated[int, typer.Option("--steps", min=1, max=8)] = 1,
    samples: Annotated[int, typer.Option("--samples", min=1, max=16)] = 4,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    device: Annotated[str, typer.Option("--device", help="cpu or cuda:0.")] = "cpu",
    json: Annotated[Path | None, typer.Option("--json", help="Write rows and summary to this file.")] = None,
    figures: Annotated[Path | None, typer.Option("--figures", help="Write a picture of each case here.")] = None,
) -> None:
    """Fill holes in five healthy subjects and print how near each method comes."""
    from core.bench.inpaint import bench_inpaint
    from core.bench.table import format_table, write_json
    from core.methods.base import Options

    rows = bench_inpaint(
        data,
        [name.strip() for name in methods.split(",") if name.strip()],
        _volumes(sizes),
        per_subject,
        Options("realistic" if mode == "realistic" else "faithful", steps, samples, seed, device),
        margin_mm=margin,
        figures=figures,
        report=lambda line: typer.echo(line, err=True),
    )
    if json is not None:
        write_json(json, rows)
    typer.echo(format_table(rows))


def _volumes(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise typer.BadParameter(f"--sizes must be numbers with commas between, not {text[:40]!r}") from error
