"""A program that knows one task more: one folder in core and one line in the registry."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from core.tasks import MODULES
from tests.source import ROOT

DECLARATION = """
from core.declaration import Input, Output, Param, Reference, Task

TASK = Task(
    name="smooth",
    title="Smooth",
    summary="Blurs a scan.",
    inputs=(Input("image", "volume", "Scan", "Any scan."),),
    outputs=(Output("result", "volume", "Result"),),
    params=(Param("width", "float", 2.0, "Width", "Width of the Gaussian.", low=0, high=20, unit="mm"),),
    run=Reference("core.imaging.smooth.run:run"),
    estimate=Reference("core.imaging.smooth.run:estimate"),
)
"""
RUN = """
import numpy as np
from scipy import ndimage

from core.declaration import Estimate
from core.events import Finished, Progress
from core.files.nifti import read_stored
from core.imaging.drive import write_scan
from core.result import RESULT, Result


def run(context, inputs, params):
    yield Progress(0.0, 0, 1, "Reading")
    stored = read_stored(inputs["image"])
    volume = stored.to_volume()
    blurred = ndimage.gaussian_filter(volume.data, [params["width"] / size for size in volume.spacing])
    made = write_scan(context.out, stored.like(np.asarray(blurred, np.float32)), RESULT)
    yield Finished(Result(artifacts=(made,)))


def estimate(inputs, params, device):
    return Estimate(1.0, 1 << 28, 0)
"""


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
