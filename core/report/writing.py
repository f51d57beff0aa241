"""What every report shares: its templates, its file, and the command line that does a job again."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.assets import ASSETS
from core.declaration import Param, Value
from core.result import REPORT, Artifact, artifact_in

TEMPLATES = ASSETS / "report"


def render(template: str, values: Mapping[str, object]) -> str:
    """Return the page that ``template`` of assets/report makes of ``values``, every one of which is escaped."""
    page: str = _templates().get_template(template).render(values)
    return page


def write_page(out: Path, page: str) -> Artifact:
    """Write ``report.html`` into ``out``, durable before the name appears, and return it."""
    artifact = artifact_in(out, REPORT, ".html")
    path = Path(artifact.path)
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(page)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return artifact


def option_words(param: Param, value: Value) -> list[str]:
    """Return the option of a command line that gives ``param`` its value, none where it is left to the task."""
    if isinstance(value, bool):
        return [f"--{'' if value else 'no-'}{param.option}"]
    if value in ((), ""):
        return []
    if isinstance(value, tuple) and param.kind == "several":
        return [f"--{param.option} {shlex.quote(','.join(map(str, value)))}"]
    if isinstance(value, tuple):
        return [f"--{param.option} {' '.join(f'{number:g}' for number in value)}"]
    return [f"--{param.option} {shlex.quote(str(value))}"]


@cache
def _templates() -> Any:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
