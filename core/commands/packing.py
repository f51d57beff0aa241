"""``counterscan pack``: training volumes as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def pack_command(
    data: Annotated[Path, typer.Option(help="Folder of training data, laid out as in docs/training.md.")],
    out: Annotated[Path, typer.Option(help="The packed set to write (.npz).")],
    use: Annotated[str, typer.Option("--use", help="Folders to take: labels, train, demo.")] = "labels,train,demo",
    permissive: Annotated[bool, typer.Option(help="Learn from CC0, PDDL, MIT, CC BY and Apache data alone.")] = False,
) -> None:
    """Pack training volumes into one .npz that numpy alone can read."""
    from core.train.pack import pack

    pack(data, out, tuple(use.split(",")), typer.echo, permissive)
