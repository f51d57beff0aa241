"""A program that knows one task more: one folder in core and one line in the registry."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

from core.tasks import MODULES
from tests.source import ROOT

# the code that docs/CONTRIBUTING.md shows, as it stands there
PAGE = (ROOT / "docs" / "CONTRIBUTING.md").read_text(encoding="utf-8")
DECLARATION, RUN = (textwrap.dedent(block) for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))


def write_program(root: Path, *packages: str) -> Path:
    """Write a copy of ``packages`` with the task "smooth" to ``root`` and return it."""
    for package in packages:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "assets").symlink_to(ROOT / "assets")
    folder = root / "core" / "imaging" / "smooth"
    folder.mkdir()
    for name, text in (("__init__", ""), ("task", DECLARATION), ("run", RUN)):
        (folder / f"{name}.py").write_text(text)
    registry = root / "core" / "tasks.py"
    line = f'    "{MODULES[-1]}",\n'
    text = registry.read_text()
    assert text.count(line) == 1
    registry.write_text(text.replace(line, line + '    "core.imaging.smooth.task",\n'))
    return root


def call(program: Path, *arguments: str) -> str:
    """Run Python in a program with ``arguments`` and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(program)}
    command = [sys.executable, *arguments]
    ended = subprocess.run(command, cwd=program, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
