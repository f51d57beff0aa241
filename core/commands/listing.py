"""``counterscan tasks``: what there is."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from core.tasks import TASKS


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
